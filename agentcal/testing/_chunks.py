"""A whole message as the chunks in which a provider would have streamed it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk

_WORDS = re.compile(r"\s*\S+|\s+$")
_ARGUMENT_PIECE = 12


def chunks_of(message: AIMessage) -> list[ChatGenerationChunk]:
    """Chunks whose sum is ``message``: text, tool calls, log-probabilities, then usage."""
    entries = (message.response_metadata.get("logprobs") or {}).get("content") or []
    deltas = [*_text(message, entries), *_calls(message)]
    if not deltas and entries:
        deltas = [AIMessageChunk(content=_empty(message))]
    if deltas:
        deltas[0].additional_kwargs = dict(message.additional_kwargs)
        deltas[0].id = message.id
    shares = _shares(entries, len(deltas))
    return [*map(_with_logprobs, deltas, shares), _last(message, first=not deltas)]


def _text(message: AIMessage, entries: list[dict[str, Any]]) -> Iterator[AIMessageChunk]:
    if not isinstance(message.content, str):
        yield from (AIMessageChunk(content=[block]) for block in message.content)
        return
    tokens = [entry["token"] for entry in entries]
    pieces = tokens if "".join(tokens) == message.content else _WORDS.findall(message.content)
    yield from (AIMessageChunk(content=piece) for piece in pieces)


def _calls(message: AIMessage) -> Iterator[AIMessageChunk]:
    proposed = [(c["name"], json.dumps(c["args"]), c["id"]) for c in message.tool_calls]
    proposed += [(c["name"] or "", c["args"] or "", c["id"]) for c in message.invalid_tool_calls]
    for index, (name, arguments, call_id) in enumerate(proposed):
        yield _call(message, tool_call_chunk(name=name, args="", id=call_id, index=index))
        for at in range(0, len(arguments), _ARGUMENT_PIECE):
            piece = arguments[at : at + _ARGUMENT_PIECE]
            yield _call(message, tool_call_chunk(args=piece, index=index))


def _call(message: AIMessage, chunk: Any) -> AIMessageChunk:
    return AIMessageChunk(content=_empty(message), tool_call_chunks=[chunk])


def _empty(message: AIMessage) -> str | list[str | dict[str, Any]]:
    """Nothing, in the type of the content, so that adding it changes nothing."""
    return "" if isinstance(message.content, str) else []


def _shares(entries: list[dict[str, Any]], parts: int) -> Iterator[list[dict[str, Any]]]:
    for i in range(parts):
        yield entries[len(entries) * i // parts : len(entries) * (i + 1) // parts]


def _with_logprobs(delta: AIMessageChunk, entries: list[dict[str, Any]]) -> ChatGenerationChunk:
    info = {"logprobs": {"content": entries, "refusal": None}} if entries else None
    return ChatGenerationChunk(message=delta, generation_info=info)


def _last(message: AIMessage, *, first: bool) -> ChatGenerationChunk:
    metadata = {k: v for k, v in message.response_metadata.items() if k != "logprobs"}
    delta = AIMessageChunk(
        content=_empty(message),
        response_metadata=metadata,
        usage_metadata=message.usage_metadata,
        chunk_position="last",
    )
    if first:
        delta.additional_kwargs, delta.id = dict(message.additional_kwargs), message.id
    return ChatGenerationChunk(message=delta)
