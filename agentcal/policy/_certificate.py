"""A promise about a policy, and what it was made for."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property

from pydantic import Field

from agentcal._artefact import digest
from agentcal.bounds import NotCertified, ThresholdCertificate
from agentcal.policy._model import Part
from agentcal.policy._names import Names
from agentcal.policy._tiers import Tier
from agentcal.policy._turn import GatedTurn, Subject


class Scope(Part):
    """Where a certificate holds: this calibrator, this policy, these agents, models and tools.

    ``policy`` is the digest of the policy as composed, without what certifying adds to it. Runs
    whose agent or model was not known count as agent, or model, "". ``tools``: the tier that each
    had in the certified runs, for a recorded tool may say less of itself than a live one.
    """

    calibrator: str
    policy: str
    agents: Names
    models: Names
    tools: dict[str, Tier]

    def lacks(self, turn: GatedTurn, subject: Subject) -> str:
        """Why the certificate does not hold for ``subject`` of ``turn``; empty where it does."""
        if turn.confidence is None or turn.confidence.fingerprint != self.calibrator:
            return "it was made for another calibrator"
        if (turn.agent or "") not in self.agents:
            return f"no run of agent {turn.agent!r} was certified"
        if (turn.model or "") not in self.models:
            return f"no run of model {turn.model!r} was certified"
        new = next((call.name for call in turn.calls if call.name not in self.tools), None)
        if new is not None:
            return f"no certified run had the tool {new!r}"
        if subject.tool is None or subject.tier == self.tools[subject.tool]:
            return ""
        known = self.tools[subject.tool]
        return f"{subject.tool} was {known} in the certified runs, and is {subject.tier} here"


class Certificate(Part):
    """What certifying found: a threshold with its promise, or why there is none.

    The promise: among runs in which every decision was "proceed", at most
    ``result.max_failure_rate`` fail, with probability ``result.confidence`` over the runs that it
    was made from. It says nothing about runs that were verified, escalated or ended.
    ``success_at``: the outcome from which a run counted as a success. ``left_out``: how many of the
    runs given could not be used, by reason. ``never_gated``: how many had no gated step at all, so
    that they proceed whatever the threshold, and how many of these failed.
    """

    result: ThresholdCertificate | NotCertified
    scope: Scope
    success_at: float
    left_out: dict[str, int] = Field(default_factory=dict)
    never_gated: int = 0
    never_gated_failed: int = 0
    made_at: datetime

    @cached_property
    def fingerprint(self) -> str:
        """16 hexadecimal digits that change with anything in the certificate."""
        return digest(self.model_dump(mode="json"))[:16]

    @property
    def threshold(self) -> float | None:
        """The confidence that proceeds; None: nothing could be certified."""
        return None if isinstance(self.result, NotCertified) else self.result.threshold
