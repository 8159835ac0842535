"""One serialized LangChain message as a chat message in OpenAI shape."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agentcal._fields import as_text, not_negative
from agentcal.formats._format import Context
from agentcal.formats._message import to_step
from agentcal.formats._shapes import class_of
from agentcal.trajectory import Step

_ROLES = {"human": "user", "ai": "assistant", "developer": "system", "function": "tool"}
_CALL_PARTS = frozenset(
    {"tool_use", "tool_call", "tool_call_chunk", "invalid_tool_call", "function_call"}
    | {"server_tool_call", "server_tool_call_chunk", "input_json_delta"}
)
_NANOSECONDS = 1e-9
_NOWHERE = Path("live")


def langchain_step(message: Mapping[str, Any]) -> Step:
    """The model turn that the fields of one LangChain message hold, its calls without results.

    The same step as :func:`load` reads from a log with this message, for those who are given one
    message at a time. What is not readable is left out. Raises :class:`~agentcal.FormatError` for a
    tool call that is no object, and pydantic's ``ValidationError`` for values no log could hold.
    """
    turn = _assistant({**message, "content": _content(message.get("content"))})
    return to_step(turn, Context(_NOWHERE, _NOWHERE.name))


def to_chat(message: dict[str, Any], context: Context) -> dict[str, Any] | None:
    """The message as chat, or ``None`` for one that removes another and so says nothing."""
    kind, data = _opened(message)
    if kind == "remove":
        return None
    if kind is None:
        why = f"type {as_text(message.get('type'))[:40]!r}"
        context.note("message is not readable", why, "It was left out.")
        return None
    role = as_text(data.get("role")) if kind == "chat" else _ROLES.get(kind, kind)
    chat = {**data, "role": role, "content": _content(data.get("content"))}
    return _assistant(chat) if role == "assistant" else chat


def _opened(message: dict[str, Any]) -> tuple[str | None, dict[str, Any]]:
    """The type of the message and its fields, wherever its shape keeps them."""
    if message.get("type") == "constructor":
        kwargs = message.get("kwargs")
        kind = class_of(message)
        return (_kind(kind), kwargs) if isinstance(kwargs, dict) else (None, {})
    data = message.get("data")
    inner = data if isinstance(data, dict) else message
    if "role" in message and not isinstance(data, dict) and message.get("type") != "chat":
        return as_text(message["role"]), message
    return _kind(as_text(message.get("type"))), inner


def _kind(name: str) -> str | None:
    """``ai`` from "ai", "AIMessage" or "AIMessageChunk"."""
    return name.removesuffix("Chunk").removesuffix("Message").lower() or None


def _content(content: Any) -> Any:
    """The content without the parts that only repeat the tool calls."""
    if not isinstance(content, list):
        return content
    return [p for p in content if not (isinstance(p, dict) and p.get("type") in _CALL_PARTS)]


def _assistant(data: dict[str, Any]) -> dict[str, Any]:
    meta, more = _object(data.get("response_metadata")), _object(data.get("additional_kwargs"))
    duration = not_negative(meta.get("total_duration"))
    return {
        "role": "assistant",
        "content": data["content"],
        "name": data.get("name"),
        "refusal": more.get("refusal"),
        "reasoning_content": more.get("reasoning_content") or data.get("reasoning_content"),
        "tool_calls": _calls(data, more),
        "logprobs": meta.get("logprobs") or _part_logprobs(data["content"]),
        "usage": _usage(data.get("usage_metadata"), meta),
        "model": meta.get("model_name") or meta.get("model"),
        "latency_s": None if duration is None else duration * _NANOSECONDS,
        "stated_confidence": data.get("stated_confidence"),
    }


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _calls(data: dict[str, Any], more: dict[str, Any]) -> list[Any]:
    """Parsed calls, then those that did not parse; old logs keep both as the provider sent them."""
    found = [*_list(data.get("tool_calls")), *_list(data.get("invalid_tool_calls"))]
    old = more.get("function_call")
    return found or _list(more.get("tool_calls")) or ([old] if isinstance(old, dict) else [])


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _part_logprobs(content: Any) -> list[Any]:
    parts = (_object(part).get("logprobs") for part in _list(content))
    return [entry for entries in parts for entry in _list(entries)]


def _usage(value: Any, meta: dict[str, Any]) -> dict[str, Any]:
    counted = _object(value) or _object(meta.get("token_usage")) or _object(meta.get("usage"))
    details = _object(counted.get("output_token_details"))
    return {
        **counted,
        "reasoning_tokens": counted.get("reasoning_tokens", details.get("reasoning")),
    }
