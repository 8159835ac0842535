"""The one thing that a policy is made of."""

from __future__ import annotations

from typing import Protocol

from agentcal.policy._ruling import Ruling
from agentcal.policy._turn import GatedTurn, Subject


class Rule(Protocol):
    """Says what should be done about one step; knows nothing of other rules."""

    @property
    def type(self) -> str:
        """Its name in the policy's JSON and in decisions."""

    @property
    def may_escalate(self) -> bool:
        """Whether it may ask a human, so that a graph needs a checkpointer."""

    def rule(self, turn: GatedTurn, subject: Subject, value: float) -> Ruling:
        """The ruling on ``subject``, a part of ``turn``; ``value`` is P(success) at this turn."""
