"""What whole runs did with their tools, added up over groups: the raw material of a reference."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from agentcal.features import DecisionPoint, ToolUse

FloatArray = NDArray[np.float64]

MOST_CALLS = 64
_MOST_TOOLS = 256

NO_CALL = ""
"""Stands for a turn without calls among moves, and among tools for any run whatever it called."""


class Conduct(NamedTuple):
    """One run, when it was over: its tools, and from which tool it moved on to which."""

    tools: ToolUse
    moves: Mapping[tuple[str, str], float]


def conduct_of(points: Sequence[DecisionPoint]) -> Conduct:
    """From all decision points of a run, the ``finished`` one last."""
    moves: dict[tuple[str, str], float] = defaultdict(float)
    for point in points[:-1]:
        names = destinations(point.tools)
        for name in names:
            moves[point.tools.last, name] += 1 / len(names)
    return Conduct(points[-1].tools, moves)


def destinations(tools: ToolUse) -> tuple[str, ...]:
    """What the newest turn moves on to: the tools that it calls, each once."""
    return tuple(dict.fromkeys(tools.proposed or (NO_CALL,)))


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """Sums over groups, so that a tally without some groups is a difference.

    Every group counts once for each tool that a run of it called: ``called`` (t,) groups,
    ``together`` (t, t) their summed shares of runs with the row's tool that called the column's
    too, ``calls`` (t, 65) those with so many calls by the end (64 or more in the last). Row 0 is
    :data:`NO_CALL`: all runs. ``available`` (t,) groups that could call a tool; ``moves`` (t, t)
    shares of the moves from the row's tool, over the groups that made any.
    """

    available: FloatArray
    called: FloatArray
    together: FloatArray
    calls: FloatArray
    moves: FloatArray

    @classmethod
    def zero(cls, tools: int) -> Tally:
        """Of no group."""
        square = (tools, tools)
        return cls(
            np.zeros(tools),
            np.zeros(tools),
            np.zeros(square),
            np.zeros((tools, MOST_CALLS + 1)),
            np.zeros(square),
        )

    def __add__(self, other: Tally) -> Tally:
        return self._with(other, np.add)

    def __sub__(self, other: Tally) -> Tally:
        return self._with(other, np.subtract)

    def _with(self, other: Tally, made_by: np.ufunc) -> Tally:
        return Tally(
            *(made_by(getattr(self, f.name), getattr(other, f.name)) for f in fields(self))
        )

    def add(self, group: Sequence[Conduct], place: Mapping[str, int]) -> None:
        """Add the successful runs of one group; ``place`` numbers the tools, from 1."""
        used = np.zeros((len(group), len(self.called)))
        used[:, 0] = 1.0
        for i, run in enumerate(group):
            used[i, [place[name] for name in run.tools.called if name in place]] = 1.0
        mine = np.flatnonzero(used.any(axis=0))
        used = used[:, mine]
        share = used / used.sum(axis=0)
        calls = [min(run.tools.calls, MOST_CALLS) for run in group]
        self.called[mine] += 1.0
        self.together[np.ix_(mine, mine)] += share.T @ used
        np.add.at(self.calls, (mine[:, None], np.array(calls)[None, :]), share.T)
        self._make_available(group, place)
        self._move(group, place)

    def _make_available(self, group: Sequence[Conduct], place: Mapping[str, int]) -> None:
        declared = frozenset().union(*(run.tools.declared | run.tools.called for run in group))
        if all(run.tools.declared for run in group):
            self.available[[place[name] for name in declared if name in place]] += 1.0
        else:
            self.available[:] += 1.0

    def _move(self, group: Sequence[Conduct], place: Mapping[str, int]) -> None:
        made: dict[int, dict[int, float]] = defaultdict(lambda: defaultdict(float))
        for run in group:
            for (start, end), times in run.moves.items():
                if start in place and end in place:
                    made[place[start]][place[end]] += times
        for at, reached in made.items():
            total = sum(reached.values())
            for to, times in reached.items():
                self.moves[at, to] += times / total


def tools_of(runs: Iterable[tuple[int, Conduct]]) -> list[str]:
    """The tools of (group, run) pairs by name; of more than 256, those that most groups called."""
    groups: dict[str, set[int]] = defaultdict(set)
    for group, run in runs:
        for name in run.tools.called - {NO_CALL}:
            groups[name].add(group)
    common = sorted(groups, key=lambda name: (-len(groups[name]), name))[:_MOST_TOOLS]
    return sorted(common)
