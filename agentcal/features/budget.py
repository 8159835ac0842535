"""Budget and time: how much of what the agent was given is used up, and whether it slows down.

Shares are of the agent's own limits, which are known beforehand; a share of the run's length is
known to nobody before it is over.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import ClassVar

from agentcal.features._events import Inbound, Memory, Result, Turn
from agentcal.features._feature import Feature, count, real, share
from agentcal.trajectory import Limits

_NO_TOKENS = "no token limit, or usage not reported"
_NO_SECONDS = "no time limit, or no time recorded"
_NO_LIMIT = "no limit whose use is known"
_UNPACED = "fewer than two turns, or nothing written yet"
_LARGEST = 1e6
_MOST_SECONDS = 1e9
_WEIGHT = 1 / 3
_UNLIMITED = (math.nan,) * 4


class Budget:
    """What was used of the limits, how many turns are left, and how fast it goes.

    Tokens are input and output tokens as the provider counted them. Seconds are those of turns and
    of results, as if one came after the other. A pace is a recent mean, in which each turn weighs
    two thirds of the one after it, divided by the mean over all turns: above 1 it grows.
    """

    name: ClassVar[str] = "budget"
    features: ClassVar[tuple[Feature, ...]] = (
        share("steps_used_share", "turns / step limit, at most 1", "no step limit"),
        share("tokens_used_share", "tokens so far / token limit, at most 1", _NO_TOKENS),
        share("seconds_used_share", "seconds so far / time limit, at most 1", _NO_SECONDS),
        count(
            "turns_left",
            "turns that the tightest limit still allows at the mean use of a turn so far",
            _NO_LIMIT,
        ),
        count("elapsed_s", "seconds that turns and results took so far", "no time recorded"),
        count("input_tokens", "input tokens of the newest turn", "usage not reported"),
        real(
            "output_tokens_ratio",
            "output tokens of the newest turn / mean of those of the turns before it",
            "fewer than two turns with usage",
            low=0.0,
            high=_LARGEST,
        ),
        real(
            "latency_pace",
            "recent mean of the seconds of a turn / mean",
            "fewer than two timed turns",
            low=0.0,
            high=_LARGEST,
        ),
        real(
            "text_pace",
            "recent mean of the characters of a turn's text and arguments / mean",
            _UNPACED,
            low=0.0,
            high=_LARGEST,
        ),
    )

    def __init__(self, memory: Memory) -> None:
        self._limits = memory.limits
        self._turns = self._tokens = 0
        self._seconds = self._input = self._ratio = math.nan
        self._outputs = self._output = 0
        self._latency, self._written = _Pace(), _Pace()
        self._known: tuple[float, ...] | None = None

    def message(self, event: Inbound) -> None:
        """Messages cost the agent nothing by themselves."""

    def turn(self, event: Turn) -> None:
        """Add up what the turn used."""
        self._turns += 1
        self._known = None
        step = event.step
        size = event.text.size
        for call in event.calls:
            size += len(call.text)
        self._written.add(size)
        if step.latency_s is not None:
            self._spend(step.latency_s)
            self._latency.add(step.latency_s)
        if step.usage is not None:
            self._use(step.usage.input_tokens, step.usage.output_tokens)
        elif self._outputs or self._tokens:
            self._input = self._ratio = math.nan

    def _use(self, read: int | None, written: int | None) -> None:
        self._input = math.nan if read is None else float(read)
        self._ratio = math.nan
        self._tokens += (read or 0) + (written or 0)
        if written is not None:
            if self._output:
                self._ratio = min(written * self._outputs / self._output, _LARGEST)
            self._outputs += 1
            self._output += written

    def _spend(self, seconds: float) -> None:
        before = 0.0 if math.isnan(self._seconds) else self._seconds
        self._seconds = min(before + seconds, _MOST_SECONDS)

    def result(self, event: Result) -> None:
        """Add up the time that the result took."""
        if event.duration_s is not None:
            self._spend(event.duration_s)
            self._known = None

    def values(self) -> Iterable[float]:
        """See :attr:`features`."""
        known = self._known
        if known is None:
            known = self._known = self._read()
        return known

    def _read(self) -> tuple[float, ...]:
        return (
            *(_UNLIMITED if self._limits is None else self._of(self._limits)),
            self._seconds,
            self._input,
            self._ratio,
            self._latency.value(),
            self._written.value(),
        )

    def _of(self, limits: Limits) -> tuple[float, ...]:
        used = [
            self._turns / limits.steps if limits.steps else math.nan,
            self._tokens / limits.tokens if limits.tokens and self._tokens else math.nan,
            self._seconds / limits.seconds if limits.seconds else math.nan,
        ]
        shares = [math.nan if math.isnan(part) else min(part, 1.0) for part in used]
        most = max((part for part in shares if part > 0), default=math.nan)
        return (*shares, min((1.0 - most) * self._turns / most, _LARGEST))


class _Pace:
    """A recent mean over the mean, in constant memory."""

    __slots__ = ("_n", "_recent", "_sum")

    def __init__(self) -> None:
        self._n, self._recent, self._sum = 0, 0.0, 0.0

    def add(self, value: float) -> None:
        """Take in the value of the next turn."""
        self._recent = self._recent + _WEIGHT * (value - self._recent) if self._n else value
        self._n += 1
        self._sum += value

    def value(self) -> float:
        """NaN with fewer than two values, and while all are 0."""
        if self._n < 2 or not self._sum:
            return math.nan
        return min(self._recent * self._n / self._sum, _LARGEST)
