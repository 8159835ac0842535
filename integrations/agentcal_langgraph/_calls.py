"""Which proposed calls still wait for a result, and which results are not yet final."""

from __future__ import annotations

from collections.abc import Iterable, KeysView
from typing import NamedTuple

from langchain_core.messages import ToolMessage

from agentcal import Step, ToolCall
from agentcal.recorder import Run
from agentcal_langgraph._results import Result, told

_UNANSWERED = {"status": "missing", "result": None}


class _Draft(NamedTuple):
    """A result that the model may be told in other words: an exception, a bare value."""

    result: Result
    duration_s: float


class Calls:
    """The calls of one run. Every method may be called from any thread."""

    def __init__(self) -> None:
        self._waiting: dict[str, str] = {}
        self._claimed: set[str] = set()
        self._drafts: dict[str, _Draft] = {}

    @property
    def waiting(self) -> KeysView[str]:
        """Ids of the calls without a result."""
        return self._waiting.keys()

    def proposed(self, calls: Iterable[ToolCall]) -> None:
        """A turn proposed these; what they returned earlier on, if anything, is void."""
        for call in calls:
            if call.id and call.status == "missing":
                self._waiting[call.id] = call.name
                self._claimed.discard(call.id)
                self._drafts.pop(call.id, None)

    def withdrawn(self, calls: Iterable[ToolCall]) -> None:
        """The turn that proposed these is void."""
        for call in calls:
            self._waiting.pop(call.id, None)
            self._claimed.discard(call.id)
            self._drafts.pop(call.id, None)

    def claim(self, name: str) -> str:
        """The oldest waiting call of this tool, for one that runs without saying for which.

        One that runs already is taken only if there is no other. Empty if nothing waits.
        """
        named = [i for i, n in list(self._waiting.items()) if n == name]
        fresh = [i for i in named if i not in self._claimed]
        found = next(iter(fresh or named), "")
        self._claimed.add(found)
        return found

    def returned(self, run: Run, call_id: str, result: Result, duration_s: float) -> None:
        """A tool is done. What it raised counts once the model is told, or the run is over."""
        if not result.final:
            self._drafts[call_id] = _Draft(result, duration_s)
        if result.final or not result.failed:
            self._enter(run, call_id, result, duration_s)

    def entered(self, run: Run, call: ToolCall) -> None:
        """A call of which a log of messages holds the result."""
        self._waiting.pop(call.id, None)
        run.returned(call.id, call.result or "", call.status, call.duration_s, name=call.name)

    def retold(self, run: Run, steps: Iterable[Step]) -> None:
        """Turns that nobody has watched, as a log of messages tells them."""
        for step in steps:
            calls = step.tool_calls
            step.tool_calls = [call.model_copy(update=_UNANSWERED) for call in calls]
            run.replied(step)
            self.proposed(step.tool_calls)
            for call in calls:
                if call.status != "missing":
                    self.entered(run, call)

    def read(self, run: Run, messages: Iterable[ToolMessage]) -> None:
        """A model is shown these messages: the last word on what their calls returned."""
        for message in messages:
            call_id, result = message.tool_call_id, told(message)
            draft = self._drafts.pop(call_id, None)
            if call_id in self._waiting or (draft and draft.result.text != result.text):
                self._enter(run, call_id, result, draft.duration_s if draft else None)

    def settle(self, run: Run) -> None:
        """No model will be told any more: what was raised is the result."""
        for call_id, draft in list(self._drafts.items()):
            if call_id in self._waiting:
                self._enter(run, call_id, draft.result, draft.duration_s)

    def _enter(self, run: Run, call_id: str, result: Result, duration_s: float | None) -> None:
        self._waiting.pop(call_id, None)
        self._claimed.discard(call_id)
        run.returned(call_id, result.text, "error" if result.failed else "ok", duration_s)
