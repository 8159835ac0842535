"""Messages in the shapes that tracers know, as chat messages in OpenAI shape."""

from __future__ import annotations

from typing import Any

from agentcal._fields import as_text
from agentcal.formats.parts import is_langchain
from agentcal.telemetry._dialects._langchain import from_langchain
from agentcal.telemetry._dialects._values import fields, listed, opened
from agentcal.telemetry._span import Chat

_ROLES = {
    "human": "user",
    "ai": "assistant",
    "model": "assistant",
    "developer": "system",
    "function": "tool",
}
_PARTS = frozenset(
    {"text", "input_text", "output_text", "refusal", "thinking", "reasoning"}
    | {"image_url", "image", "input_image", "input_audio", "file", "input_file"}
)
_RESULTS = ("tool_call_response", "tool_response", "function_call_output")


def chat_messages(value: Any) -> list[Chat]:
    """The messages of a list, in their order; what is no message is left out."""
    return [chat for message in listed(value) for chat in _chats(message)]


def one_reply(messages: list[Chat], *, choices: int = 1) -> Chat | None:
    """The reply of a model: of several choices the first, else all that it put out as one."""
    own = [message for message in messages if message["role"] == "assistant"]
    if not own:
        return None
    return own[0] if choices > 1 else _joined(own)


def _joined(messages: list[Chat]) -> Chat:
    first, *rest = messages
    for other in rest:
        said = [text for text in (first.get("content"), other.get("content")) if text]
        first = {
            **first,
            "content": said[0] if len(said) == 1 else "\n".join(map(as_text, said)),
            "reasoning_content": first.get("reasoning_content") or other.get("reasoning_content"),
            "tool_calls": [*listed(first.get("tool_calls")), *listed(other.get("tool_calls"))],
        }
    return first


def role_of(value: Any) -> str:
    """One of system, user, assistant and tool, or the role as it is written."""
    role = as_text(value).lower()
    return _ROLES.get(role, role)


def _chats(message: Any) -> list[Chat]:
    if not isinstance(message, dict):
        return []
    if isinstance(message.get("message"), dict):
        message = message["message"]
    if isinstance(message.get("parts"), list):
        return _from_parts(message)
    if is_langchain(message) and "role" not in message:
        return from_langchain(message)
    if "role" not in message:
        return []
    return [_plain(message)]


def _plain(message: Chat) -> Chat:
    """A message of OpenAI shape or of one close to it (OpenInference, older conventions)."""
    kept = {
        "role": role_of(message["role"]),
        "content": _content(message),
        "name": message.get("name"),
        "reasoning_content": message.get("reasoning_content") or message.get("reasoning"),
        "tool_calls": [_call(call) for call in listed(message.get("tool_calls"))],
        "tool_call_id": message.get("tool_call_id", message.get("id")),
        "status": message.get("status"),
    }
    return {key: value for key, value in kept.items() if value is not None and value != []}


def _content(message: Chat) -> Any:
    """Text, or parts of it; OpenInference numbers them under ``contents``."""
    parts = [fields(part).get("message_content") for part in listed(message.get("contents"))]
    if parts:
        return [part for part in parts if isinstance(part, dict)]
    content = message.get("content")
    found = opened(content)
    spoken = isinstance(found, list) and all(fields(p).get("type") in _PARTS for p in found)
    return found if spoken and found else content


def _call(call: Any) -> Any:
    inner = fields(call).get("tool_call")
    return inner if isinstance(inner, dict) else call


def _from_parts(message: Chat) -> list[Chat]:
    """One message of the GenAI conventions; each result in it is a tool message of its own."""
    said: list[Any] = []
    thought: list[str] = []
    calls: list[Any] = []
    results: list[Chat] = []
    for part in filter(None, map(fields, message["parts"])):
        kind = part.get("type")
        if kind == "tool_call":
            calls.append({key: part.get(key) for key in ("id", "name", "arguments")})
        elif kind in _RESULTS:
            results.append(_result(part, message))
        elif kind in ("reasoning", "thinking"):
            thought.append(as_text(part.get("content", part.get("text"))))
        else:
            said.append(_part(part, kind))
    if results and not (said or calls):
        return results
    chat: Chat = {"role": role_of(message.get("role")), "content": _together(said)}
    chat |= {"name": message["name"]} if message.get("name") else {}
    chat |= {"reasoning_content": "\n".join(thought)} if thought else {}
    chat |= {"tool_calls": calls} if calls else {}
    return [chat, *results]


def _part(part: Chat, kind: Any) -> Chat:
    text = part.get("content", part.get("text"))
    known = kind in ("text", None) and isinstance(text, str)
    return {"type": "text", "text": text} if known else {**part, "type": as_text(kind)}


def _together(said: list[Any]) -> Any:
    if not said:
        return ""
    only = said[0].get("text") if len(said) == 1 and said[0].get("type") == "text" else None
    return only if isinstance(only, str) else said


def _result(part: Chat, message: Chat) -> Chat:
    found = next((part[key] for key in ("response", "result", "output") if key in part), None)
    told = "error" if part.get("is_error") or part.get("error") else part.get("status")
    status = {"status": told} if told in ("error", "rejected") else {}
    return {
        "role": "tool",
        "tool_call_id": part.get("id", part.get("call_id")),
        "name": message.get("name"),
        "content": as_text(found),
        **status,
    }
