"""What happened in one run so far."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

from agentcal.recorder._calls import Calls, Place
from agentcal.recorder._tools import joined
from agentcal.trajectory import (
    CallStatus,
    Intervention,
    Message,
    Step,
    ToolCall,
    Trajectory,
    tool_fact,
)

_STATUSES = get_args(CallStatus)
_DEEPER = "#/:!"
_FOLDED = ("task", "system", "tools", "limits")


class Record:
    """The growing record of one run, for those who put runs together out of what they find later.

    Not thread-safe: for a run that is going on there is :class:`Run`, which guards one of these.
    ``keys`` has the place in the program that made it for each step, where known. ``inbox`` holds
    the messages since the last turn. ``arrived[i]``: the calls whose result came while step ``i``
    was the newest.
    """

    def __init__(self, head: Trajectory, keys: Sequence[str | None] = ()) -> None:
        self.head = head
        self.steps: list[Step] = head.steps
        self.keys: list[str | None] = (
            [*keys] if len(keys) == len(head.steps) else [None] * len(head.steps)
        )
        self.inbox: list[Message] = head.trailing_inputs
        self.interventions: list[Intervention] = head.interventions
        self.notes: Counter[str] = Counter()
        self._inputs: dict[str, list[Message]] = {}
        self._index()

    def describe(self, facts: Mapping[str, Any], *, always: bool = False) -> bool:
        """Fill what is empty in the head; tools join those that are known, by name.

        What comes after the first turn was not known before, unless it was there ``always``. Says
        whether the fold would have liked to know. Raises ``ValidationError`` for what does not
        belong there.
        """
        wanted = {n: v for n, v in facts.items() if n == "tools" or not getattr(self.head, n)}
        sound = Trajectory.model_validate({"run_id": self.head.run_id, **wanted})
        news = {name: getattr(sound, name) for name in wanted}
        if "tools" in news:
            news["tools"] = joined(self.head.tools, sound.tools)
        changed = {name for name, value in news.items() if value != getattr(self.head, name)}
        told = changed.intersection(_FOLDED)
        if self.steps and told and not always:
            known = {tool.name for tool in self.head.tools}
            new = (tool for tool in news.get("tools", ()) if tool.name not in known)
            late = [*(told - {"tools"}), *map(tool_fact, new)]
            news["known_after"] = self.head.known_after | dict.fromkeys(late, len(self.steps) - 1)
        self.head = self.head.model_copy(update=news)
        return bool(told)

    def add(self, step: Step, key: str | None) -> Step:
        """A model turn; the waiting messages become its inputs. Gives back the recorder's copy.

        A turn that is run again has the inputs of the old one, unless it brings its own.
        """
        mine = _copy(step)
        for call in mine.tool_calls:
            call.returned_after = None
        told = [*self.inbox, *step.inputs]
        before = self._inputs.pop(key, []) if key else []
        again = [] if step.inputs else before
        mine.inputs = [*(message for message in again if message not in told), *told]
        self.inbox = []
        self.steps.append(mine)
        self.keys.append(key)
        self.arrived.append([])
        self._register(len(self.steps) - 1)
        return mine

    def call(self, place: Place) -> ToolCall:
        """The call at ``place``."""
        return self.steps[place.step].tool_calls[place.position]

    def find(self, call_id: str, name: str | None) -> Place | None:
        """The call whose result this must be."""
        return self._calls.find(call_id, name)

    def begin(self, call_id: str, name: str | None) -> Place | None:
        """The call that starts to run."""
        return self._calls.begin(call_id, name)

    def enter(self, place: Place, text: str, status: CallStatus, duration_s: float | None) -> bool:
        """Enter a result; says whether one that later turns have seen has thereby changed.

        The same result once more, when later turns have seen it, is no news. Raises ``ValueError``
        for an unknown status.
        """
        if status not in _STATUSES:
            raise ValueError(f"status must be one of {_STATUSES}")
        call, newest = self.call(place), len(self.steps) - 1
        seen = call.status != "missing" and self._when(place) < newest
        if status == "missing" or (seen and (call.result, call.status) == (text, status)):
            return False
        if call.status != "missing":
            self.arrived[self._when(place)].remove(place)
        self._calls.close(place)
        call.result, call.status = str(text), status
        call.duration_s = sound_s(duration_s)
        call.returned_after = newest if newest > place.step else None
        self.arrived[newest].append(place)
        return seen

    def step_in(self, entry: Intervention) -> None:
        """Somebody stepped in."""
        if self.steps:
            self.interventions.append(entry)
        else:
            self.notes["an intervention before the first turn"] += 1

    def withdraw(self, key: str) -> bool:
        """Take out the turns that running ``key`` again makes void; says whether there were any.

        Messages that had reached such a turn reach it again when its key comes back.
        """
        return bool(self._withdraw(set(self._void(key)) if key in self.keys else set()))

    def again(self, place: str) -> list[Step]:
        """Take out the turns whose keys lie under ``place``, and give them back."""
        return self._withdraw({i for i, key in enumerate(self.keys) if _lies_under(place, key)})

    def copy(self) -> Trajectory:
        """A copy as it stands now."""
        return self._with([_copy(step) for step in self.steps])

    def whole(self) -> Trajectory:
        """The run itself: nothing may be recorded any more."""
        return self._with(self.steps)

    def _with(self, steps: list[Step]) -> Trajectory:
        notes = [note if n == 1 else f"{note} ({n} times)" for note, n in self.notes.items()]
        return self.head.model_copy(
            update={
                "steps": steps,
                "trailing_inputs": [*self.inbox],
                "interventions": self._interventions(len(steps)),
                "gaps": [*self.head.gaps, *notes],
                "metadata": {**self.head.metadata},
            }
        )

    def _interventions(self, steps: int) -> list[Intervention]:
        """Those about a turn that is to be run again stand with the newest one until it comes."""
        return [
            entry if entry.step < steps else entry.model_copy(update={"step": steps - 1})
            for entry in self.interventions
            if steps
        ]

    def _void(self, key: str) -> Iterator[int]:
        first, place = self.keys.index(key), _place(key)
        for i in range(first, len(self.keys)):
            if i == first or (place is not None and _place(self.keys[i]) == place):
                yield i

    def _withdraw(self, gone: set[int]) -> list[Step]:
        if not gone:
            return []
        steps = [self.steps[i] for i in sorted(gone)]
        for i in gone:
            self._inputs[self.keys[i] or ""] = self.steps[i].inputs
        self._take_out(gone)
        return steps

    def _take_out(self, gone: set[int]) -> None:
        kept = [i for i in range(len(self.steps)) if i not in gone]
        now_at = {old: new for new, old in enumerate(kept)}
        self.steps = [self.steps[i] for i in kept]
        self.keys = [self.keys[i] for i in kept]
        for new, step in enumerate(self.steps):
            for call in step.tool_calls:
                if call.returned_after is not None:
                    after = sum(old <= call.returned_after for old in kept) - 1
                    call.returned_after = after if after > new else None
        # what was done about a turn that is run again was done about the turn to come
        self.interventions = [
            entry.model_copy(update={"step": now_at.get(entry.step, len(kept))})
            for entry in self.interventions
        ]
        self._index()

    def _index(self) -> None:
        self._calls = Calls()
        self.arrived: list[list[Place]] = [[] for _ in self.steps]
        for i in range(len(self.steps)):
            self._register(i)

    def _register(self, i: int) -> None:
        for position, call in enumerate(self.steps[i].tool_calls):
            place = Place(i, position)
            self._calls.propose(place, call)
            if call.status != "missing":
                self.arrived[self._when(place)].append(place)

    def _when(self, place: Place) -> int:
        """The newest step when the result of this call came."""
        after = self.call(place).returned_after
        return place.step if after is None else max(place.step, min(after, len(self.steps) - 1))


def _copy(step: Step) -> Step:
    mine = step.model_copy()
    mine.tool_calls = [call.model_copy() for call in step.tool_calls]
    return mine


def _place(key: str | None) -> str | None:
    place, _, ordinal = (key or "").rpartition("#")
    return place if ordinal.isdecimal() else None


def _lies_under(place: str, key: str | None) -> bool:
    if key is None or not key.startswith(place):
        return False
    return key == place or key[len(place)] in _DEEPER


def sound_s(duration_s: float | None) -> float | None:
    """The duration, in seconds; None for one that no clock can have measured."""
    sound = duration_s is not None and math.isfinite(duration_s) and duration_s >= 0
    return duration_s if sound else None
