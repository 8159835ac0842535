"""Tools with small real effects: a ledger in memory that says afterwards what was done to it."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import NamedTuple

from langchain_core.tools import BaseTool, StructuredTool, ToolException


class LedgerEntry(NamedTuple):
    """Money that went from ``source`` to ``target``."""

    source: str
    target: str
    amount: int


class Ledger:
    """Accounts and the transfers between them, safe to use from many threads.

    ``entries`` lists each effect once, in order: what ran twice is there twice.
    """

    def __init__(self, balances: Mapping[str, int] | None = None) -> None:
        self._balances = dict({"alice": 100, "bob": 20} if balances is None else balances)
        self._entries: list[LedgerEntry] = []
        self._lock = threading.Lock()

    @property
    def entries(self) -> list[LedgerEntry]:
        """The transfers so far, oldest first."""
        with self._lock:
            return list(self._entries)

    def balance(self, account: str) -> int:
        """What an account holds. Raises ``ToolException`` for one that is not there."""
        with self._lock:
            return self._held(account)

    def transfer(self, source: str, target: str, amount: int) -> LedgerEntry:
        """Move money. Raises ``ToolException`` for unknown accounts and for lack of funds."""
        with self._lock:
            held = self._held(source)
            self._held(target)
            if not 0 < amount <= held:
                raise ToolException(f"{source} holds {held}; cannot transfer {amount}")
            self._balances[source] -= amount
            self._balances[target] += amount
            self._entries.append(LedgerEntry(source, target, amount))
            return self._entries[-1]

    def _held(self, account: str) -> int:
        if account not in self._balances:
            known = ", ".join(sorted(self._balances))
            raise ToolException(f"there is no account {account!r}; accounts: {known}")
        return self._balances[account]


def ledger_tools(ledger: Ledger | None = None) -> list[BaseTool]:
    """The tools ``get_balance``, ``transfer`` and ``verify_ledger`` on a ledger.

    They carry the MCP hints in ``metadata``, as ``langchain-mcp-adapters`` puts them there. A lack
    of funds is raised as ``ToolException``: what becomes of it is up to the graph.
    """
    book = Ledger() if ledger is None else ledger

    def get_balance(account: str) -> str:
        """Look up what an account holds."""
        return f"{account} holds {book.balance(account)}"

    def transfer(source: str, target: str, amount: int) -> str:
        """Move money from one account to another. Cannot be undone."""
        book.transfer(source, target, amount)
        return f"moved {amount} from {source} to {target}"

    def verify_ledger() -> str:
        """Check that every transfer on the books is accounted for."""
        entries = book.entries
        return f"{len(entries)} transfers, {sum(entry.amount for entry in entries)} moved"

    reads = {"readOnlyHint": True, "idempotentHint": True}
    acts = {"readOnlyHint": False, "destructiveHint": True, "idempotentHint": False}
    return [
        StructuredTool.from_function(get_balance, metadata=reads),
        StructuredTool.from_function(transfer, metadata=acts),
        StructuredTool.from_function(verify_ledger, metadata=reads),
    ]
