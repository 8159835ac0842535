"""Confidence that the model states, in numbers and in words, and what opposition does to it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import ClassVar

from agentcal.features._events import Inbound, Memory, Result, Turn
from agentcal.features._feature import Feature, count, real, share
from agentcal.features._objections import objects
from agentcal.features._stated import stated_in
from agentcal.features._text import Digest
from agentcal.features._verbal import spoken_in
from agentcal.features._verdicts import judge

_NOT_STATED = "the model never stated a confidence"
_ONCE = "fewer than two stated"
_UNOPPOSED = "no confidence stated after opposition to an earlier one"
_NO_WORDS = "no words of probability yet"
_NAN = math.nan


class Confidence:
    """How sure the model says it is.

    A stated confidence is ``Step.stated_confidence``, else a number in the turn's text
    ("confidence: 85%", "I'm 90% sure", "8/10 confident"). A spoken one is the mean value of the
    words of probability in a text, "might" at .38, "likely" at .71 and "almost certain" at .90
    (medians of Mosteller and Youtz, Statistical Science 5(1), 1990; Tian et al., arXiv 2305.14975,
    read what models say in this way). Opposition is a result in error or rejected, or a message
    with words of objection, after a confidence was stated: who is well calibrated yields to it.
    Text in thinking tags is not said.
    """

    name: ClassVar[str] = "confidence"
    features: ClassVar[tuple[Feature, ...]] = (
        share("stated_confidence", "confidence that the model stated last", _NOT_STATED),
        real(
            "stated_confidence_change",
            "the confidence stated last - the one stated before",
            _ONCE,
            low=-1.0,
            high=1.0,
        ),
        share("stated_confidence_mean", "mean of the stated confidences", _NOT_STATED),
        share("stated_confidence_range", "highest - lowest stated confidence", _NOT_STATED),
        real(
            "stated_confidence_rise",
            "the confidence stated last - the one stated first",
            _ONCE,
            low=-1.0,
            high=1.0,
        ),
        count(
            "oppositions_since_stated",
            "errors, rejections and objections since a confidence was stated",
            _NOT_STATED,
        ),
        real(
            "stated_confidence_opposed",
            "the first confidence stated after the newest answered opposition - the one before it",
            _UNOPPOSED,
            low=-1.0,
            high=1.0,
        ),
        share(
            "stated_confidence_unmoved_share",
            "share of the confidences stated first after opposition that are no lower than before",
            _UNOPPOSED,
        ),
        share(
            "spoken_confidence",
            "mean value of the words of probability in the newest text that has any",
            _NO_WORDS,
        ),
        share("spoken_confidence_mean", "mean of spoken_confidence over such texts", _NO_WORDS),
        real(
            "spoken_confidence_rise",
            "spoken_confidence - that of the first such text",
            "fewer than two texts with words of probability",
            low=-1.0,
            high=1.0,
        ),
    )

    def __init__(self, memory: Memory) -> None:
        self._stated, self._spoken = _Series(), _Series()
        self._low = self._high = self._opposed = _NAN
        self._oppositions = self._answers = self._unmoved = 0
        self._values = _NOTHING

    def message(self, event: Inbound) -> None:
        """See whether it objects to what the model was sure of."""
        if self._stated.n and event.role != "system" and objects(event.text):
            self._oppose()

    def turn(self, event: Turn) -> None:
        """Read how sure the model says it is."""
        said = event.said
        found: tuple[float | None, float | None] | None = said.memo.get(_read)
        if found is None:
            found = said.memo[_read] = _read(said)
        stated, spoken = found
        if event.step.stated_confidence is not None:
            stated = event.step.stated_confidence
        if stated is not None:
            self._state(stated)
        if spoken is not None:
            self._spoken.add(spoken)
        if stated is not None or spoken is not None:
            self._values = self._all()

    def _state(self, value: float) -> None:
        if self._oppositions:
            self._answers += 1
            self._unmoved += value >= self._stated.last
            self._opposed = value - self._stated.last
            self._oppositions = 0
        first = not self._stated.n
        self._low = value if first else min(self._low, value)
        self._high = value if first else max(self._high, value)
        self._stated.add(value)

    def result(self, event: Result) -> None:
        """See whether the world objects to what the model was sure of."""
        if self._stated.n and (
            event.status == "rejected" or judge(event.text, event.status).failed
        ):
            self._oppose()

    def _oppose(self) -> None:
        self._oppositions += 1
        self._values = self._all()

    def _all(self) -> tuple[float, ...]:
        stated, spoken, answers = self._stated, self._spoken, self._answers
        return (
            stated.last,
            stated.change,
            stated.mean(),
            self._high - self._low,
            stated.rise(),
            self._oppositions if stated.n else _NAN,
            self._opposed,
            self._unmoved / answers if answers else _NAN,
            spoken.last,
            spoken.mean(),
            spoken.rise(),
        )

    def values(self) -> Iterable[float]:
        """See :attr:`features`."""
        return self._values


def _read(said: Digest) -> tuple[float | None, float | None]:
    return stated_in(said), spoken_in(said)


class _Series:
    """Numbers in [0, 1] in the order in which they came, in constant memory."""

    __slots__ = ("_sum", "change", "first", "last", "n")

    def __init__(self) -> None:
        self.n, self._sum = 0, 0.0
        self.first = self.last = self.change = _NAN

    def add(self, value: float) -> None:
        """Take in the next one."""
        self.change = value - self.last
        self.last = value
        if not self.n:
            self.first = value
        self.n += 1
        self._sum += value

    def mean(self) -> float:
        """NaN of none; rounding may not carry it past 1."""
        return min(self._sum / self.n, 1.0) if self.n else _NAN

    def rise(self) -> float:
        """Newest - first, NaN with fewer than two."""
        return self.last - self.first if self.n > 1 else _NAN


_NOTHING: tuple[float, ...] = (_NAN,) * len(Confidence.features)
