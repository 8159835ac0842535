"""Where integrations ask: a policy at work, that never raises and never lets pass in silence."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from agentcal.errors import ConfigError
from agentcal.policy._decide import decision, keys_of, subjects_of
from agentcal.policy._decision import TurnDecision
from agentcal.policy._memory_ledger import MemoryLedger
from agentcal.policy._policy import Part, Policy
from agentcal.policy._ruling import Ruling
from agentcal.policy._turn import GatedTurn
from agentcal.policy._verdict import Verdict

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

    def __init__(self, policy: Policy | Part, *, ledger: BudgetLedger | None = None) -> None:
        if not isinstance(policy, Policy | Part):
            raise ConfigError(
                f"policy: {type(policy).__name__} is not one; give a Policy, a rule such as "
                "RiskTarget(0.05), or Policy.load(path)"
            )
        self.policy = policy if isinstance(policy, Policy) else Policy.of(policy)
        self._ledger: BudgetLedger = MemoryLedger() if ledger is None else ledger

    def decide(self, turn: GatedTurn) -> TurnDecision:
        """The decisions on ``turn``. Never raises.

        Where the policy or its ledger fails, every gated step gets ``without_score``, the reason
        says so, and an error is logged.
        """
        try:
            return self.policy.decide(turn, self._ledger)
        except Exception as error:
            _log.error(
                "run %s, turn %d: the policy failed (%s); %s instead",
                turn.run_id,
                turn.turn,
                type(error).__name__,
                self.policy.without_score,
            )
            return self._failed(turn, error)

    def _failed(self, turn: GatedTurn, error: Exception) -> TurnDecision:
        policy, now = self.policy, datetime.now(UTC)
        why = f"the policy failed: {type(error).__name__}"
        closed = Ruling(policy.without_score, why, "without_score")
        free = Ruling(Verdict.PROCEED, "not gated", "tiers")
        decisions = tuple(
            decision(policy, turn, now, (key, subject, closed if gated else free))
            for key, subject in zip(keys_of(turn), subjects_of(policy, turn), strict=True)
            for gated in [subject.tier in policy.gated]
        )
        return TurnDecision(
            run_id=turn.run_id, turn=turn.turn, confidence=turn.confidence, decisions=decisions
        )
