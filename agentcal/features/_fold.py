"""The one fold: events of a run in, a feature row at each decision point out.

Training rows, offline scores and live scores all come from here (rule 1 of the design).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from agentcal.features._events import Inbound, Memory, Result, Turn
from agentcal.features._registry import FAMILIES, FEATURES
from agentcal.features._text import Digest, digest
from agentcal.features._use import ToolUse
from agentcal.trajectory import (
    CallStatus,
    EndReason,
    Limits,
    Role,
    Step,
    ToolCall,
    ToolDeclaration,
    Trajectory,
)

Kind = Literal["tool_turn", "answer_turn", "finished"]

_END_CODES = {
    "answered": 0.0,
    "max_steps": 1.0,
    "error": 1.0,
    "interrupted": 1.0,
    "cancelled": 1.0,
    "abstained": 1.0,
}

_NAN = float("nan")
_PACK = struct.Struct(f"{len(FEATURES)}d").pack
_SYSTEM_PROMPTS = 64
_RECENT = 256
_NO_TOOLS = ToolUse()
_Late = dict[int, list[tuple[int, int, ToolCall]]]


@lru_cache(maxsize=_SYSTEM_PROMPTS)
def _digest_of(system: str) -> Digest:
    """A system prompt is the same for run after run, and often longer than all that follows."""
    return Digest(system)


class DecisionPoint(NamedTuple):
    """A place where somebody has to decide, and what was known there.

    ``turn`` counts model turns from 1 (0: a finished run without any). ``vector``, read-only, has
    one float64 for each of ``FEATURES``, NaN where missing. ``tools``: their use so far, for what a
    calibrator knows of the tools of successful runs.
    """

    kind: Kind
    turn: int
    vector: NDArray[np.float64]
    tools: ToolUse = _NO_TOOLS


class Fold:
    """Turns the events of one run into feature rows, live or from a log.

    Call :meth:`message`, :meth:`turn`, :meth:`result` as things happen and :meth:`point` when a
    decision is due. Every call costs O(size of the event), whatever the length of the run.
    """

    def __init__(
        self,
        task: str = "",
        system: str = "",
        tools: Iterable[ToolDeclaration] = (),
        limits: Limits | None = None,
    ) -> None:
        declared = {tool.name: tool for tool in tools}
        self._memory = Memory(digest(task), _digest_of(system), declared, limits)
        self._families = [family(self._memory) for family in FAMILIES]
        self._tools = ToolUse(frozenset(declared))
        self._last: Turn | None = None
        self._recent: dict[int, Turn] = {}
        self._turns = 0

    @property
    def turns(self) -> int:
        """Model turns seen so far."""
        return self._turns

    def message(self, text: str, role: Role = "user") -> None:
        """A message reached the agent after the task: a user's reply, a reminder, another agent."""
        event = Inbound(role, digest(text), self._memory)
        for family in self._families:
            family.message(event)
        self._memory.observe(event.text.tokens)

    def turn(self, step: Step) -> None:
        """The model replied. Results that ``step`` may already hold are not looked at."""
        self._turns += 1
        self._last = self._recent[self._turns] = Turn(step, self._turns, self._memory)
        self._recent.pop(self._turns - _RECENT, None)
        self._tools = self._tools.then([call.name for call in self._last.calls])
        for family in self._families:
            family.turn(self._last)

    def result(
        self,
        position: int,
        text: str,
        status: CallStatus = "ok",
        duration_s: float | None = None,
        *,
        turn: int | None = None,
    ) -> None:
        """What call number ``position`` (from 0) of a turn returned.

        ``turn`` counts from 1; without it, the last one is meant. Agents that work side by side
        have results that come after another agent's turn; a turn is remembered for 256 more.
        Raises ``IndexError`` when there is no such turn or it proposed no such call.
        """
        asked = self._recent.get(self._turns if turn is None else turn)
        if asked is None:
            raise IndexError(f"a result for turn {turn or self._turns}, which is not remembered")
        call = asked.calls[position]
        read = digest(text)
        event = Result(call, read, self._memory.new(read), status, duration_s, self._memory)
        for family in self._families:
            family.result(event)
        self._memory.observe(event.new)

    def point(self) -> DecisionPoint:
        """The decision point of the last turn: its calls have not run, its reply is not out."""
        kind: Kind = "tool_turn" if self._last is not None and self._last.calls else "answer_turn"
        return DecisionPoint(kind, self._turns, self._vector(_NAN), self._tools)

    def finished(self, end_reason: EndReason = "unknown") -> DecisionPoint:
        """The row of a run that is over. Made offline, for evaluation; it never gates."""
        vector = self._vector(_END_CODES.get(end_reason, _NAN))
        return DecisionPoint("finished", self._turns, vector, self._tools)

    def _vector(self, end: float) -> NDArray[np.float64]:
        values: list[float] = []
        for family in self._families:
            values += family.values()
        values.append(end)
        # Packing takes half the time of np.array: it does not look for a common type.
        return np.frombuffer(_PACK(*values))


def decision_points(run: Trajectory) -> Iterator[DecisionPoint]:
    """Fold a recorded run: one row for each model turn, then the ``finished`` row.

    Where more becomes known in mid-run (``Trajectory.known_after``), it is folded from its start
    again with that, as it is live.
    """
    more, late = run.briefed_at, _late_results(run)
    fold = Fold(*run.briefing(0))
    for index, step in enumerate(run.steps):
        if index in more:
            fold = _again(run, index, late)
        _propose(fold, step)
        yield fold.point()
        _return(fold, step, index, late)
    if len(run.steps) in more:
        fold = _again(run, len(run.steps), late)
    for message in run.trailing_inputs:
        fold.message(message.text, message.role)
    yield fold.finished(run.end_reason)


def _again(run: Trajectory, steps: int, late: _Late) -> Fold:
    """The first steps with their results, folded with what is known after them."""
    fold = Fold(*run.briefing(steps))
    for index, step in enumerate(run.steps[:steps]):
        _propose(fold, step)
        _return(fold, step, index, late)
    return fold


def _propose(fold: Fold, step: Step) -> None:
    for message in step.inputs:
        fold.message(message.text, message.role)
    fold.turn(step)


def _return(fold: Fold, step: Step, index: int, late: _Late) -> None:
    """What came back before the next step: for its own calls first, then for earlier ones."""
    for position, call in enumerate(step.tool_calls):
        if call.status != "missing" and (call.returned_after or 0) <= index:
            fold.result(position, call.result or "", call.status, call.duration_s)
    for turn, position, call in late.get(index, ()):
        if index + 1 - turn < _RECENT:
            fold.result(position, call.result or "", call.status, call.duration_s, turn=turn)


def _late_results(run: Trajectory) -> _Late:
    """Results that came after later steps: by the index of the newest step then."""
    late: _Late = {}
    for index, step in enumerate(run.steps):
        for position, call in enumerate(step.tool_calls):
            if call.status != "missing" and (call.returned_after or 0) > index:
                after = min(call.returned_after or 0, len(run.steps) - 1)
                late.setdefault(after, []).append((index + 1, position, call))
    return late
