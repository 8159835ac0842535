"""LangChain's own messages, which tracers keep as JSON in the inputs and outputs of spans.

They hold more than the attributes beside them: log-probabilities, reasoning, calls that did not
parse, and whether a tool failed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from agentcal._fields import as_text
from agentcal.formats import Context
from agentcal.formats.parts import is_langchain, to_chat
from agentcal.telemetry._dialects._values import fields, listed
from agentcal.telemetry._span import Chat, SpanFacts

_KEPT = ("role", "content", "name", "tool_call_id", "status")
_DEPTH = 6


def from_langchain(message: Any) -> list[Chat]:
    """A serialized message as chat; nothing where it is none."""
    chat = to_chat(message, Context(Path(), "span")) if is_langchain(message) else None
    if chat is None:
        return []
    if chat["role"] == "assistant":
        return [{key: value for key, value in chat.items() if value not in (None, [], {})}]
    return [{key: chat[key] for key in _KEPT if chat.get(key) is not None}]


def messages_within(value: Any, depth: int = _DEPTH) -> list[Chat]:
    """All messages in the inputs or outputs of a chain, however deep they lie."""
    if is_langchain(value):
        return from_langchain(value)
    if depth == 0:
        return []
    inner = value.values() if isinstance(value, dict) else listed(value)
    return [chat for item in inner for chat in messages_within(item, depth - 1)]


def answer_within(value: Any, call_id: str) -> Chat | None:
    """The tool message in what a tool gave back: the message itself, or a ``Command`` with it."""
    if not is_langchain(value) and "update" not in fields(value):
        return None
    found = [chat for chat in messages_within(value) if chat["role"] == "tool"]
    own = [chat for chat in found if chat.get("tool_call_id") == call_id]
    return next(reversed(own or found), None)


def answered(facts: SpanFacts, message: Chat) -> None:
    """The message of a tool says more of its call than the span does."""
    facts.result = as_text(message.get("content"))
    facts.call_id = facts.call_id or as_text(message.get("tool_call_id"))
    facts.failed = facts.failed or message.get("status") == "error"


def first_generation(value: Any) -> Chat | None:
    """The reply in the output of a model: ``{"generations": [[{"message": ...}]]}``."""
    rows = listed(fields(value).get("generations"))
    row = listed(rows[0]) if rows else []
    message = fields(row[0]).get("message") if row else None
    found = from_langchain(message)
    return found[0] if found and found[0]["role"] == "assistant" else None


def shown_to_model(value: Any) -> list[Chat] | None:
    """The messages in the input of a model: ``{"messages": [[...]]}``."""
    rows = listed(fields(value).get("messages"))
    if not rows or not isinstance(rows[0], list):
        return None
    return [chat for message in rows[0] for chat in from_langchain(message)]


def answer_to_interrupt(value: Any) -> Any:
    """What an interrupted graph is resumed with, if the input is a ``Command`` that does so."""
    command = fields(value)
    return command.get("resume") if "goto" in command else None
