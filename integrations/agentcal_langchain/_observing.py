"""The hooks of LangChain that record and score, and never act."""

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
from langchain_core.messages import AIMessage
from langgraph.runtime import Runtime
from langgraph.types import Command

from agentcal import Calibrator, ConfigError
from agentcal.recorder import Recorder
from agentcal_langchain._finder import Finder
from agentcal_langchain._following import AskModel, AskTool, Model, Tool, by, ran, replied
from agentcal_langchain._harmless import harmless
from agentcal_langchain._seat import Seat
from agentcal_langchain._state import KEY, CalibrationState
from agentcal_langgraph.building import Labels, Steps, adrive, drive


class Observing(AgentMiddleware[CalibrationState, Any, Any]):
    """Scores every model turn of an agent and keeps the score in the agent's state."""

    state_schema = CalibrationState
    # What these hooks pass on is in the traces of the model and the tools already.
    trace_policy = TracePolicy(process_inputs=omit_payload, process_outputs=omit_payload)

    def __init__(
        self,
        calibrator: Calibrator | None,
        recorder: Recorder | None,
        name: str,
        labels: Labels,
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
        self._finder = Finder(used, calibrator, name, labels)

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
        return drive(self._turn(self._seat(request.state), request, by(handler)))

    async def awrap_model_call(
        self,
        request: ModelRequest[Any],
        handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]],
    ) -> Model:
        """A model turn: recorded, scored, and the score frozen with the message."""
        return await adrive(self._turn(await self._aseat(request.state), request, by(handler)))

    def wrap_tool_call(
        self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], Tool]
    ) -> Tool:
        """A tool runs: recorded with how long it took."""
        return drive(self._tool(self._seat(request.state), request, by(handler)))

    async def awrap_tool_call(
        self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], Awaitable[Tool]]
    ) -> Tool:
        """A tool runs: recorded with how long it took."""
        return await adrive(self._tool(await self._aseat(request.state), request, by(handler)))

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

    def _turn(self, seat: Seat, request: ModelRequest[Any], ask: AskModel) -> Steps[Model]:
        response = yield from replied(seat, request, ask)
        update = self._update(seat, response)
        if update is None:
            return response
        return ExtendedModelResponse(model_response=response, command=Command(update=update))

    def _tool(self, seat: Seat, request: ToolCallRequest, ask: AskTool) -> Steps[Tool]:
        return (yield from ran(seat, request, ask(request)))

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
