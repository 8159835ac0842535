"""Responses items, which come one by one, gathered to chat messages, one a turn."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from agentcal._fields import as_text, name_of
from agentcal.errors import FormatError
from agentcal.formats._format import Context
from agentcal.formats._message import spoken

_HOSTED = frozenset(
    {"web_search_call", "file_search_call", "code_interpreter_call", "image_generation_call"}
    | {"mcp_call", "tool_search_call"}
)
_NAMED = ("function_call", "custom_tool_call", "mcp_call")
_ARGUMENTS = ("arguments", "action", "operation", "code", "queries", "input")
_RESULTS = ("output", "results", "outputs")
_BAD = ("failed", "incomplete")


@dataclass(slots=True)
class _Turn:
    """What the model has said since something last came from outside."""

    said: list[str] = field(default_factory=list)
    thought: list[str] = field(default_factory=list)
    calls: list[dict[str, Any]] = field(default_factory=list)
    results: list[dict[str, Any]] = field(default_factory=list)
    logprobs: list[Any] = field(default_factory=list)
    name: str | None = None

    def chat(self) -> list[dict[str, Any]]:
        """The turn as an assistant message, and the results that came with it."""
        message = {
            "role": "assistant",
            "content": "\n".join(self.said),
            "reasoning_content": "\n".join(self.thought),
            "tool_calls": self.calls,
            "logprobs": self.logprobs,
            "name": self.name,
        }
        return [message, *self.results]


class Turns:
    """Takes items in their order; ``chat`` is what they amount to so far."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._done: list[dict[str, Any]] = []
        self._turn: _Turn | None = None

    @property
    def chat(self) -> list[dict[str, Any]]:
        """Chat messages in OpenAI shape."""
        self._close()
        return self._done

    def extend(self, items: Any, usage: Any = None) -> None:
        """Add items; ``usage`` belongs to them if one request of the model made them all."""
        if items is None:
            return
        if not isinstance(items, list):
            raise FormatError(f"items are {type(items).__name__}, not a list")
        before = len(self._done)
        for item in items:
            self.add(item)
        self._close()
        made = [m for m in self._done[before:] if m["role"] == "assistant"]
        if len(made) == 1:
            made[0]["usage"] = usage

    def add(self, item: Any) -> None:
        """Add one item. Raises :class:`FormatError` for one that is not an object."""
        if not isinstance(item, dict):
            raise FormatError(f"an item is {type(item).__name__}, not an object")
        kind = as_text(item.get("type", "message"))
        if kind == "message" or "role" in item:
            self._message(item)
        elif kind == "reasoning":
            self._own().thought += [
                t for t in (_text(item, "summary"), _text(item, "content")) if t
            ]
        elif kind in _HOSTED:
            self._hosted(item, kind)
        elif kind.endswith("_call"):
            self._own().calls.append(_call(item, kind))
        elif kind.endswith("_call_output"):
            self._close()
            self._done.append(_result(item))
        else:
            self._context.note("item says nothing of a turn", f"type {kind[:40]!r}", "Left out.")

    def _message(self, item: dict[str, Any]) -> None:
        if item.get("role") != "assistant":
            self._close()
            self._done.append({"role": item.get("role"), "content": item.get("content")})
            return
        turn = self._own()
        text, thought = spoken(item.get("content"), self._context)
        turn.said += [text] if text else []
        turn.thought += [thought] if thought else []
        turn.logprobs += _logprobs(item.get("content"))
        turn.name = name_of(item.get("name")) or turn.name

    def _hosted(self, item: dict[str, Any], kind: str) -> None:
        self._turn = self._turn or _Turn()
        call = _call(item, kind)
        found = next((item[key] for key in _RESULTS if item.get(key) is not None), None)
        self._turn.calls.append(call)
        self._turn.results.append(
            {
                "role": "tool",
                "tool_call_id": call["id"],
                "content": as_text(found),
                "error": item.get("error") or item.get("status") in _BAD,
            }
        )

    def _own(self) -> _Turn:
        """The turn that is going on; after a hosted call the model has seen something new."""
        if self._turn is None or self._turn.results:
            self._close()
            self._turn = _Turn()
        return self._turn

    def _close(self) -> None:
        if self._turn is not None:
            self._done += self._turn.chat()
            self._turn = None


def _call(item: dict[str, Any], kind: str) -> dict[str, Any]:
    key = next((key for key in _ARGUMENTS if key in item), "")
    written = item.get(key)
    return {
        "id": as_text(item.get("call_id") or item.get("id")),
        "name": item.get("name") if kind in _NAMED else kind.removesuffix("_call"),
        "arguments": written if key in ("", "arguments") else {key: written},
    }


def _result(item: dict[str, Any]) -> dict[str, Any]:
    output = item.get("output")
    parts = isinstance(output, list) and all(isinstance(p, dict) and "type" in p for p in output)
    return {
        "role": "tool",
        "tool_call_id": as_text(item.get("call_id")),
        "name": item.get("name"),
        "content": output if parts else as_text(output),
        "error": item.get("error") or item.get("is_error") or item.get("status") in _BAD,
    }


def _text(item: dict[str, Any], key: str) -> str:
    parts = item.get(key)
    if isinstance(parts, str):
        return parts
    texts = (part.get("text") for part in _objects(parts))
    return "\n".join(text for text in texts if isinstance(text, str))


def _logprobs(content: Any) -> list[Any]:
    parts = (part.get("logprobs") for part in _objects(content))
    return [entry for entries in parts if isinstance(entries, list) for entry in entries]


def _objects(parts: Any) -> list[dict[str, Any]]:
    return [p for p in parts if isinstance(p, dict)] if isinstance(parts, list) else []
