"""A model that proposed one call and gets the result of another has to be told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from langchain_core.messages import ToolCall, ToolMessage
from langgraph.types import Command


def annotated(output: Any, call: ToolCall, key: str) -> Any:
    """The output of a tool node for ``call``, which a reviewer has changed: it says what ran."""
    ran = f"{call['name']} with arguments {json.dumps(call['args'], default=str)}"
    return _noted(output, f"A reviewer changed this call before it ran. What ran is {ran}.", key)


def _noted(output: Any, note: str, key: str) -> Any:
    if isinstance(output, ToolMessage):
        return _with_note(output, note)
    if isinstance(output, (list, tuple)):
        return [_noted(part, note, key) for part in output]
    if isinstance(output, Mapping):
        return {**output, key: _noted(output[key], note, key)} if key in output else output
    if isinstance(output, Command) and isinstance(output.update, Mapping):
        return replace(output, update=_noted(output.update, note, key))
    return output


def _with_note(message: ToolMessage, note: str) -> ToolMessage:
    content: Any = message.content
    if isinstance(content, str):
        return message.model_copy(update={"content": f"{note}\n{content}" if content else note})
    return message.model_copy(update={"content": [{"type": "text", "text": note}, *content]})
