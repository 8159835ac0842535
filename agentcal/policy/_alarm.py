"""A rule that watches the whole run."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field

from agentcal.policy._model import Part
from agentcal.policy._ruling import Ruling
from agentcal.policy._turn import GatedTurn, Subject
from agentcal.policy._verdict import Verdict, tightening
from agentcal.sequential import AlarmBound

if TYPE_CHECKING:
    from agentcal.calibration import Confidence


class Alarm(Part):
    """Stop runs that go the way of runs that failed, and few of those that would succeed.

    With probability ``confidence`` over the runs that :func:`agentcal.certify` fits it on, at most
    the share ``false_alarm_rate`` of successful runs of new groups is ever stopped. Once it sounds,
    ``verdict`` falls on every later step of the run, read-only ones too. ``quiet_turns``: it is
    silent in the first ones. ``second``: a signal that must agree before it sounds; "support" is
    how unfamiliar the turn is. ``unfitted``: the verdict on gated steps while it has no ``bound``,
    or one that was made for another ``calibrator``.
    """

    type: Literal["alarm"] = "alarm"
    false_alarm_rate: float = Field(gt=0, lt=1)
    confidence: float = Field(default=0.95, gt=0, lt=1)
    quiet_turns: int = Field(default=2, ge=0)
    second: Literal["support"] | None = None
    verdict: Annotated[Verdict, AfterValidator(tightening)] = Verdict.ESCALATE
    unfitted: Verdict = Verdict.ESCALATE
    bound: AlarmBound | None = None
    calibrator: str | None = None

    def __init__(self, false_alarm_rate: float, confidence: float = 0.95, **rest: object) -> None:
        super().__init__(false_alarm_rate=false_alarm_rate, confidence=confidence, **rest)

    @property
    def verdicts(self) -> frozenset[Verdict]:
        """``verdict`` and ``unfitted``."""
        return frozenset((Verdict.PROCEED, self.verdict, self.unfitted))

    @property
    def needs_score(self) -> bool:
        """No: one that has sounded goes on sounding, on every step."""
        return False

    def rule(self, turn: GatedTurn, subject: Subject, value: float) -> Ruling:
        """``verdict`` if the alarm has sounded at this turn or before."""
        if self.bound is None:
            return self._unfitted(subject, "no alarm was fitted; see agentcal.certify")
        if any(c is not None and c.fingerprint != self.calibrator for c in _heard(turn)):
            return self._unfitted(subject, "the alarm was fitted on another calibrator")
        if self.sounds(turn):
            return Ruling(self.verdict, "the run goes the way of runs that failed", self.type)
        return Ruling(Verdict.PROCEED, "the alarm is silent", self.type)

    def sounds(self, turn: GatedTurn) -> bool:
        """Whether it has sounded by this turn; without a ``bound`` it never does."""
        if self.bound is None:
            return False
        heard = _heard(turn)
        values = [math.nan if c is None else c.value for c in heard]
        if self.second is None:
            return self.bound.fires(values)
        return self.bound.fires(values, [math.nan if c is None else c.support for c in heard])

    def _unfitted(self, subject: Subject, why: str) -> Ruling:
        return Ruling(self.unfitted if subject.gated else Verdict.PROCEED, why, self.type)


def _heard(turn: GatedTurn) -> list[Confidence | None]:
    """The confidences up to this turn; None where there was none, or no probability."""
    now = None if turn.value is None else turn.confidence
    return [*(c if c is not None and 0 <= c.value <= 1 else None for c in turn.trail), now]
