"""The parts of one chat message in OpenAI shape, with the variants that real logs show."""

from __future__ import annotations

from typing import Any

from agentcal._fields import as_text, name_of, not_negative, share
from agentcal._json import NotJSON, decode
from agentcal.errors import FormatError
from agentcal.formats._fields import usage
from agentcal.formats._format import Context
from agentcal.formats._logprobs import openai_logprobs
from agentcal.formats._results import ToolResult
from agentcal.trajectory import Step, ToolCall

_THOUGHTS = ("thinking", "reasoning")
_SPOKEN = ("text", "refusal")


def spoken(content: Any, context: Context) -> tuple[str, str]:
    """Text and reasoning of a message's content: text, nothing, or a list of parts."""
    if not isinstance(content, list):
        return as_text(content), ""
    said: list[str] = []
    thought: list[str] = []
    for part in content:
        kind = part.get("type", "text") if isinstance(part, dict) else "text"
        text = _part_text(part, kind)
        if text is None:
            context.note("message part is not text", f"type {kind!r}", "It was left out.")
        else:
            (thought if kind in _THOUGHTS else said).append(text)
    return "\n".join(said), "\n".join(thought)


def _part_text(part: Any, kind: str) -> str | None:
    if isinstance(part, str):
        return part
    keys = (kind, "text", "content") if kind in (*_THOUGHTS, *_SPOKEN) else ("text",)
    values = (part.get(key) for key in keys if isinstance(part, dict))
    return next((value for value in values if isinstance(value, str)), None)


def to_step(message: dict[str, Any], context: Context) -> Step:
    """An assistant message as a step."""
    text, thought = spoken(message.get("content"), context)
    refusal = message.get("refusal")
    if isinstance(refusal, str) and refusal:
        text = f"{text}\n{refusal}" if text else refusal
    for key in ("reasoning", "reasoning_content"):  # the later one goes first
        shown = message.get(key)
        if isinstance(shown, str) and shown:
            thought = shown
    return Step(
        text=text,
        reasoning=thought,
        tool_calls=[to_call(call, context) for call in _proposed(message)],
        logprobs=openai_logprobs(message.get("logprobs"), context),
        usage=usage(message.get("usage")),
        latency_s=not_negative(message.get("latency_s")),
        stated_confidence=_stated(message.get("stated_confidence"), context),
        agent=name_of(message.get("name")),
        model=name_of(message.get("model")),
    )


def _stated(value: Any, context: Context) -> float | None:
    found = None if isinstance(value, (bool, str)) else share(value)
    if found is None and value is not None:
        context.note("stated confidence is not in [0, 1]", as_text(value)[:80], "It was left out.")
    return found


def _proposed(message: dict[str, Any]) -> list[Any]:
    calls = message.get("tool_calls")
    if isinstance(calls, list):
        return calls
    old = message.get("function_call")
    return [{"function": old}] if isinstance(old, dict) else []


def to_call(call: Any, context: Context) -> ToolCall:
    """A proposed call; its arguments are text or an object, under ``function`` or beside it."""
    if not isinstance(call, dict):
        raise FormatError(f"a tool call is {type(call).__name__}, not an object")
    function = call.get("function")
    inner = function if isinstance(function, dict) else call
    name = function if isinstance(function, str) else inner.get("name")
    if not isinstance(name, str) or not name:
        context.note("tool call without a name", fix="Its name is kept as empty text.")
        name = ""
    written = inner.get("arguments", inner.get("args"))
    arguments = _arguments(written)
    if arguments is not None:
        return ToolCall(id=as_text(call.get("id")), name=name, arguments=arguments)
    context.note("tool arguments are not a JSON object", f"call to {name!r}", "Kept as raw text.")
    raw = as_text(written)
    return ToolCall(id=as_text(call.get("id")), name=name, arguments=None, raw_arguments=raw)


def _arguments(written: Any) -> dict[str, Any] | None:
    if written is None or written == "":
        return {}
    try:
        value = decode(written)[0] if isinstance(written, str) else written
    except NotJSON:
        return None
    return value if isinstance(value, dict) else None


def to_result(message: dict[str, Any], context: Context) -> ToolResult:
    """A tool message as a result; ``error``, ``is_error`` or ``status: "error"`` mark a failure."""
    text, _ = spoken(message.get("content"), context)
    error = message.get("error")
    if isinstance(error, (str, dict)) and error and as_text(error) not in text:
        text = f"{text}\n{as_text(error)}" if text else as_text(error)
    failed = bool(error) or bool(message.get("is_error")) or message.get("status") == "error"
    return ToolResult(
        text=text,
        id=as_text(message.get("tool_call_id")),
        name=as_text(message.get("name")),
        failed=failed,
        duration_s=not_negative(message.get("duration_s")),
    )
