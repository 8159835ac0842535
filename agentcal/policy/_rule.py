"""The one thing that a policy is made of."""

from __future__ import annotations

from typing import Protocol

from agentcal.policy._ruling import Ruling
from agentcal.policy._turn import GatedTurn, Subject
from agentcal.policy._verdict import Verdict


class Rule(Protocol):
    """Says what should be done about one step; knows nothing of other rules."""

    @property
    def type(self) -> str:
        """Its name in the policy's JSON and in decisions."""

    @property
    def verdicts(self) -> frozenset[Verdict]:
        """All that it may say."""

    @property
    def needs_score(self) -> bool:
        """Whether it rules on gated steps with a confidence only; else on every step."""

    def rule(self, turn: GatedTurn, subject: Subject, value: float) -> Ruling:
        """The ruling on ``subject``, a part of ``turn``.

        ``value`` is P(success) at this turn, NaN where it is missing.
        """
