"""What tools gave back, as the text that the model gets to read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from langchain_core.messages import ToolMessage
from langgraph.types import Command

from agentcal_langgraph._messages import text_of
from agentcal_langgraph._request import messages_in


class Result(NamedTuple):
    """``final``: it is the message itself that the model reads, not what a program makes it of."""

    text: str
    failed: bool
    final: bool


def result_of(output: Any, call_id: str) -> Result:
    """The result in what a tool returned: a message, a ``Command`` with one, or a bare value."""
    for message in _messages(output):
        if not call_id or message.tool_call_id == call_id:
            return told(message)
    if isinstance(output, Command):
        return Result("", failed=False, final=False)
    return Result(_as_text(output), failed=False, final=False)


def told(message: ToolMessage) -> Result:
    """The result in a message."""
    return Result(text_of(message.content), failed=message.status == "error", final=True)


def raised(error: BaseException) -> Result:
    """The result that an exception is. How a model gets to know of it is up to the program."""
    return Result(f"{type(error).__name__}: {error}", failed=True, final=False)


def _messages(output: Any) -> Iterator[ToolMessage]:
    if isinstance(output, ToolMessage):
        yield output
    elif isinstance(output, Command):
        found = messages_in(output.update)
        yield from (message for message in reversed(found) if isinstance(message, ToolMessage))
    elif isinstance(output, Sequence) and not isinstance(output, str):
        for item in output:
            if isinstance(item, (ToolMessage, Command)):
                yield from _messages(item)


def _as_text(output: Any) -> str:
    if isinstance(output, str):
        return output
    try:
        return json.dumps(output, ensure_ascii=False)
    except (TypeError, ValueError):
        return str(output)
