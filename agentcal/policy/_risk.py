"""A rule with a promise: among runs that it lets pass whole, few fail."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from agentcal.policy._certificate import Certificate
from agentcal.policy._model import Part
from agentcal.policy._ruling import Ruling
from agentcal.policy._tiers import Tier
from agentcal.policy._turn import GatedTurn, Subject
from agentcal.policy._verdict import Verdict, tightening

Margin = Annotated[float, Field(ge=-20, le=20)]


class RiskTarget(Part):
    """Proceed where the confidence reaches a certified threshold.

    :func:`agentcal.certify` finds the threshold for the policy that this rule is part of.

    ``max_failure_rate``: at most this share of the runs in which every decision was "proceed" may
    fail. ``confidence``: of the certificate. ``otherwise``: the verdict below the threshold.
    ``uncertified``: the verdict where no certificate holds: none was made, nothing could be
    certified, or what runs is not what it was made for. ``margins``: log odds, within 20, by which
    a tier must be surer than the threshold, fixed beforehand: the certificate is computed with
    them.
    """

    type: Literal["risk_target"] = "risk_target"
    max_failure_rate: float = Field(gt=0, lt=1)
    confidence: float = Field(default=0.95, gt=0, lt=1)
    otherwise: Annotated[Verdict, AfterValidator(tightening)] = Verdict.ESCALATE
    uncertified: Verdict = Verdict.ESCALATE
    margins: dict[Tier, Margin] = Field(default_factory=dict)
    certificate: Certificate | None = None

    def __init__(self, max_failure_rate: float, confidence: float = 0.95, **rest: object) -> None:
        super().__init__(max_failure_rate=max_failure_rate, confidence=confidence, **rest)

    @property
    def verdicts(self) -> frozenset[Verdict]:
        """``otherwise`` and ``uncertified``."""
        return frozenset((Verdict.PROCEED, self.otherwise, self.uncertified))

    @property
    def needs_score(self) -> bool:
        """Yes."""
        return True

    def rule(self, turn: GatedTurn, subject: Subject, value: float) -> Ruling:
        """Hold the confidence against the threshold of the tier."""
        made = self.certificate
        if made is None:
            return self.unbacked("no certificate was made; see agentcal.certify")
        if made.threshold is None:
            return self.unbacked("the runs given could not carry the promise")
        lacks = made.scope.lacks(turn, subject)
        if lacks:
            return self.unbacked(lacks)
        shown = _shifted(made.threshold, self.margins.get(subject.tier, 0.0))
        # The same comparison as the one that was certified, to the last bit.
        passes = self.score(value, subject.tier) >= made.threshold
        verdict, sign = (Verdict.PROCEED, "reaches") if passes else (self.otherwise, "is below")
        reason = f"P(success) {value:.3f} {sign} the certified {shown:.3f}"
        return Ruling(verdict, reason, self.type, shown, made.fingerprint)

    def score(self, value: float, tier: Tier) -> float:
        """The confidence less the margin of its tier: what the threshold is held against."""
        return _shifted(value, -self.margins.get(tier, 0.0))

    def unbacked(self, why: str) -> Ruling:
        """The ruling where no certificate holds."""
        return Ruling(self.uncertified, f"not certified: {why}", self.type)


def _shifted(value: float, by: float) -> float:
    """``value`` moved by so many log odds; in odds, where rounding keeps the order of values."""
    if by == 0 or not 0 < value < 1:
        return value
    return 1 / (1 + (1 - value) / value / math.exp(by))
