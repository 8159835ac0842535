"""What a tool node is given, call by call, and what it gives back, put together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from langchain_core.messages import AIMessage, ToolCall
from langgraph.types import Command, Send

_ONE = "tool_call_with_context"


class Given(NamedTuple):
    """The calls in the input of a tool node.

    ``message``: the reply that they are from, None where the input does not tell.
    """

    calls: list[ToolCall]
    message: AIMessage | None


def given(value: Any, key: str) -> Given:
    """The calls, as ``ToolNode`` finds them: in the newest reply, or handed over one by one."""
    if isinstance(value, Mapping) and value.get("__type") == _ONE:
        return Given([value["tool_call"]], None)
    if isinstance(value, list) and value and isinstance(value[-1], Mapping):
        return Given(list(value), None)
    messages = value.get(key) if isinstance(value, Mapping) else getattr(value, key, None)
    newest = next((m for m in reversed(messages or []) if isinstance(m, AIMessage)), None)
    return Given([] if newest is None else list(newest.tool_calls), newest)


def alone(value: Any, call: ToolCall) -> Any:
    """The same input with one call in it."""
    if isinstance(value, list):
        return [call]
    if isinstance(value, Mapping) and value.get("__type") == _ONE:
        return {**value, "tool_call": call}
    return {"__type": _ONE, "tool_call": call, "state": value}


def joined(outputs: Sequence[Any], key: str) -> Any:
    """The outputs for single calls as one output for all of them."""
    parts: list[Any] = []
    for output in outputs:
        parts += output if isinstance(output, list) else [output]
    if not any(isinstance(part, Command) for part in parts):
        return {key: [message for part in parts for message in part[key]]}
    return _with_one_parent(parts)


def _with_one_parent(parts: Sequence[Any]) -> list[Any]:
    """Only one command can go to the graph around this one, so that their tasks go together."""
    tasks = [part for part in parts if _sends_up(part)]
    rest = [part for part in parts if not _sends_up(part)]
    if len(tasks) < 2:
        return [*parts]
    return [*rest, replace(tasks[0], goto=[send for task in tasks for send in task.goto])]


def _sends_up(part: Any) -> bool:
    return (
        isinstance(part, Command)
        and part.graph is Command.PARENT
        and isinstance(part.goto, list)
        and all(isinstance(send, Send) for send in part.goto)
    )
