"""Who counts how often a human was asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from agentcal.policy._budget import ReviewBudget


class Request(NamedTuple):
    """A gated step: its decision key, its confidence (None: missing), and whether to ask."""

    key: str
    value: float | None
    ask: bool


class BudgetLedger(Protocol):
    """Keeps the tokens of a :class:`ReviewBudget`. Safe to call from any thread."""

    def grant(self, budget: ReviewBudget, requests: Sequence[Request]) -> list[bool]:
        """Count the gated steps of one turn, and say which of them may be escalated.

        Atomic, and once for each key: a key that comes again gets the answer that it got before and
        counts for nothing. A step that does not ask is granted nothing; those that ask are granted
        together or not at all. Raises whatever keeps it from counting.
        """
