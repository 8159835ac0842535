"""What a hook does around the thing that it wraps: follow it, and pass it on as it is.

The same text for threads and for an event loop; see :class:`Do`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from langchain.agents.middleware import (
    ExtendedModelResponse,
    ModelRequest,
    ModelResponse,
    ToolCallRequest,
)
from langchain_core.messages import ToolMessage
from langgraph.types import Command

from agentcal_langchain._seat import Seat
from agentcal_langgraph.building import Do, Steps

Model = ModelResponse[Any] | ExtendedModelResponse[Any]
Tool = ToolMessage | Command[Any]
AskModel = Callable[[ModelRequest[Any]], Do]
AskTool = Callable[[ToolCallRequest], Do]
R = TypeVar("R")


def by(handler: Callable[[R], Any]) -> Callable[[R], Do]:
    """What LangChain hands to a hook, a function or a coroutine function, as a thing to do."""
    return lambda request: Do(lambda: handler(request), lambda: handler(request))


def replied(seat: Seat, request: ModelRequest[Any], ask: AskModel) -> Steps[ModelResponse[Any]]:
    """A model is asked."""
    seat.asked(request)
    try:
        return (yield ask(request))  # type: ignore[no-any-return]
    except BaseException as error:
        seat.raised(error)
        raise


def ran(seat: Seat, request: ToolCallRequest, run: Do) -> Steps[Tool]:
    """A tool runs, for the call in ``request``."""
    seat.called(request)
    try:
        with seat.at_work():
            output = yield run
    except BaseException as error:
        seat.raised(error)
        raise
    seat.returned(output)
    return output  # type: ignore[no-any-return]
