"""A rule that looks at what is called, not at how likely it is to go well."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from agentcal.policy._names import Names, TierSet
from agentcal.policy._ruling import Ruling
from agentcal.policy._turn import GatedTurn, Subject
from agentcal.policy._verdict import Verdict


class Always(BaseModel):
    """The same verdict for these tools and tiers, whatever the confidence: "always ask first"."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: Literal["always"] = "always"
    verdict: Verdict = Verdict.ESCALATE
    tools: Names = ()
    tiers: TierSet = ()

    @property
    def may_escalate(self) -> bool:
        """Whether it may ask a human."""
        return self.verdict is Verdict.ESCALATE

    def rule(self, turn: GatedTurn, subject: Subject, value: float) -> Ruling:
        """``verdict`` for what is named, else proceed."""
        if subject.tool in self.tools:
            return Ruling(self.verdict, f"{subject.tool} always has to", self.type)
        if subject.tier in self.tiers:
            return Ruling(self.verdict, f"{subject.tier} steps always have to", self.type)
        return Ruling(Verdict.PROCEED, "not among the tools that always have to", self.type)
