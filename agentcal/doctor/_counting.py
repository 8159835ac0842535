"""Ways to count a signal in a run, and to take it out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from agentcal.doctor._signal import Count, Strip
from agentcal.features import Digest, judge, stated_in
from agentcal.trajectory import Step, ToolCall, ToolDeclaration, Trajectory

_HINTS = ("kind", "read_only", "destructive", "idempotent", "open_world")


def in_run(has: Callable[[Trajectory], bool]) -> Count:
    """One a run."""
    return lambda run: (int(has(run)), 1)


def in_turns(has: Callable[[Step], bool], among: Callable[[Step], bool] | None = None) -> Count:
    """One a turn, or one a turn of some."""

    def count(run: Trajectory) -> tuple[int, int]:
        steps = [step for step in run.steps if among is None or among(step)]
        return sum(map(has, steps)), len(steps)

    return count


def in_calls(has: Callable[[ToolCall], bool], among: Callable[[ToolCall], bool]) -> Count:
    """One a call of some."""

    def count(run: Trajectory) -> tuple[int, int]:
        calls = [call for call in calls_of(run) if among(call)]
        return sum(map(has, calls)), len(calls)

    return count


def calls_of(run: Trajectory) -> Iterator[ToolCall]:
    """The calls of a run."""
    return (call for step in run.steps for call in step.tool_calls)


def answered(call: ToolCall) -> bool:
    """Whether something came back."""
    return call.status != "missing"


def failed(call: ToolCall) -> bool:
    """Whether a call failed, said by its status or worded in its result."""
    return answered(call) and judge(Digest(call.result or ""), call.status).failed


def states(step: Step) -> bool:
    """Whether a turn states a confidence, in a field or in words."""
    return step.stated_confidence is not None or stated_in(Digest(step.text)) is not None


def results(run: Trajectory) -> tuple[int, int]:
    """Calls with a result, of those that had their time: not those that a run was left with."""
    last = len(run.steps) - 1
    due = [
        call
        for index, step in enumerate(run.steps)
        for call in step.tool_calls
        if index < last or answered(call)
    ]
    return sum(bool(call.result) for call in due), len(due)


def joining_ids(run: Trajectory) -> tuple[int, int]:
    """Calls with an id that no other call of the run has."""
    ids = Counter(call.id for call in calls_of(run))
    return sum(n == 1 and key != "" for key, n in ids.items()), ids.total()


def hinted(run: Trajectory) -> tuple[int, int]:
    """Declared tools that say what kind they are, or carry a hint."""
    return sum(map(_hinted, run.tools)), len(run.tools)


def _hinted(tool: ToolDeclaration) -> bool:
    return any(getattr(tool, name) is not None for name in _HINTS)


def unset(**values: Any) -> Strip:
    """Set fields of the run."""

    def strip(run: Trajectory) -> None:
        _set(run, values)

    return strip


def unset_in_turns(**values: Any) -> Strip:
    """Set fields of every turn."""

    def strip(run: Trajectory) -> None:
        for step in run.steps:
            _set(step, values)

    return strip


def unset_in_calls(**values: Any) -> Strip:
    """Set fields of every call."""

    def strip(run: Trajectory) -> None:
        for call in calls_of(run):
            _set(call, values)

    return strip


def without_alternatives(run: Trajectory) -> None:
    """Leave the chosen tokens only."""
    for step in run.steps:
        if step.logprobs is not None:
            step.logprobs.top = []


def without_errors(run: Trajectory) -> None:
    """Let every call be ok."""
    for call in calls_of(run):
        call.status = "ok" if call.status == "error" else call.status


def _set(thing: object, values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(thing, name, value)
