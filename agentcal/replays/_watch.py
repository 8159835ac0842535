"""Runs stopped where a signal crosses a limit that is chosen for a number of stops."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agentcal.policy import Tier
from agentcal.replays._recorded import RecordedRun
from agentcal.replays._signals import Signal


@dataclass(frozen=True, slots=True)
class Limit:
    """What a signal has to exceed; at exactly ``score``, runs whose ``tie`` is small enough do."""

    score: float
    tie: float

    def crossed(self, score: float, tie: float) -> bool:
        """Whether a run stops here. False for a score of NaN."""
        return score > self.score or (score == self.score and tie <= self.tie)


@dataclass(frozen=True, slots=True)
class Watched:
    """A signal on n runs: ``scores``, one a turn, and ``peak`` (n,), the highest of each run.

    ``tie`` (n,): drawn for each run before it began.
    """

    scores: list[list[float]]
    tie: NDArray[np.float64]
    peak: NDArray[np.float64]
    order: NDArray[np.intp]
    """Places of the runs that the signal can stop at all, the first to be stopped first."""

    def limit(self, stops: int) -> Limit:
        """The limit that stops so many runs, or all that can be stopped if they are fewer."""
        place = min(stops, self.order.size) - 1
        if place < 0:
            return Limit(float("inf"), -1.0)
        last = int(self.order[place])
        return Limit(float(self.peak[last]), float(self.tie[last]))

    def crossings(self, limit: Limit) -> Iterator[list[int]]:
        """For each run the turns, counted from 1, at which it is over the limit."""
        for scores, tie in zip(self.scores, self.tie.tolist(), strict=True):
            yield [turn for turn, score in enumerate(scores, 1) if limit.crossed(score, tie)]


def watch(
    signal: Signal, runs: Sequence[RecordedRun], reach: frozenset[Tier], seed: int
) -> Watched:
    """Run ``signal`` over ``runs``. Each has a chance of its own, whatever the others are like."""
    scores, ties = [], []
    for place, run in enumerate(runs):
        rng = np.random.default_rng([seed, place])
        ties.append(float(rng.random()))
        scores.append(signal(run, reach, rng))
    tie = np.array(ties, dtype=np.float64)
    peak = np.array(
        [max((s for s in turns if not math.isnan(s)), default=-np.inf) for turns in scores]
    )
    order = np.lexsort((tie, -peak))
    return Watched(scores, tie, peak, order[np.isfinite(peak[order])])


def _peak(scores: list[float]) -> float:
    return max((score for score in scores if not math.isnan(score)), default=-math.inf)
