"""Which proposed calls still wait for a result, and which results are not yet final."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, KeysView
from typing import NamedTuple

from langchain_core.messages import ToolMessage

from agentcal import ToolCall
from agentcal.recorder import Run
from agentcal_langgraph._results import Result, told


class _Draft(NamedTuple):
    """A result that the model may be told in other words: an exception, a bare value."""

    result: Result
    duration_s: float


class Calls:
    """The calls of one run. Every method may be called from any thread."""

    def __init__(self) -> None:
        self._waiting: dict[str, str] = {}
        self._raised: dict[str, _Draft] = {}
        self._bare: dict[str, str] = {}

    @property
    def waiting(self) -> KeysView[str]:
        """Ids of the calls without a result."""
        return self._waiting.keys()

    def proposed(self, calls: Iterable[ToolCall]) -> None:
        """A turn proposed these; what they returned earlier on, if anything, is void."""
        for call in calls:
            if call.id and call.status == "missing":
                self._waiting[call.id] = call.name
                self._raised.pop(call.id, None)
                self._bare.pop(call.id, None)

    def claim(self, name: str) -> str | None:
        """The oldest waiting call of this tool, for one that runs without saying for which."""
        return next((i for i, n in list(self._waiting.items()) if n == name), None)

    def returned(self, run: Run, call_id: str, result: Result, duration_s: float) -> None:
        """A tool is done. What it raised counts once the model is told, or the run is over."""
        if result.failed and not result.final:
            self._raised[call_id] = _Draft(result, duration_s)
            return
        if not result.final:
            self._bare[call_id] = result.text
        self._enter(run, call_id, result, duration_s)

    def read(self, run: Run, messages: Iterable[ToolMessage]) -> None:
        """A model is shown these messages: the last word on what their calls returned."""
        for message in messages:
            call_id, result = message.tool_call_id, told(message)
            bare = self._bare.pop(call_id, None)
            if call_id in self._waiting or (bare is not None and bare != result.text):
                draft = self._raised.get(call_id)
                self._enter(run, call_id, result, None if draft is None else draft.duration_s)

    def entered(self, run: Run, call: ToolCall) -> None:
        """A call of which a log of messages holds the result."""
        self._waiting.pop(call.id, None)
        run.returned(call.id, call.result or "", call.status, call.duration_s, name=call.name)

    def settle(self, run: Run) -> None:
        """No model will be told any more: what was raised is the result."""
        for call_id, draft in self._drafts():
            self._enter(run, call_id, draft.result, draft.duration_s)

    def _drafts(self) -> Iterator[tuple[str, _Draft]]:
        yield from list(self._raised.items())

    def _enter(self, run: Run, call_id: str, result: Result, duration_s: float | None) -> None:
        self._waiting.pop(call_id, None)
        self._raised.pop(call_id, None)
        run.returned(call_id, result.text, "error" if result.failed else "ok", duration_s)
