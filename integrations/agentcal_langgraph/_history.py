"""What a model is told that it was not told before: the end of the messages it is shown."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)

from agentcal import Message
from agentcal.trajectory import Role
from agentcal_langgraph._messages import text_of
from agentcal_langgraph._proposal import is_users


class News(NamedTuple):
    """What came since the model's last turn, oldest first."""

    inputs: list[Message]
    results: list[ToolMessage]


def news(messages: Sequence[BaseMessage], task: Collection[str], waiting: Collection[str]) -> News:
    """Read backwards to the newest turn of a model, or to the task: O(what is new).

    Only results of calls that are still ``waiting`` are looked for beyond that, as far as the turn
    that proposed them. A list with neither turn nor task in it is a prompt that the program wrote
    for one model call: another part of the program speaks then, not the user.
    """
    told: list[BaseMessage] = []
    results: list[ToolMessage] = []
    left = set(waiting)
    follows = False
    for message in reversed(messages):
        if isinstance(message, ToolMessage):
            results.append(message)
            left.discard(message.tool_call_id)
        elif isinstance(message, AIMessage):
            follows = True
            left.difference_update(call["id"] for call in message.tool_calls)
            left.difference_update(call["id"] for call in message.invalid_tool_calls)
            if not left:
                break
        elif isinstance(message, HumanMessage) and text_of(message.content) in task:
            follows = True
            break
        elif not follows:
            told.append(message)
    inputs = (_input(message, follows=follows) for message in reversed(told))
    return News([i for i in inputs if i is not None], results[::-1])


def system_prompt(messages: Sequence[BaseMessage]) -> str:
    """The system messages before anything else."""
    texts = []
    for message in messages:
        if not isinstance(message, SystemMessage):
            break
        texts.append(text_of(message.content))
    return "\n\n".join(texts)


def _input(message: BaseMessage, *, follows: bool) -> Message | None:
    if isinstance(message, SystemMessage):
        role: Role = "system"
        if not follows:
            return None  # it is the system prompt
    elif isinstance(message, HumanMessage) and not is_users(message):
        role = "system"  # the gate speaks
    else:
        role = "user" if follows and isinstance(message, HumanMessage) else "agent"
    return Message(role=role, text=text_of(message.content))
