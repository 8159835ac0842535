"""Runs scored at every decision point, next to how they turned out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agentcal.calibration import Calibrator, Confidence, GroupBy
from agentcal.evaluation._labelled import LabelledRuns, stated_by_turn
from agentcal.trajectory import Trajectory

Floats = NDArray[np.float64]

SHARES: dict[str, float] = {"25%": 0.25, "50%": 0.5, "75%": 0.75}
SEEN: tuple[str, ...] = ("final", *SHARES)
"""How much of a run was seen: all, or its decision point number ``max(1, ceil(q K))`` of K."""


@dataclass(frozen=True, slots=True)
class ScoredRun:
    """One run: a confidence for each of its K gated decision points, and one for its end.

    ``stated`` (K + 1 entries) is what the model itself had claimed by then, in [0, 1] or None.
    """

    run_id: str
    group: str
    success: bool
    points: tuple[Confidence, ...]
    finished: Confidence
    stated: tuple[float | None, ...]

    def index(self, seen: str) -> int | None:
        """Which entry of ``(*points, finished)`` is meant; None for a share of no turns at all."""
        if seen == "final":
            return len(self.points)
        return math.ceil(SHARES[seen] * len(self.points)) - 1 if self.points else None


@dataclass(frozen=True, slots=True)
class Predictions:
    """One number a run, n runs: ``p`` (n,) in [0, 1], ``y`` (n,) 0/1, ``group`` (n,) names."""

    p: Floats
    y: Floats
    group: list[str]


@dataclass(frozen=True, slots=True)
class ScoredRuns:
    """Every run that could be scored; ``left_out`` counts the others by reason.

    ``fingerprint`` names the calibrator, ``base_rate`` is the share of successes among the runs
    that it was fitted on, ``success_at`` the outcome from which a run counts as a success here.
    """

    runs: tuple[ScoredRun, ...]
    left_out: dict[str, int]
    fingerprint: str
    base_rate: float
    success_at: float

    def predictions(self, seen: str = "final") -> Predictions:
        """The confidences after that much of each run; ``seen`` is one of :data:`SEEN`."""
        return _predictions(
            (run, (*run.points, run.finished)[at].value) for run, at in self._at(seen)
        )

    def stated(self, seen: str = "final") -> Predictions:
        """The confidence that the model itself stated, for the runs where it had by then."""
        return _predictions((run, run.stated[at]) for run, at in self._at(seen))

    def where_stated(self, seen: str = "final") -> Predictions:
        """As :meth:`predictions`, for the runs of :meth:`stated` alone."""
        return _predictions(
            (run, (*run.points, run.finished)[at].value if run.stated[at] is not None else None)
            for run, at in self._at(seen)
        )

    def _at(self, seen: str) -> Iterator[tuple[ScoredRun, int]]:
        for run in self.runs:
            index = run.index(seen)
            if index is not None:
                yield run, index


def _predictions(values: Iterable[tuple[ScoredRun, float | None]]) -> Predictions:
    known = [(run, value) for run, value in values if value is not None]
    return Predictions(
        np.array([value for _, value in known], dtype=np.float64),
        np.array([run.success for run, _ in known], dtype=np.float64),
        [run.group for run, _ in known],
    )


def score_runs(
    calibrator: Calibrator,
    runs: Iterable[Trajectory],
    *,
    group: GroupBy | None = None,
    success_at: float | None = None,
) -> ScoredRuns:
    """Score every labelled run at each of its decision points.

    Left out, settings and errors as :class:`agentcal.evaluation.LabelledRuns`.
    """
    usable = LabelledRuns(calibrator, runs, group=group, success_at=success_at)
    scored = tuple(_scored(calibrator, *labelled) for labelled in usable)
    return ScoredRuns(
        scored,
        usable.left_out,
        calibrator.fingerprint,
        calibrator.report.success_rate,
        usable.success_at,
    )


def _scored(calibrator: Calibrator, run: Trajectory, group: str, success: bool) -> ScoredRun:
    *points, finished = calibrator.score(run)
    stated = stated_by_turn(run)
    stated.append(stated[-1] if stated else None)
    return ScoredRun(run.run_id, group, success, tuple(points), finished, tuple(stated))
