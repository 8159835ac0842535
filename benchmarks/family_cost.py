"""What each feature family costs live: its own work on events that are digested already."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np

import agentcal as ac
from agentcal.calibration._described import describe
from agentcal.calibration._reference import FAMILY, Reference
from agentcal.calibration._table import build_table
from agentcal.features import FAMILIES, Digest, ToolUse

MOST_RUNS = 100
REPEATS = 7
_TEXTS = ("text", "said", "reasoning")


class _Recorder:
    """Sits among the families of a fold and keeps what they are told, in order."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []

    def message(self, event: Any) -> None:
        self.calls.append(("message", event))

    def turn(self, event: Any) -> None:
        self.calls.append(("turn", event))

    def result(self, event: Any) -> None:
        self.calls.append(("result", event))

    def values(self) -> Iterable[float]:
        self.calls.append(("values", None))
        return ()


class _Idle:
    """A family without features: what the timing itself costs."""

    def __init__(self, memory: Any) -> None: ...

    def message(self, event: Any) -> None: ...

    turn = result = message

    def values(self) -> Iterable[float]:
        return ()


class _Compared:
    """The reference as if it were a family: a new one knows no state yet."""

    def __init__(self, reference: Reference, memory: Any) -> None:
        self._reference, self._tools = reference, ToolUse(frozenset(memory.tools))

    def message(self, event: Any) -> None: ...

    result = message

    def turn(self, event: Any) -> None:
        self._tools = self._tools.then([call.name for call in event.calls])

    def values(self) -> Iterable[float]:
        self._reference.packed(self._tools)
        return ()


def microseconds(runs: Sequence[ac.Trajectory]) -> dict[str, float]:
    """CPU time in us an event (a turn with its decision point, or a result) by family.

    Each family alone is told again what a fold of evenly spaced ``runs`` told it; best of some
    repeats. What families share (the tokens, words and entities of a text) counts for none of them.
    """
    chosen = runs[:: max(1, len(runs) // MOST_RUNS)]
    told = [_record(run) for run in chosen]
    events = sum(name in ("turn", "result") for _, calls in told for name, _ in calls)
    if not events:
        return {}
    texts = list({id(text): text for run in told for text in _texts(*run)}.values())
    known = _reference(chosen).model_dump()
    names = [*(family.name for family in FAMILIES), FAMILY]
    best = [math.inf] * (1 + len(names))
    for _ in range(REPEATS):
        compared = partial(_Compared, Reference.model_validate(known))
        families: list[Any] = [_Idle, *FAMILIES, compared]
        for place, family in enumerate(families):
            best[place] = min(best[place], _seconds(family, told, texts))
    idle, *spent = best
    return {
        name: round((seconds - idle) / events * 1e6, 2)
        for name, seconds in zip(names, spent, strict=True)
    }


def _reference(runs: Sequence[ac.Trajectory]) -> Reference:
    table = build_table(runs)
    everything = np.ones(len(table.y), dtype=bool)
    return describe(table, everything, np.zeros(len(table.y), dtype=np.int64)).reference


def _record(run: ac.Trajectory) -> tuple[Any, list[tuple[str, Any]]]:
    fold, recorder = ac.Fold(run.task, run.system, run.tools, run.limits), _Recorder()
    families: list[Any] = fold._families
    families.append(recorder)
    for step in run.steps:
        for message in step.inputs:
            fold.message(message.text, message.role)
        fold.turn(step)
        fold.point()
        for position, call in enumerate(step.tool_calls):
            if call.status != "missing":
                fold.result(position, call.result or "", call.status, call.duration_s)
    return fold._memory, recorder.calls


def _texts(memory: Any, calls: list[tuple[str, Any]]) -> Iterable[Digest]:
    yield memory.task
    for _, event in calls:
        for name in _TEXTS:
            text = getattr(event, name, None)
            if text is not None:
                yield text


def _seconds(
    family: Any, told: Sequence[tuple[Any, list[tuple[str, Any]]]], texts: Sequence[Digest]
) -> float:
    for text in texts:
        text.memo.clear()
    started = time.thread_time()
    for memory, calls in told:
        state = family(memory)
        for name, event in calls:
            if name == "values":
                state.values()
            else:
                getattr(state, name)(event)
    return time.thread_time() - started
