"""A rule that watches the whole run."""

from __future__ import annotations

import math
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from agentcal.policy._ruling import Ruling
from agentcal.policy._turn import GatedTurn, Subject
from agentcal.policy._verdict import Verdict
from agentcal.sequential import AlarmBound

_NAN = float("nan")


class Alarm(BaseModel):
    """Stop runs that go the way of runs that failed, and few of those that would succeed.

    With probability ``confidence`` over the runs that :func:`agentcal.certify` fits it on, at most
    the share ``false_alarm_rate`` of successful runs of new groups is ever stopped. Once it sounds,
    ``verdict`` falls on every later step of the run, read-only ones too. ``quiet_turns``: it is
    silent in the first ones. ``second``: a signal that must agree before it sounds; "support" is
    how unfamiliar the turn is. ``unfitted``: the verdict while it has no ``bound``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: Literal["alarm"] = "alarm"
    false_alarm_rate: float = Field(gt=0, lt=1)
    confidence: float = Field(default=0.95, gt=0, lt=1)
    quiet_turns: int = Field(default=2, ge=0)
    second: Literal["support"] | None = None
    verdict: Verdict = Verdict.ESCALATE
    unfitted: Verdict = Verdict.ESCALATE
    bound: AlarmBound | None = None
    calibrator: str | None = None

    def __init__(self, false_alarm_rate: float, confidence: float = 0.95, **rest: object) -> None:
        super().__init__(false_alarm_rate=false_alarm_rate, confidence=confidence, **rest)

    @property
    def may_escalate(self) -> bool:
        """Whether it may ask a human."""
        return Verdict.ESCALATE in (self.verdict, self.unfitted)

    def rule(self, turn: GatedTurn, subject: Subject, value: float) -> Ruling:
        """``verdict`` if the alarm has sounded at this turn or before."""
        if self.bound is None:
            why = "no alarm was fitted; see agentcal.certify"
            return Ruling(self.unfitted, why, self.type)
        if turn.confidence is None or turn.confidence.fingerprint != self.calibrator:
            why = "the alarm was fitted on another calibrator"
            return Ruling(self.unfitted, why, self.type)
        if self.bound.fires(*self._signals(turn)):
            return Ruling(self.verdict, "the run goes the way of runs that failed", self.type)
        return Ruling(Verdict.PROCEED, "the alarm is silent", self.type)

    def _signals(self, turn: GatedTurn) -> tuple[list[float], list[float] | None]:
        trail = (*turn.trail, turn.confidence)
        values = [_NAN if c is None or not math.isfinite(c.value) else c.value for c in trail]
        if self.second is None:
            return values, None
        return values, [_NAN if c is None else c.support for c in trail]
