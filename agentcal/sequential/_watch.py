"""One run, watched point by point: the one fold over scores, for fitting and for sounding."""

from __future__ import annotations

import sys
from collections.abc import Callable
from math import inf, nan

SILENT = -sys.float_info.max
"""The running score before there is any; finite, so that it can be written as JSON."""
LARGEST = 1e12
"""Scores, in units of the normaliser, are cut here: infinite ones stay in order and add up."""
FADING = 0.5
"""What each later score leaves of the weight of an earlier one in ``Signs.recent``."""

Score = Callable[[int, float, float, float, float], float]
"""Log odds of failing from the turn and the four signs; see :class:`Signs`."""


class Watch:
    """Watches one run; each point costs the same. Made by :meth:`AlarmBound.watch`.

    ``score``: the highest log odds of failing so far, of the turns at which the alarm could sound.
    ``turn``: points so far. ``fired``: whether it has sounded, for good.
    """

    __slots__ = (
        "_agrees_at",
        "_centre",
        "_known",
        "_last",
        "_lowest",
        "_of",
        "_quiet",
        "_recent",
        "_scale",
        "_threshold",
        "_total",
        "_weight",
        "fired",
        "score",
        "turn",
    )

    def __init__(
        self,
        of: Score,
        *,
        centre: float,
        scale: float,
        quiet_turns: int,
        agrees_at: float | None,
        threshold: float,
    ) -> None:
        self._of, self._centre, self._scale = of, centre, scale
        self._quiet, self._threshold = quiet_turns, threshold
        self._agrees_at = inf if agrees_at is None else agrees_at
        self._lowest = -inf if agrees_at is None else inf
        self._known, self._last, self._total = 0, 0.0, 0.0
        self._recent = self._weight = 0.0
        self.turn, self.score, self.fired = 0, SILENT, False

    def push(self, value: float, second: float = nan) -> bool:
        """``fired`` after the next point. NaN is a point without a score: nothing is learnt."""
        self.turn = turn = self.turn + 1
        self._lowest = min(self._lowest, second)
        if value != value:  # noqa: PLR0124 - true for NaN alone
            return self.fired
        last = (value - self._centre) / self._scale
        if not -LARGEST < last < LARGEST:
            last = LARGEST if last > 0 else -LARGEST
        self._known = known = self._known + 1
        change = last - self._last if known > 1 else 0.0
        self._last = last
        self._total = total = self._total + last
        self._weight = weight = FADING * self._weight + 1.0
        self._recent = recent = self._recent + (last - self._recent) / weight
        if turn > self._quiet and self._lowest <= self._agrees_at:
            score = self._of(turn, last, total / known, recent, change)
            if score > self.score:
                self.score = score
                if score > self._threshold:
                    self.fired = True
        return self.fired
