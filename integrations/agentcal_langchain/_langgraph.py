"""What is shared with ``agentcal_langgraph``, so that both record a run in the same words."""

from __future__ import annotations

from collections.abc import Sequence

from langchain_core.messages import BaseMessage

from agentcal_langgraph.building import (
    Answer,
    Invocation,
    Place,
    ReviewError,
    Scope,
    Turn,
    Watch,
    answers_in,
    as_call,
    raised,
    result_of,
    review_request,
    tools_in,
    was_cancelled,
    watch_at,
)

__all__ = [
    "Answer",
    "Invocation",
    "Place",
    "ReviewError",
    "Scope",
    "Turn",
    "Watch",
    "answers_in",
    "as_call",
    "raised",
    "reopened",
    "result_of",
    "review_request",
    "tools_in",
    "was_cancelled",
    "watch_at",
]


def reopened(watch: Watch, messages: Sequence[BaseMessage]) -> None:
    """Find or start the run now; where nobody kept what happened before, the messages tell it."""
    watch.recalled(messages)
