"""The normaliser, learnt from runs that the bound does not use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from agentcal.sequential._normaliser import Normaliser
from agentcal.sequential._tables import SIGNS, Floats, boost, write_out
from agentcal.sequential._watch import SILENT, Watch

_FEWEST = 10
"""Runs of either outcome; with fewer the score is taken as it is."""
_PENALTY = 100.0
"""Of the squared weights, halved, against the summed log loss."""


class Lesson(NamedTuple):
    """A run to learn from: its scores, the second signal (NaN where there is none), its outcome."""

    scores: Sequence[float]
    second: Sequence[float]
    failed: bool
    weight: float


def learn(
    lessons: Sequence[Lesson], *, quiet_turns: int = 0, agrees_at: float | None = None
) -> Normaliser:
    """Log odds of failing at every point: a ridge logistic on the signs, and trees on top of it.

    Every point at which the alarm could sound is a row with the outcome of its run.
    """
    known = np.array([s for lesson in lessons for s in lesson.scores if s == s])  # noqa: PLR0124
    centre = float(known.mean()) if known.size else 0.0
    unit = Normaliser(centre=centre, scale=(float(known.std()) if known.size else 0.0) or 1.0)
    seen = [_points(lesson, unit, quiet_turns, agrees_at) for lesson in lessons]
    told = [lesson.failed for lesson, points in zip(lessons, seen, strict=True) if points]
    if min(sum(told), len(told) - sum(told)) < _FEWEST:
        return Normaliser()
    counts = [len(points) for points in seen]
    X = np.array([point for points in seen for point in points])
    failed = np.repeat([float(lesson.failed) for lesson in lessons], counts)
    weight = np.repeat([lesson.weight for lesson in lessons], counts)
    weights = _linear(X[:, :SIGNS], failed, weight)
    written = write_out(boost(X, failed, weight, X[:, :SIGNS] @ weights))
    fields = {"centre": unit.centre, "scale": unit.scale, "weights": weights.tolist()}
    return Normaliser.model_validate({**fields, **written})


def _points(
    lesson: Lesson, unit: Normaliser, quiet_turns: int, agrees_at: float | None
) -> list[tuple[float, ...]]:
    """The signs and the turn at every point at which the alarm could sound."""
    points = []

    def note(turn: int, *signs: float) -> float:
        points.append((*signs, float(turn)))
        return SILENT

    watch = Watch(
        note,
        centre=unit.centre,
        scale=unit.scale,
        quiet_turns=quiet_turns,
        agrees_at=agrees_at,
        threshold=SILENT,
    )
    for value, second in zip(lesson.scores, lesson.second, strict=True):
        watch.push(value, second)
    return points


def _linear(signs: Floats, failed: Floats, weight: Floats) -> Floats:
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - heavy

    model = LogisticRegression(C=1 / _PENALTY, solver="newton-cholesky", max_iter=100)
    found: Floats = model.fit(signs, failed, sample_weight=weight).coef_[0].astype(np.float64)
    return found
