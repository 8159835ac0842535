"""The normaliser, learnt from runs that the bound does not use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from agentcal.sequential._normaliser import Normaliser
from agentcal.sequential._tables import SIGNS, Floats, boost, write_out
from agentcal.sequential._watch import SILENT, Watch

_FEWEST = 10
"""Runs of either outcome; with fewer the score is taken as it is."""
_PENALTY = 100.0
"""Of the squared weights, halved, against the summed log loss."""
_TOLD_LATER = 0.3
"""What is left of the weight of a point where the alarm would sound later in the run anyway."""


class Lesson(NamedTuple):
    """A run to learn from: its scores, the second signal (NaN where there is none), its outcome."""

    scores: Sequence[float]
    second: Sequence[float]
    failed: bool
    weight: float


@dataclass(frozen=True, slots=True)
class _Rows:
    """A row for each point at which the alarm could sound, the runs one after the other."""

    X: Floats
    failed: Floats
    weight: Floats
    run: NDArray[np.intp]


def learn(
    lessons: Sequence[Lesson],
    *,
    false_alarm_rate: float,
    quiet_turns: int = 0,
    agrees_at: float | None = None,
) -> Normaliser:
    """Log odds of failing at every point: a ridge logistic on the signs, and trees on top of it.

    An alarm sounds once, so a sign is worth most in runs that nothing later gives away: points
    after which the first fit would sound, at this rate of false alarms, weigh less in the second.
    """
    known = np.array([s for lesson in lessons for s in lesson.scores if s == s])  # noqa: PLR0124
    centre = float(known.mean()) if known.size else 0.0
    unit = Normaliser(centre=centre, scale=(float(known.std()) if known.size else 0.0) or 1.0)
    seen = [_points(lesson, unit, quiet_turns, agrees_at) for lesson in lessons]
    told = [lesson.failed for lesson, points in zip(lessons, seen, strict=True) if points]
    if min(sum(told), len(told) - sum(told)) < _FEWEST:
        return Normaliser()
    rows = _rows(lessons, seen)
    once = _fitted(rows, unit)
    return _fitted(_once_told(rows, once, false_alarm_rate), unit)


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


def _rows(lessons: Sequence[Lesson], seen: Sequence[Sequence[tuple[float, ...]]]) -> _Rows:
    counts = [len(points) for points in seen]
    return _Rows(
        X=np.array([point for points in seen for point in points]),
        failed=np.repeat([float(lesson.failed) for lesson in lessons], counts),
        weight=np.repeat([lesson.weight for lesson in lessons], counts),
        run=np.repeat(np.arange(len(lessons)), counts),
    )


def _fitted(rows: _Rows, unit: Normaliser) -> Normaliser:
    signs = rows.X[:, :SIGNS]
    weights = _linear(signs, rows.failed, rows.weight)
    turns, tables = write_out(boost(rows.X, rows.failed, rows.weight, signs @ weights))
    fields = {"weights": weights.tolist(), "turns": turns, "tables": tables}
    return Normaliser.model_validate({"centre": unit.centre, "scale": unit.scale, **fields})


def _linear(signs: Floats, failed: Floats, weight: Floats) -> Floats:
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - heavy

    model = LogisticRegression(C=1 / _PENALTY, solver="newton-cholesky", max_iter=100)
    found: Floats = model.fit(signs, failed, sample_weight=weight).coef_[0].astype(np.float64)
    return found


def _once_told(rows: _Rows, normaliser: Normaliser, false_alarm_rate: float) -> _Rows:
    """The rows, those before a point that would sound anyway weighing less."""
    score = normaliser.plan.score
    highest, later = np.full(rows.run[-1] + 1, -np.inf), np.empty(len(rows.run))
    for i in range(len(rows.run) - 1, -1, -1):
        *signs, turn = rows.X[i].tolist()
        later[i] = highest[rows.run[i]]
        highest[rows.run[i]] = max(later[i], score(int(turn), *signs))
    succeeded = np.unique(rows.run[rows.failed == 0])
    sounds = np.quantile(highest[succeeded], 1 - false_alarm_rate)
    return replace(rows, weight=rows.weight * np.where(later > sounds, _TOLD_LATER, 1.0))
