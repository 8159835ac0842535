"""A fitted alarm: plain data, and the few lines that read it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import repeat
from math import nan
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from agentcal.errors import ConfigError
from agentcal.sequential._normaliser import Normaliser
from agentcal.sequential._watch import Watch


class AlarmBound(BaseModel):
    """An alarm that sounds in at most ``false_alarm_rate`` of the successful runs.

    The promise: with probability ``confidence`` over the draw of the groups that it was fitted on,
    a successful run drawn from a new group is flagged at any point with probability
    ``false_alarm_rate`` at most. It holds for groups drawn like those, scored by the same scorer,
    and says nothing about how many failing runs are found.

    It sounds once the running score (the highest log odds of failing that ``normaliser`` has given
    so far) is above ``threshold``: the ``rank``-th smallest of the final running scores of ``n``
    successful runs, one a group, that the normaliser has not seen. It is silent in the first
    ``quiet_turns`` points, and, where there is an ``agrees_at``, until the second signal has been
    that low. ``fitted`` is the number of groups behind normaliser and ``agrees_at``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    false_alarm_rate: float = Field(gt=0, lt=1)
    confidence: float = Field(gt=0, lt=1)
    n: int = Field(ge=1)
    rank: int = Field(ge=1)
    threshold: float
    quiet_turns: int = Field(ge=0)
    normaliser: Normaliser
    fitted: int = Field(ge=0)
    agrees_at: float | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.rank > self.n:
            raise ValueError(f"rank {self.rank} of {self.n} values: there is no such one")
        return self

    def watch(self) -> Watch:
        """A new run, to be watched point by point."""
        normaliser = self.normaliser
        return Watch(
            normaliser.score,
            centre=normaliser.centre,
            scale=normaliser.scale,
            quiet_turns=self.quiet_turns,
            agrees_at=self.agrees_at,
            threshold=self.threshold,
        )

    def running(self, values: Sequence[float], second: Sequence[float] | None = None) -> float:
        """The running score after these points: log odds of failing up to a constant.

        ``values``: the scores of one run at its decision points so far, in order; higher is better.
        Any real numbers, infinite ones too; NaN where there was none. ``second``: the second
        signal at the same points. The lowest float as long as the alarm could not sound. Raises
        ``ConfigError`` where the second signal is missing, not asked for, or of another length.
        """
        watch = self.watch()
        for value, other in self._points(values, second):
            watch.push(value, other)
        return watch.score

    def fires(self, values: Sequence[float], second: Sequence[float] | None = None) -> bool:
        """Whether it has sounded at or before the last of these points; see :meth:`running`."""
        return self.first(values, second) is not None

    def first(self, values: Sequence[float], second: Sequence[float] | None = None) -> int | None:
        """The point at which it sounds, from 1, or None; see :meth:`running`."""
        push = self.watch().push
        for turn, (value, other) in enumerate(self._points(values, second), 1):
            if push(value, other):
                return turn
        return None

    def _points(
        self, values: Sequence[float], second: Sequence[float] | None
    ) -> Iterator[tuple[float, float]]:
        if (second is None) is not (self.agrees_at is None):
            raise ConfigError(
                "this alarm was fitted with a second signal: give it, as long as the scores"
                if second is None
                else "this alarm was fitted without a second signal, and cannot hear one"
            )
        if second is None:
            return zip(values, repeat(nan))
        if len(second) != len(values):
            raise ConfigError(f"{len(second)} points of the second signal for {len(values)} scores")
        return zip(values, second, strict=True)
