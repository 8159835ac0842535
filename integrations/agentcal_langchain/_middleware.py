"""The middleware for ``create_agent``: hooks of LangChain in, frozen confidence out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

from langchain.agents.middleware import (
    AgentMiddleware,
    ExtendedModelResponse,
    ModelRequest,
    ModelResponse,
    ToolCallRequest,
    TracePolicy,
    omit_payload,
)
from langchain_core.messages import AIMessage, ToolMessage
from langgraph.runtime import Runtime
from langgraph.types import Command

from agentcal import Calibrator, ConfigError
from agentcal.recorder import Recorder
from agentcal_langchain._finder import Finder
from agentcal_langchain._harmless import harmless
from agentcal_langchain._seat import Seat
from agentcal_langchain._state import DEFAULT_NAME, KEY, CalibrationState

Model = ModelResponse[Any] | ExtendedModelResponse[Any]
Tool = ToolMessage | Command[Any]


class CalibrationMiddleware(AgentMiddleware[CalibrationState, Any, Any]):
    """Scores every model turn of an agent and keeps the score in the agent's state. It never acts.

    The confidence is computed once, when the model has replied and before anything it proposes is
    done, and frozen under the id of the message: :func:`agentcal_langchain.confidence_in` reads it,
    also after a resume in another process. List this middleware first, so that it sees what others
    make of a reply; it raises nothing and blocks on nothing.

    Where a ``CalibrationCallbackHandler`` of ``agentcal_langgraph`` watches the run, the handler
    records and this middleware only takes its score over. Alone, the middleware records the run
    itself. Hooks do not tell all that a handler is told: a run that fails is written once its
    thread gets a new request, five minutes have passed, or :meth:`close` is called; approvals leave
    no trace; and agents that are not called by a tool of this one have runs of their own.

    Args:
        calibrator: Scores the turns; the runs are not kept. Or:
        recorder: Where the events go; its calibrator scores.
        name: Two of these in one agent need different names.
        agent: Who is running; by default the agent's own name.
        group: What will be new at deployment, for all runs; see ``fit``.

    Raises:
        ConfigError: Neither or both of ``calibrator`` and ``recorder`` are given.
    """

    state_schema = CalibrationState
    # What these hooks pass on is in the traces of the model and the tools already.
    trace_policy = TracePolicy(process_inputs=omit_payload, process_outputs=omit_payload)

    def __init__(
        self,
        calibrator: Calibrator | None = None,
        *,
        recorder: Recorder | None = None,
        name: str = DEFAULT_NAME,
        agent: str | None = None,
        group: str | None = None,
    ) -> None:
        super().__init__()
        if (calibrator is None) == (recorder is None):
            raise ConfigError(
                "CalibrationMiddleware takes a calibrator or a recorder: "
                "to record runs and score them, give the calibrator to the recorder"
            )
        self._name = name
        used = Recorder(calibrator) if recorder is None else recorder
        self._mine = used if recorder is None else None
        self._finder = Finder(used, calibrator, name, agent, group)

    @property
    def name(self) -> str:
        """The name among the middleware of an agent, and of the entry in its state."""
        return self._name

    def close(self) -> None:
        """Write the runs that have failed; a recorder that was passed in stays open."""
        self._finder.runs.settle()
        if self._mine is not None:
            self._mine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _broke(self, doing: str, error: Exception) -> None:
        """A score could not be kept; called by the hooks, for the recorder's count of errors."""
        self._finder._broke(doing, error)

    def before_agent(self, state: CalibrationState, runtime: Runtime[Any]) -> dict[str, Any] | None:
        """A request came in."""
        record = self._finder.begin(state, runtime).record
        return None if record is None else {KEY: {self._name: record}}

    async def abefore_agent(
        self, state: CalibrationState, runtime: Runtime[Any]
    ) -> dict[str, Any] | None:
        """A request came in."""
        return self.before_agent(state, runtime)

    def wrap_model_call(
        self,
        request: ModelRequest[Any],
        handler: Callable[[ModelRequest[Any]], ModelResponse[Any]],
    ) -> Model:
        """A model turn: recorded, scored, and the score frozen with the message."""
        seat = self._seat(request.state)
        seat.asked(request)
        try:
            response = handler(request)
        except BaseException as error:
            seat.raised(error)
            raise
        return self._frozen(seat, response)

    async def awrap_model_call(
        self,
        request: ModelRequest[Any],
        handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]],
    ) -> Model:
        """A model turn: recorded, scored, and the score frozen with the message."""
        seat = await self._aseat(request.state)
        seat.asked(request)
        try:
            response = await handler(request)
        except BaseException as error:
            seat.raised(error)
            raise
        return self._frozen(seat, response)

    def wrap_tool_call(
        self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], Tool]
    ) -> Tool:
        """A tool runs: recorded with how long it took."""
        seat = self._seat(request.state)
        seat.called(request)
        try:
            with seat.at_work():
                output = handler(request)
        except BaseException as error:
            seat.raised(error)
            raise
        seat.returned(output)
        return output

    async def awrap_tool_call(
        self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], Awaitable[Tool]]
    ) -> Tool:
        """A tool runs: recorded with how long it took."""
        seat = await self._aseat(request.state)
        seat.called(request)
        try:
            with seat.at_work():
                output = await handler(request)
        except BaseException as error:
            seat.raised(error)
            raise
        seat.returned(output)
        return output

    def after_agent(self, state: CalibrationState, runtime: Runtime[Any]) -> dict[str, Any] | None:
        """The agent is done."""
        self._seat(state).ended(state["messages"])
        return None

    async def aafter_agent(
        self, state: CalibrationState, runtime: Runtime[Any]
    ) -> dict[str, Any] | None:
        """The agent is done."""
        (await self._aseat(state)).ended(state["messages"])
        return None

    def _seat(self, state: Any) -> Seat:
        return self._finder.quick(state) or self._finder.restored(state)

    async def _aseat(self, state: Any) -> Seat:
        """A run that is not in this process may have to be read from a disk: not in the loop."""
        found = self._finder.quick(state)
        if found is not None:
            return found
        return await asyncio.to_thread(self._finder.restored, state)

    def _frozen(self, seat: Seat, response: ModelResponse[Any]) -> Model:
        update = self._update(seat, response)
        if update is None:
            return response
        return ExtendedModelResponse(model_response=response, command=Command(update=update))

    @harmless
    def _update(self, seat: Seat, response: ModelResponse[Any]) -> dict[str, Any] | None:
        """The turn's confidence for the state; it names the message, so the message needs an id."""
        message = next((m for m in response.result if isinstance(m, AIMessage)), None)
        if seat.record is None or message is None:
            return None
        message.id = message.id or str(uuid4())
        confidence = seat.replied(response.result)
        turn = {message.id: None if confidence is None else confidence.to_json()}
        return {KEY: {self._name: {**seat.record, "turns": turn}}}
