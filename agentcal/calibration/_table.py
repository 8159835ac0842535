"""Runs to rows: one table for fitting, scoring and evaluating."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from agentcal._seen import mark_of
from agentcal.calibration._censored import censored, changed
from agentcal.calibration._conduct import Conduct, conduct_of
from agentcal.errors import ConfigError
from agentcal.features import FEATURES, Kind, ToolUse, decision_points
from agentcal.trajectory import Trajectory

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

KINDS: tuple[Kind, ...] = ("tool_turn", "answer_turn", "finished")
KIND_CODE: dict[str, int] = {kind: code for code, kind in enumerate(KINDS)}

GroupBy = Literal["task", "family", "agent", "model"] | Callable[[Trajectory], str]

_EVERY_TURN_UP_TO = 16
_SPACING = 1.25


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of many runs. n rows, p features, r runs.

    ``X`` (n, p) float64 with NaN where missing; ``kind`` (n,) codes of :data:`KINDS`; ``turn`` (n,)
    from 1; ``run`` (n,) index into the run-level fields ``y`` (r,) 0/1, ``group`` (r,) codes,
    ``marks`` (by which a run is known again), ``groups`` (names by code) and ``categories`` (one
    list of values a name).
    ``left_out`` counts runs without rows, by reason; ``changed``: in so many somebody stepped in.
    ``tools`` (n,): the use of tools at each row, and ``conduct`` (r,) that of each run; both empty
    where nobody knows.
    """

    X: FloatArray
    kind: IntArray
    turn: IntArray
    run: IntArray
    y: FloatArray
    group: IntArray
    marks: list[bytes]
    groups: list[str]
    categories: dict[str, list[str]]
    left_out: dict[str, int] = field(default_factory=dict)
    changed: int = 0
    tools: NDArray[np.object_] = field(default_factory=lambda: np.empty(0, dtype=object))
    conduct: list[Conduct] = field(default_factory=list)

    @property
    def labels(self) -> FloatArray:
        """The outcome of each row's run, (n,)."""
        return self.y[self.run]

    def rows(self, keep: NDArray[np.bool_]) -> Table:
        """The table with only the rows where ``keep`` (n,) is true; runs stay as they are."""
        return Table(
            self.X[keep],
            self.kind[keep],
            self.turn[keep],
            self.run[keep],
            self.y,
            self.group,
            self.marks,
            self.groups,
            self.categories,
            self.left_out,
            self.changed,
            self.tools[keep] if len(self.tools) else self.tools,
            self.conduct,
        )


def group_name(run: Trajectory, by: GroupBy) -> str:
    """The name of the group that a run belongs to: what will be new at deployment (rule 5).

    ``"task"`` is ``run.group``, or a digest of the task text where the log names no group.
    Raises :class:`ConfigError` for an unknown ``by`` or a run without the field that it names.
    """
    if callable(by):
        return str(by(run))
    if by == "task":
        return run.group or hashlib.sha256(run.task.encode()).hexdigest()[:12]
    if by not in ("family", "agent", "model"):
        raise ConfigError(
            f"group={by!r}: use 'task', 'family', 'agent', 'model' or a function of a run"
        )
    value = getattr(run, by)
    if not value:
        raise ConfigError(f"group={by!r}, but run {run.run_id!r} names no {by}")
    return str(value)


def trained_on(kind: str, turn: int) -> bool:
    """Whether a row is used in training: every turn up to 16, then turns 25% further apart.

    A function of the turn alone, so nothing that happens later decides about a row (rule 2), and a
    run of 500 turns does not outweigh a hundred short ones.
    """
    if kind == "finished" or turn <= _EVERY_TURN_UP_TO:
        return True
    mark = float(_EVERY_TURN_UP_TO)
    while round(mark) < turn:
        mark *= _SPACING
    return round(mark) == turn


def turn_weight(turn: IntArray) -> FloatArray:
    """Weight of a training row, 1 / sqrt(turn): blind to how long its run turns out to be."""
    result: FloatArray = 1.0 / np.sqrt(np.maximum(turn, 1))
    return result


def build_table(
    runs: Iterable[Trajectory],
    *,
    group: GroupBy = "task",
    success_at: float = 1.0,
    categoricals: Sequence[str] = (),
    thin: bool = True,
) -> Table:
    """Fold every labelled run into rows; runs that teach nothing are counted in ``left_out``.

    Left out: runs without an outcome, and runs that a gate or a person cut short (rule 12), so that
    nobody knows how they would have ended. Runs in which somebody edited or rejected what the agent
    proposed stay, with the outcome that they had. ``success_at`` in (0, 1]: the outcome value from
    which a run counts as a success. ``thin`` drops late turns as :func:`trained_on` says.
    """
    if not 0 < success_at <= 1:
        raise ConfigError(f"success_at={success_at}: must lie in (0, 1]")
    for name in categoricals:
        if name not in ("agent", "model", "family"):
            raise ConfigError(f"categoricals={name!r}: declare 'agent', 'model' or 'family'")
    builder = _Builder(group, success_at, tuple(categoricals), thin)
    for run in runs:
        builder.add(run)
    return builder.table()


class _Builder:
    def __init__(
        self, group: GroupBy, success_at: float, categoricals: tuple[str, ...], thin: bool
    ) -> None:
        self._by, self._success_at, self._thin = group, success_at, thin
        self._vectors: list[FloatArray] = []
        self._kinds: list[int] = []
        self._turns: list[int] = []
        self._run: list[int] = []
        self._y: list[float] = []
        self._run_groups: list[str] = []
        self._marks: list[bytes] = []
        self._categories: dict[str, list[str]] = {name: [] for name in categoricals}
        self._left_out: Counter[str] = Counter()
        self._changed = 0
        self._tools: list[ToolUse] = []
        self._conduct: list[Conduct] = []

    def add(self, run: Trajectory) -> None:
        why = censored(run)
        if why or run.outcome is None:
            self._left_out[why] += 1
            return
        self._changed += changed(run)
        index = len(self._marks)
        self._marks.append(mark_of(run))
        self._run_groups.append(group_name(run, self._by))
        self._y.append(float(run.outcome.value >= self._success_at))
        for name, values in self._categories.items():
            values.append(getattr(run, name) or "")
        points = list(decision_points(run))
        self._conduct.append(conduct_of(points))
        for point in points:
            if self._thin and not trained_on(point.kind, point.turn):
                continue
            self._vectors.append(point.vector)
            self._kinds.append(KIND_CODE[point.kind])
            self._turns.append(point.turn)
            self._run.append(index)
            self._tools.append(point.tools)

    def table(self) -> Table:
        names, codes = np.unique(np.array(self._run_groups, dtype=object), return_inverse=True)
        matrix = np.array(self._vectors) if self._vectors else np.empty((0, len(FEATURES)))
        return Table(
            matrix,
            _ints(self._kinds),
            _ints(self._turns),
            _ints(self._run),
            np.array(self._y, dtype=np.float64),
            _ints(codes),
            self._marks,
            [str(name) for name in names],
            self._categories,
            dict(self._left_out),
            self._changed,
            _objects(self._tools),
            self._conduct,
        )


def _objects(values: list[ToolUse]) -> NDArray[np.object_]:
    # np.array would take the tuples apart.
    return np.fromiter(values, dtype=object, count=len(values))


def _ints(values: Any) -> IntArray:
    return np.asarray(values, dtype=np.int64)
