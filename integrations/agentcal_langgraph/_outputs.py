"""What a tool node is given, call by call, and what it gives back, put together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from langchain_core.messages import AIMessage, ToolCall
from langgraph.types import Command, Send

from agentcal_langgraph._proposal import Proposal

_ONE, _OURS = "tool_call_with_context", "agentcal_call"


class Given(NamedTuple):
    """The calls in the input of a tool node.

    ``message_id``: the reply that they are from, None where the input does not tell. ``place``: of
    the first of them in that reply.
    """

    calls: list[ToolCall]
    message_id: str | None
    place: int = 0


def one_call(proposal: Proposal, place: int) -> dict[str, Any]:
    """The input for a tool node that runs one call of a reply in a task of its own."""
    about = {"message": proposal.message.id or "", "place": place}
    return {_OURS: {"call": proposal.message.tool_calls[place], **about}}


def is_ours(value: Any) -> bool:
    """Whether the input is one of those; the user's node does not know them."""
    return isinstance(value, Mapping) and _OURS in value


def given(value: Any, key: str) -> Given:
    """The calls, as ``ToolNode`` finds them: in the newest reply, or handed over one by one."""
    if is_ours(value):
        ours = value[_OURS]
        return Given([ours["call"]], ours["message"], ours["place"])
    if isinstance(value, Mapping) and value.get("__type") == _ONE:
        return Given([value["tool_call"]], None)
    if isinstance(value, list) and value and isinstance(value[-1], Mapping):
        return Given(list(value), None)
    messages = value.get(key) if isinstance(value, Mapping) else getattr(value, key, None)
    newest = next((m for m in reversed(messages or []) if isinstance(m, AIMessage)), None)
    if newest is None:
        return Given([], None)
    return Given(list(newest.tool_calls), newest.id or "")


def alone(value: Any, call: ToolCall, state: Callable[[], Any]) -> Any:
    """The same input with one call in it; ``state`` gives what an input of ours leaves out."""
    if isinstance(value, list):
        return [call]
    if isinstance(value, Mapping) and value.get("__type") == _ONE:
        return {**value, "tool_call": call}
    return {"__type": _ONE, "tool_call": call, "state": state() if is_ours(value) else value}


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
