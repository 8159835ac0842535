"""A calibrator on runs that it has not seen, next to what needs no calibrator."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from agentcal._progress import track
from agentcal.calibration import Calibrator, GroupBy
from agentcal.errors import ConfigError, NotEnoughData
from agentcal.evaluation._result import Evaluation, EvaluationRow, Seen, TrajectoryScore
from agentcal.evaluation._scored import Floats, Predictions, ScoredRuns, score_runs
from agentcal.metrics import (
    Estimate,
    TurnCalibration,
    calibration_by_turn,
    group_bootstrap,
    summarise,
    trajectory_scores,
)
from agentcal.trajectory import Trajectory

MIN_STATED = 20
"""Stated confidence is a row of its own where at least so many runs have it."""


def evaluate(
    calibrator: Calibrator,
    runs: Iterable[Trajectory],
    *,
    group: GroupBy | None = None,
    success_at: float | None = None,
    baselines: bool = True,
    level: float = 0.95,
    seed: int = 0,
    progress: bool = True,
) -> Evaluation:
    """Score ``runs`` with ``calibrator`` and say how good that is: finished, and under way.

    Runs of the fit, and others of their groups, would flatter it: they are left out, counted, and
    warned of (see :class:`agentcal.evaluation.LabelledRuns`).
    ``group`` and ``success_at`` default to what the calibrator was fitted with. ``baselines`` adds
    the base rate of the calibrator's own training runs and, where at least 20 runs have it, the
    confidence that the model itself stated (and the calibrator on those runs alone): neither has
    seen an outcome of ``runs``. Intervals at ``level`` are over groups. ``progress`` shows bars on
    stderr where that is a terminal.

    Raises ``NotEnoughData`` without a single labelled run and ``ConfigError`` for settings out of
    range or a group that the runs do not have. With one class or one group the scores that need
    more are None.
    """
    _check(level)
    watched = track(runs, "scoring", show=progress)
    scored = score_runs(calibrator, watched, group=group, success_at=success_at)
    return assess(scored, baselines=baselines, level=level, seed=seed, progress=progress)


def assess(
    scored: ScoredRuns,
    *,
    baselines: bool = True,
    level: float = 0.95,
    seed: int = 0,
    progress: bool = True,
) -> Evaluation:
    """The second half of :func:`evaluate`, for runs that are scored already."""
    _check(level)
    base_rate = scored.base_rate if baselines else None
    return Evaluation(
        fingerprint=scored.fingerprint,
        level=level,
        success_at=scored.success_at,
        runs=len(scored.runs),
        groups=len({run.group for run in scored.runs}),
        success_rate=float(np.mean([run.success for run in scored.runs])),
        left_out=scored.left_out,
        unfamiliar=float(np.mean([not run.finished.supported for run in scored.runs])),
        rows=list(_rows(scored, base_rate, level, seed, progress)),
        trajectory=_trajectory(scored, base_rate, level, seed),
        by_turn=_by_turn(scored, seed),
    )


def _check(level: float) -> None:
    if not 0 < level < 1:
        raise ConfigError(f"level must lie between 0 and 1, got {level}")


def _rows(
    scored: ScoredRuns, base_rate: float | None, level: float, seed: int, progress: bool
) -> Iterator[EvaluationRow]:
    for seen in track(get_args(Seen), "evaluating", show=progress):
        for method, predictions in _methods(scored, seen, base_rate):
            if predictions.p.size:
                metrics = summarise(
                    predictions.p, predictions.y, predictions.group, level=level, seed=seed
                )
                yield EvaluationRow(seen=seen, method=method, metrics=metrics)


def _methods(
    scored: ScoredRuns, seen: Seen, base_rate: float | None
) -> Iterator[tuple[str, Predictions]]:
    own = scored.predictions(seen)
    yield "agentcal", own
    if base_rate is None:
        return
    yield "base rate", Predictions(np.full(own.p.size, base_rate), own.y, own.group)
    stated = scored.stated(seen)
    if stated.p.size >= MIN_STATED:
        yield "stated confidence", stated
        if stated.p.size < own.p.size:
            yield "agentcal, if stated", scored.where_stated(seen)


class _Points:
    """All gated decision points of all runs as arrays of one length."""

    def __init__(self, scored: ScoredRuns) -> None:
        pairs = [(run, point) for run in scored.runs for point in run.points]
        self.p: Floats = np.array([point.value for _, point in pairs], dtype=np.float64)
        self.y: Floats = np.array([run.success for run, _ in pairs], dtype=np.float64)
        self.turn: Floats = np.array([point.turn for _, point in pairs], dtype=np.float64)
        # Run ids may repeat between files, so a run is told by its place.
        self.run: NDArray[np.intp] = np.repeat(
            np.arange(len(scored.runs)), [len(run.points) for run in scored.runs]
        )
        self.group = [run.group for run, _ in pairs]
        self.run_group = [run.group for run in scored.runs if run.points]


def _trajectory(
    scored: ScoredRuns, base_rate: float | None, level: float, seed: int
) -> list[TrajectoryScore]:
    points = _Points(scored)
    if not points.p.size:
        return []
    methods = {"agentcal": points.p}
    if base_rate is not None:
        methods["base rate"] = np.full(points.p.size, base_rate)
    return [
        TrajectoryScore(method=method, score=_run_scores(points, p, level, seed))
        for method, p in methods.items()
    ]


def _run_scores(points: _Points, p: Floats, level: float, seed: int) -> Estimate:
    runs = trajectory_scores(p, points.y, run=points.run, turn=points.turn)
    try:
        return group_bootstrap(
            _scaled_mean, runs.score, runs.weight, group=points.run_group, level=level, seed=seed
        )
    except NotEnoughData:  # a single group: the value without an interval
        return Estimate(
            value=_scaled_mean(runs.score, runs.weight),
            low=None,
            high=None,
            n=len(points.run_group),
            groups=len(set(points.run_group)),
            level=level,
        )


def _scaled_mean(score: Floats, weight: Floats) -> float:
    return float(score.mean() / weight.mean())


def _by_turn(scored: ScoredRuns, seed: int) -> list[TurnCalibration]:
    points = _Points(scored)
    try:
        return calibration_by_turn(
            points.p, points.y, turn=points.turn, group=points.group, seed=seed
        )
    except NotEnoughData:  # fewer than 20 runs reached any turn
        return []
