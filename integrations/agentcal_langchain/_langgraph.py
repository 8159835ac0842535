"""What is shared with ``agentcal_langgraph``, so that both record a run in the same words."""

from __future__ import annotations

from collections.abc import Sequence

from langchain_core.messages import BaseMessage

from agentcal_langgraph.building import (
    Invocation,
    Place,
    Scope,
    Turn,
    Watch,
    raised,
    result_of,
    run_at,
    was_cancelled,
)

__all__ = [
    "Invocation",
    "Place",
    "Scope",
    "Turn",
    "Watch",
    "raised",
    "reopened",
    "result_of",
    "run_at",
    "was_cancelled",
]


def reopened(watch: Watch, messages: Sequence[BaseMessage]) -> None:
    """Find or start the run now; where nobody kept what happened before, the messages tell it."""
    watch.recalled(messages)
