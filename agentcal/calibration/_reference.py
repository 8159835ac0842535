"""What successful runs did with their tools, and how a run compares (ET-Agent's "insufficient").

ET-Agent (arXiv 2601.06860) counts insufficient tool calls among the faults of an agent: how many
are enough is known from runs that succeeded, so it is fitted, in every fold again (rule 1).
"""

from __future__ import annotations

import struct
from collections import defaultdict
from functools import cached_property
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from agentcal.calibration._conduct import MOST_CALLS, NO_CALL, Tally, destinations
from agentcal.features import Feature, ToolUse

FloatArray = NDArray[np.float64]

_UNKNOWN = "fewer than 5 groups with successes, or none of the run's tools seen in them"
_LIKE = "successful training runs, each weighted by how many of the tools called so far it called"

REFERENCE: tuple[Feature, ...] = (
    Feature(
        "insufficient_tools",
        f"further tools expected by the end, from {_LIKE}",
        missing=_UNKNOWN,
    ),
    Feature(
        "missing_tool",
        f"largest share that called one certain tool that is not called yet, among {_LIKE}",
        high=1.0,
        missing=_UNKNOWN,
    ),
    Feature(
        "insufficient_calls",
        f"share that made more calls by the end than so far, among {_LIKE}",
        high=1.0,
        missing=_UNKNOWN,
    ),
    Feature(
        "usual_move",
        "share that went to the tools of the newest turn (or to no call), among the moves of "
        "successful training runs from the last tool of the turn before (or from no call)",
        high=1.0,
        missing="fewer than 5 groups with successes, or tools not seen in them",
    ),
)
FAMILY = "reference"

_SMOOTHING = 2.0
_FEWEST_GROUPS = 5
_MOST_STATES = 4096
_TINY = 1e-9
_PACK = struct.Struct(f"{len(REFERENCE)}d").pack
_NAN = float("nan")


class _State(NamedTuple):
    """What is known of runs with the same tools called, among the same declared."""

    further: float
    most: float
    tool: str
    more_calls: list[float]


_NOWHERE = _State(_NAN, _NAN, "", [_NAN] * (MOST_CALLS + 1))


class Reference(BaseModel):
    """Shares over groups of successful runs; see :class:`Tally` for what is counted.

    Keys are names of tools; "" stands for any run in ``called``, ``together`` and ``calls``, and
    for a turn without calls in ``moves``. A share of some runs is smoothed as if two more groups
    had behaved as all runs do, and a share of all runs as if two more groups had called nothing.
    Fewer than five groups are no reference.
    """

    model_config = ConfigDict(extra="forbid")

    groups: int
    available: dict[str, float]
    called: dict[str, float]
    together: dict[str, dict[str, float]]
    calls: dict[str, list[float]]
    moves: dict[str, dict[str, float]]

    @classmethod
    def of(cls, tally: Tally, tools: list[str]) -> Self:
        """From the sums for :data:`NO_CALL` and then ``tools``."""
        names = [NO_CALL, *tools]
        calls = zip(names, tally.calls, strict=True)
        return cls(
            groups=round(float(tally.called[0])),
            available=_named(names, tally.available),
            called=_named(names, tally.called),
            together=_table(names, tally.together),
            calls={name: np.round(row, 6).tolist() for name, row in calls if row.sum() > _TINY},
            moves=_table(names, tally.moves),
        )

    def values(self, tools: ToolUse) -> tuple[float, ...]:
        """One value for each of :data:`REFERENCE`, NaN where missing."""
        state = self._states.get(tools[:2]) or self._at(tools)
        more = state.more_calls[min(tools.calls, MOST_CALLS)]
        return state.further, state.most, more, self._usual(tools)

    def packed(self, tools: ToolUse) -> bytes:
        """The values as float64s, remembered: runs go through the same few states."""
        known = self._packed.get(tools)
        if known is None:
            if len(self._packed) >= _MOST_STATES:
                self._packed.clear()
            known = self._packed[tools] = _PACK(*self.values(tools))
        return known

    def missing_tool(self, tools: ToolUse) -> str:
        """The tool that ``missing_tool`` is about, "" where there is none."""
        return self._at(tools).tool

    @cached_property
    def _states(self) -> dict[tuple[frozenset[str], frozenset[str]], _State]:
        return {}

    @cached_property
    def _packed(self) -> dict[ToolUse, bytes]:
        return {}

    def _at(self, tools: ToolUse) -> _State:
        if len(self._states) >= _MOST_STATES:
            self._states.clear()
        state = self._states[tools[:2]] = self._fresh(*tools[:2])
        return state

    def _fresh(self, declared: frozenset[str], called: frozenset[str]) -> _State:
        known = sorted(name for name in called or declared or {NO_CALL} if name in self.called)
        if not known or self.groups < _FEWEST_GROUPS:
            return _NOWHERE
        weight = sum(self.called[name] for name in known) if called else 0.0
        further = {
            name: self._share(name, known, weight)
            for name in self.called
            if name and name not in called and (not declared or name in declared)
        }
        tool = max(further, key=lambda name: further[name], default="")
        most = further.get(tool, 0.0)
        return _State(sum(further.values()), most, tool, self._more_calls(known))

    def _share(self, tool: str, known: list[str], weight: float) -> float:
        """Share of the runs like those with ``known`` tools that called ``tool``, smoothed."""
        of_all = self.together[NO_CALL].get(tool, 0.0) / (self.available[tool] + _SMOOTHING)
        if not weight:
            return of_all
        mine = sum(self.together[name].get(tool, 0.0) for name in known)
        return (mine + _SMOOTHING * of_all) / (weight + _SMOOTHING)

    def _more_calls(self, known: list[str]) -> list[float]:
        like = np.sum([self.calls[name] for name in known], axis=0)
        everywhere = np.array(self.calls[NO_CALL]) / sum(self.calls[NO_CALL])
        smoothed = (like + _SMOOTHING * everywhere) / (like.sum() + _SMOOTHING)
        more: list[float] = (1.0 - np.cumsum(smoothed)).clip(0.0, 1.0).tolist()
        return more

    def _usual(self, tools: ToolUse) -> float:
        row, ends = self.moves.get(tools.last), destinations(tools)
        if row is None or tools.proposed is None or self.groups < _FEWEST_GROUPS:
            return _NAN
        if not all(end in self._ends for end in ends):
            return _NAN
        mine = sum(row.get(end, 0.0) for end in ends)
        of_all = sum(self._ends[end] for end in ends)
        return (mine + _SMOOTHING * of_all) / (self._starts[tools.last] + _SMOOTHING)

    @cached_property
    def _starts(self) -> dict[str, float]:
        """Groups that moved on from each tool."""
        return {name: sum(row.values()) for name, row in self.moves.items()}

    @cached_property
    def _ends(self) -> dict[str, float]:
        """Share of all moves that went to each tool, every start counting its groups."""
        total = sum(self._starts.values())
        out: dict[str, float] = defaultdict(float)
        for row in self.moves.values():
            for end, groups in row.items():
                out[end] += groups / total
        return dict(out)


def _named(names: list[str], values: FloatArray) -> dict[str, float]:
    """What is not 0, by name."""
    pairs = zip(names, np.round(values, 6).tolist(), strict=True)
    return {name: value for name, value in pairs if value > _TINY}


def _table(names: list[str], values: FloatArray) -> dict[str, dict[str, float]]:
    """What is not 0, by row and column."""
    rows = zip(names, values, strict=True)
    return {name: named for name, row in rows if (named := _named(names, row))}
