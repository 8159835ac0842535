"""What happened in one run so far, and which call a result belongs to."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from agentcal.trajectory import CallStatus, Intervention, Message, Step, ToolCall, Trajectory


class Place(NamedTuple):
    """A call: index of its step, and its position there, both from 0."""

    step: int
    position: int


class Record:
    """The growing record of one run. Not thread-safe: a :class:`Run` guards it.

    ``arrived[i]`` lists the calls whose result came while step ``i`` was the newest.
    """

    def __init__(self, head: Trajectory, keys: Sequence[str | None] = ()) -> None:
        self.head = head
        self.steps: list[Step] = head.steps
        self.keys: list[str | None] = [*keys] or [None] * len(head.steps)
        self.inbox: list[Message] = head.trailing_inputs
        self.interventions: list[Intervention] = head.interventions
        self.notes: Counter[str] = Counter()
        self._reindex()

    def add(self, step: Step, key: str | None) -> Step:
        """A model turn; the waiting messages become its inputs. Gives back the recorder's copy."""
        mine = step.model_copy()
        mine.inputs = [*self.inbox, *step.inputs]
        mine.tool_calls = [_fresh(call) for call in step.tool_calls]
        self.inbox = []
        self.steps.append(mine)
        self.keys.append(key)
        self._index(len(self.steps) - 1)
        return mine

    def call(self, place: Place) -> ToolCall:
        """The call at ``place``."""
        return self.steps[place.step].tool_calls[place.position]

    def begin(self, call_id: str, name: str | None) -> Place | None:
        """The call that starts to run; without an id, the oldest of that name that has not yet."""
        idle = [place for place in self._open if place not in self._begun]
        place = self.find(call_id, name, idle)
        if place is not None:
            self._begun.add(place)
        return place

    def find(
        self, call_id: str, name: str | None, among: Iterable[Place] | None = None
    ) -> Place | None:
        """The call that is meant: by id the newest, if possible without a result; else by name.

        By name, and without a name where there is no id either, it is the oldest without a result.
        """
        same = self._by_id.get(call_id, []) if call_id else []
        for place in reversed(same):
            if place in self._open:
                return place
        if same:
            return same[-1]
        if call_id and name is None:
            return None
        waiting = self._open if among is None else among
        return next((p for p in waiting if name is None or self.call(p).name == name), None)

    def result(self, place: Place, text: str, status: CallStatus, duration_s: float | None) -> bool:
        """Enter a result; says whether one that later turns have seen was thereby changed."""
        call, newest = self.call(place), len(self.steps) - 1
        before = self._when(place) if call.status != "missing" else newest
        if before < newest and (call.result, call.status) == (text, status):
            return False
        if call.status != "missing":
            self.arrived[before].remove(place)
        self._open.pop(place, None)
        self._begun.discard(place)
        call.result, call.status = text, status
        call.duration_s = _sound(duration_s)
        call.returned_after = newest if newest > place.step else None
        self.arrived[newest].append(place)
        return before < newest

    def replace(self, key: str) -> bool:
        """Take out the turns that running ``key`` again makes void; says whether there were any."""
        if key not in self.keys:
            return False
        first = len(self.keys) - 1 - self.keys[::-1].index(key)
        place = _place(key)
        gone = {first} | {
            i for i in range(first + 1, len(self.keys)) if _place(self.keys[i]) == place is not None
        }
        self._take_out(gone)
        return True

    def intervene(self, intervention: Intervention) -> None:
        """Somebody stepped in."""
        self.interventions.append(intervention)

    def snapshot(self) -> Trajectory:
        """A copy as it stands now."""
        steps = []
        for step in self.steps:
            copy = step.model_copy()
            copy.tool_calls = [call.model_copy() for call in step.tool_calls]
            steps.append(copy)
        return self._whole(steps)

    def whole(self) -> Trajectory:
        """The run itself: nothing may be recorded any more."""
        return self._whole(self.steps)

    def _whole(self, steps: list[Step]) -> Trajectory:
        notes = [note if n == 1 else f"{note} ({n} times)" for note, n in self.notes.items()]
        return self.head.model_copy(
            update={
                "steps": steps,
                "trailing_inputs": [*self.inbox],
                "interventions": [*self.interventions],
                "gaps": [*self.head.gaps, *notes],
                "metadata": {**self.head.metadata},
            }
        )

    def _take_out(self, gone: set[int]) -> None:
        kept = [i for i in range(len(self.steps)) if i not in gone]
        moved = {old: new for new, old in enumerate(kept)}
        # inputs of a turn that is run again reach it again
        self.inbox = [m for i in sorted(gone) for m in self.steps[i].inputs] + self.inbox
        self.steps = [self.steps[i] for i in kept]
        self.keys = [self.keys[i] for i in kept]
        for new, step in enumerate(self.steps):
            for call in step.tool_calls:
                if call.returned_after is not None:
                    after = sum(old <= call.returned_after for old in kept) - 1
                    call.returned_after = after if after > new else None
        for i, entry in enumerate(self.interventions):
            now = moved.get(entry.step, len(kept))
            self.interventions[i] = entry.model_copy(update={"step": now})
        self._reindex()

    def _reindex(self) -> None:
        self.arrived: list[list[Place]] = []
        self._by_id: dict[str, list[Place]] = {}
        self._open: dict[Place, None] = {}
        self._begun: set[Place] = set()
        for i in range(len(self.steps)):
            self._index(i, last=False)
        for i, step in enumerate(self.steps):
            for position, call in enumerate(step.tool_calls):
                if call.status != "missing":
                    place = Place(i, position)
                    self.arrived[self._when(place)].append(place)

    def _index(self, i: int, *, last: bool = True) -> None:
        self.arrived.append([])
        for position, call in enumerate(self.steps[i].tool_calls):
            place = Place(i, position)
            if call.id:
                self._by_id.setdefault(call.id, []).append(place)
            if call.status == "missing":
                self._open[place] = None
            elif last:
                self.arrived[i].append(place)

    def _when(self, place: Place) -> int:
        after = self.call(place).returned_after
        return place.step if after is None else max(place.step, min(after, len(self.steps) - 1))


def _place(key: str | None) -> str | None:
    """A key ``place#ordinal`` names a turn of a place; running that again runs all of it again."""
    if key is None:
        return None
    place, _, ordinal = key.rpartition("#")
    return place if ordinal.isdecimal() else None


def _fresh(call: ToolCall) -> ToolCall:
    mine = call.model_copy()
    mine.returned_after = None
    return mine


def _sound(duration_s: float | None) -> float | None:
    fine = duration_s is not None and math.isfinite(duration_s) and duration_s >= 0
    return duration_s if fine else None
