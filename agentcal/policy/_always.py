"""A rule that looks at what is called, not at how likely it is to go well."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator

from agentcal.policy._model import Part
from agentcal.policy._names import Names, TierSet
from agentcal.policy._ruling import Ruling
from agentcal.policy._turn import GatedTurn, Subject
from agentcal.policy._verdict import Verdict, tightening


class Always(Part):
    """The same verdict for these tools and tiers, whatever the confidence: "always ask first".

    It holds for what it names even where that tier is not gated, and without a confidence. The tier
    ``write`` stands for ``destructive`` too.
    """

    type: Literal["always"] = "always"
    verdict: Annotated[Verdict, AfterValidator(tightening)] = Verdict.ESCALATE
    tools: Names = ()
    tiers: TierSet = ()

    @property
    def verdicts(self) -> frozenset[Verdict]:
        """``verdict``."""
        return frozenset((Verdict.PROCEED, self.verdict))

    @property
    def needs_score(self) -> bool:
        """No."""
        return False

    def rule(self, turn: GatedTurn, subject: Subject, value: float) -> Ruling:
        """``verdict`` for what is named, else proceed."""
        if subject.tool in self.tools:
            return Ruling(self.verdict, f"{subject.tool} is always held up", self.type)
        if subject.tier in self.tiers:
            return Ruling(self.verdict, f"{subject.tier} steps are always held up", self.type)
        return Ruling(Verdict.PROCEED, "it is not among what is always held up", self.type)
