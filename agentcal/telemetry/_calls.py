"""The calls that a run has proposed so far, and which of them a result belongs to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from agentcal._fields import as_text
from agentcal.trajectory import CallStatus, ToolCall


@dataclass(slots=True, eq=False)
class Proposal:
    """A call. ``text`` is its result as far as it is known; ``ran``: a span of the tool was seen.

    ``vague``: the span did not say what the model was told, only that there was an error, say.
    """

    id: str
    name: str
    arguments: dict[str, Any] | None
    text: str | None = None
    failed: bool = False
    ran: bool = False
    vague: bool = False
    took_s: float | None = None

    @property
    def status(self) -> CallStatus:
        """How the call turned out, once it has."""
        return "error" if self.failed else "ok"


class Calls:
    """Finds calls by id, and where there is none by name, arguments and order."""

    def __init__(self) -> None:
        self._all: list[Proposal] = []
        self._by_id: dict[str, list[Proposal]] = {}

    def add(self, calls: Iterable[ToolCall]) -> None:
        """A turn proposes these; some may have their results already."""
        for call in calls:
            known = None if call.status == "missing" else call.result or ""
            one = Proposal(call.id, call.name, call.arguments, known, call.status == "error")
            self._all.append(one)
            if call.id:
                self._by_id.setdefault(call.id, []).append(one)

    def knows(self, call_id: str) -> bool:
        """Whether a call with this id was proposed."""
        return call_id in self._by_id

    def that_ran(self, call_id: str, name: str, given: Any) -> Proposal | None:
        """The call that a tool span is of.

        By id, the newest that has not run; running it again is of the newest. Without an id, the
        oldest of the name that has not run, one with the arguments that were ``given`` before
        others: all of them, or the text of the only one.
        """
        same = self._by_id.get(call_id, [])
        if same:
            return next((one for one in reversed(same) if not one.ran), same[-1])
        waiting = [one for one in self._all if one.name == name and not one.ran]
        equal = [one for one in waiting if given is not None and _is_given(one.arguments, given)]
        return next(iter([*equal, *waiting]), None)

    def answered(self, call_id: str, name: str, text: str) -> Proposal | None:
        """The call that a tool message answers, unless the answer is known.

        Later inputs may show a result shortened or blanked out: what is known stays.
        """
        if call_id:
            same = self._by_id.get(call_id, [])
            if any(one.text == text and not one.vague for one in same):
                return None
            return next((one for one in reversed(same) if one.text is None or one.vague), None)
        named = [one for one in self._all if not name or one.name == name]
        if any(one.text == text for one in named):
            return None
        return next((one for one in named if one.text is None), None)

    def with_answer(self, call_id: str, text: str) -> Proposal | None:
        """The newest call of this id that is known to have this very answer."""
        same = reversed(self._by_id.get(call_id, []))
        return next((one for one in same if one.text == text), None)

    @property
    def settled(self) -> bool:
        """Whether every call has its answer, in the words that the model was told."""
        return not any(one.text is None or one.vague for one in self._all)

    def newest(self, count: int) -> list[Proposal]:
        """The calls that were proposed last."""
        return self._all[-count:] if count else []


def _is_given(arguments: dict[str, Any] | None, given: Any) -> bool:
    if arguments is None or isinstance(given, dict):
        return bool(arguments == given)
    texts = [as_text(value) for value in arguments.values()]
    return texts == [given]
