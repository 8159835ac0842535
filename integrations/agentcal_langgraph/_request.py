"""What a graph was asked to do: the newest messages of the user in the input of the root."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from itertools import dropwhile, takewhile
from typing import Any, NamedTuple

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    ToolMessage,
    convert_to_messages,
)
from langgraph.types import Command

from agentcal_langgraph._messages import text_of
from agentcal_langgraph._proposal import is_users

_NAMES = ("input", "task", "question", "query", "request", "prompt", "text", "content")


class Request(NamedTuple):
    """``parts``: the user's newest messages, oldest first.

    ``goes_on``: the input asks to go on where the graph stopped. ``answered``: it holds turns of
    the model that follow the user's messages, made by a program that agentcal has not watched.
    """

    parts: tuple[str, ...]
    goes_on: bool
    answered: bool

    @property
    def task(self) -> str:
        """The task as one text."""
        return "\n\n".join(self.parts)


def request_in(given: Any) -> Request:
    """The request in what a graph was invoked with. Older messages of the history are none."""
    goes_on = given is None or isinstance(given, Command)
    content = given.update if isinstance(given, Command) else given
    answered = returned = False
    texts: list[str] = []
    for message in _backwards(content):
        if isinstance(message, HumanMessage):
            texts.append(text_of(message.content))
        elif texts:
            break
        else:
            answered |= isinstance(message, AIMessage)
            returned |= isinstance(message, ToolMessage)
    parts = tuple(reversed(texts or _stated(content)))
    return Request(parts, goes_on or (returned and not parts and not answered), answered)


def newest_request(messages: Sequence[BaseMessage]) -> list[BaseMessage]:
    """The history from the user's newest messages on, these included; all where there are none."""
    after = list(takewhile(lambda m: not is_users(m), reversed(messages)))
    asked = takewhile(
        is_users,
        dropwhile(lambda m: not is_users(m), reversed(messages)),
    )
    return [*reversed(list(asked)), *reversed(after)]


def messages_in(value: Any) -> Sequence[Any]:
    """The list of messages in a state or an update of one, as the program wrote them."""
    if isinstance(value, (BaseMessage, str)) or (_is_pair(value) and isinstance(value[1], str)):
        return [value]
    if isinstance(value, Sequence):
        if value and all(map(_is_pair, value)) and not _is_messages(value):
            return messages_in(dict(value))  # an update may be pairs of a channel and a value
        return value if _is_messages(value) else []
    fields = _fields(value)
    if fields.get("messages") is not None:
        return messages_in(fields["messages"])
    return next((v for v in fields.values() if isinstance(v, list) and _is_messages(v)), [])


def _backwards(value: Any) -> Iterator[BaseMessage]:
    """The messages, newest first, converted one by one: a client may send a long history."""
    found = [] if isinstance(value, str) else messages_in(value)
    for item in reversed(found):
        try:
            yield from convert_to_messages([item])
        except Exception:  # not a message, whatever the list is for
            return


def _stated(value: Any) -> list[str]:
    """A task that is no message: the input itself, or the field that is called like one."""
    if isinstance(value, str):
        return [value]
    texts = {k: v for k, v in _fields(value).items() if isinstance(v, str) and v}
    named = next((texts[name] for name in _NAMES if name in texts), None)
    only = next(iter(texts.values())) if len(texts) == 1 else None
    found = named or only
    return [found] if found else []


def _fields(value: Any) -> Mapping[str, Any]:
    if isinstance(value, Mapping):
        return value
    if dataclasses.is_dataclass(value) or hasattr(type(value), "model_fields"):
        return dict(vars(value))
    return {}


def _is_pair(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str)


def _is_messages(value: Sequence[Any]) -> bool:
    """Whether the newest entry looks like a message, in any of the forms that LangChain takes."""
    if not value:
        return False
    last = value[-1]
    if isinstance(last, Mapping):
        return "content" in last and ("role" in last or "type" in last)
    return isinstance(last, BaseMessage) or (_is_pair(last) and isinstance(last[1], str))
