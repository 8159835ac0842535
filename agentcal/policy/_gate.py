"""Where integrations ask: a policy at work, that never raises and never lets pass in silence."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from secrets import token_hex
from typing import TYPE_CHECKING

from agentcal.errors import ConfigError
from agentcal.policy._decide import Matter, afford, freeze, judge, matters_of, unasked
from agentcal.policy._decision import TurnDecision
from agentcal.policy._memory_ledger import MemoryLedger
from agentcal.policy._policy import AnyPart, Policy
from agentcal.policy._ruling import Ruling
from agentcal.policy._turn import GatedTurn, Subject

if TYPE_CHECKING:
    from agentcal.policy._ledger import BudgetLedger

_log = logging.getLogger("agentcal.policy")


class Gate:
    """Asks a policy, and does what the user chose beforehand where that is not possible.

    One gate may serve any number of runs, threads and event loops at once.

    Args:
        policy: What to decide by; a single rule is a policy of its own, in shadow mode.
        ledger: Counts the questions of a :class:`ReviewBudget`; by default in this process.

    Raises:
        ConfigError: ``policy`` is something else.
    """

    def __init__(self, policy: Policy | AnyPart, *, ledger: BudgetLedger | None = None) -> None:
        if not isinstance(policy, Policy | AnyPart):
            raise ConfigError(
                f"policy: {type(policy).__name__} is not one; give a Policy, a rule such as "
                "RiskTarget(0.05), or Policy.load(path)"
            )
        self.policy = policy if isinstance(policy, Policy) else Policy.of(policy)
        self._ledger: BudgetLedger = MemoryLedger() if ledger is None else ledger

    def decide(self, turn: GatedTurn) -> TurnDecision:
        """The decisions on ``turn``. Never raises.

        A rule that fails counts as ``without_score`` on gated steps; where the turn cannot even be
        read, every step is one. Where the ledger fails nobody is asked: what should be escalated
        gets the budget's ``spent``. The reason says so, and an error is logged.
        """
        try:
            matters = matters_of(self.policy, turn)
            subjects = [matter.subject for matter in matters]
            rulings = judge(self.policy, turn, subjects, partial(_tell, turn, "a rule failed"))
            rulings = self._afforded(turn, matters, rulings)
            return freeze(self.policy, turn, datetime.now(UTC), matters, rulings)
        except Exception as error:
            return self._unread(turn, _tell(turn, "the turn could not be read", error))

    def _afforded(
        self, turn: GatedTurn, matters: Sequence[Matter], rulings: Sequence[Ruling]
    ) -> list[Ruling]:
        try:
            return afford(self.policy, turn, self._ledger, matters, rulings)
        except Exception as error:
            why = _tell(turn, "the review budget could not be counted", error)
            return [unasked(self.policy, turn, ruling, why) for ruling in rulings]

    def _unread(self, turn: GatedTurn, why: str) -> TurnDecision:
        closed = Ruling(self.policy.without_score, why, "without_score")
        ruling = unasked(self.policy, turn, closed, "nobody can be asked")
        subjects = [Subject(str(call.name), "write") for call in turn.calls]
        subjects = subjects or [Subject(None, "answer")]
        # No other turn may be taken for one that cannot be read.
        start = f"{turn.run_id}/{turn.turn}"
        matters = [Matter(f"{start}/{i}/{token_hex(8)}", s) for i, s in enumerate(subjects)]
        bare = GatedTurn(run_id=str(turn.run_id), turn=turn.turn, confidence=None)
        now = datetime.now(UTC)
        return freeze(self.policy, bare, now, matters, [ruling] * len(matters))


def _tell(turn: GatedTurn, what: str, error: Exception) -> str:
    """Log where it was and its type; what an error says may quote an agent or a user."""
    name = type(error).__name__
    with suppress(Exception):  # a log handler may be anybody's
        last = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{last.filename}:{last.lineno}"
        _log.error("run %s, turn %s: %s: %s at %s", turn.run_id, turn.turn, what, name, where)
    return f"{what}: {name}"
