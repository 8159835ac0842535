"""Why a graph stopped."""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Collection, Sequence
from typing import Any

from langchain_core.messages import AIMessage
from langgraph.errors import GraphBubbleUp, GraphRecursionError

from agentcal.trajectory import EndReason

_CANCELLED = (
    asyncio.CancelledError,
    concurrent.futures.CancelledError,
    GeneratorExit,
    KeyboardInterrupt,
    SystemExit,
)


def was_cancelled(error: BaseException) -> bool:
    """Whether somebody outside stopped the work."""
    return isinstance(error, _CANCELLED)


def reason_of(error: BaseException) -> EndReason:
    """Why a graph ended that raised ``error``.

    What bubbles up to the root is a request to stop for now, such as a drain: it can be resumed.
    """
    if isinstance(error, GraphRecursionError):
        return "max_steps"
    if was_cancelled(error):
        return "cancelled"
    return "interrupted" if isinstance(error, GraphBubbleUp) else "error"


def stops_before_tools(messages: Sequence[Any], waiting: Collection[str]) -> bool:
    """Whether the last word in a final state are calls that nobody has run.

    So it looks when a graph was told to stop before its tools, or when its caller runs them.
    """
    last = next((m for m in reversed(messages) if isinstance(m, AIMessage)), None)
    return last is not None and any(call["id"] in waiting for call in last.tool_calls)
