"""What was said, in the JSON shapes of the conventions. Built only where the user opted in."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from typing import Any

from agentcal.telemetry import _names as n
from agentcal.trajectory import Message, Step, TokenLogprobs, ToolCall, ToolDeclaration

Said = dict[str, Any]

_ON_SPANS = {"span_only", "span_and_event", "true", "1"}
_ROLES = {"user": "user", "system": "system", "agent": "assistant"}


def wanted(content: bool | None) -> bool:
    """The user's word; without one, the environment variable that all GenAI instrumentors read."""
    if content is not None:
        return content
    return os.environ.get(n.CAPTURE_CONTENT, "").strip().lower() in _ON_SPANS


def said(messages: Iterable[Message]) -> list[Said]:
    """Messages that reached the agent."""
    return [{"role": _ROLES[message.role], "parts": [_text(message.text)]} for message in messages]


def answered(calls: Iterable[ToolCall]) -> list[Said]:
    """What tools returned, as the model was told."""
    return [
        {
            "role": "tool",
            "parts": [
                {"type": "tool_call_response", "id": call.id, "response": call.result}
                # No span tells of a call that never ran.
                | ({} if call.status in ("ok", "edited") else {"status": call.status})
            ],
        }
        for call in calls
    ]


def replied(step: Step) -> list[Said]:
    """What the model said and proposed to do in one turn."""
    parts = [{"type": "reasoning", "content": step.reasoning}] if step.reasoning else []
    if step.text:
        parts.append(_text(step.text))
    parts.extend(_proposed(call) for call in step.tool_calls)
    message: Said = {"role": "assistant", "parts": parts}
    if step.tool_calls:
        message["finish_reason"] = "tool_call"
    return [message]


def definitions(tools: Iterable[ToolDeclaration]) -> list[Said]:
    """The tools that the model was offered."""
    return [
        {
            "type": "function",
            "name": tool.name,
            "description": tool.description,
            "parameters": tool.parameters,
        }
        for tool in tools
    ]


def instructions(system: str) -> list[Said]:
    """The system prompt."""
    return [_text(system)]


def arguments(call: ToolCall) -> str:
    """The arguments of a call as JSON, or the model's own text where it did not parse."""
    if call.arguments is None:
        return call.raw_arguments or ""
    return dumps(call.arguments)


def logprobs(values: TokenLogprobs) -> str:
    """Tokens, log-probabilities and alternatives as one JSON object of parallel lists."""
    return values.model_dump_json(exclude_defaults=True)


def dumps(value: object) -> str:
    """Compact JSON with the text as it is."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _text(text: str) -> Said:
    return {"type": "text", "content": text}


def _proposed(call: ToolCall) -> Said:
    given = call.raw_arguments if call.arguments is None else call.arguments
    return {"type": "tool_call", "id": call.id, "name": call.name, "arguments": given}
