"""Asking people, in one interrupt, until their answer can be read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

from langgraph.config import get_config

from agentcal.policy import Decision
from agentcal.recorder import Review
from agentcal_langchain._held import Item
from agentcal_langgraph.building import Answer, ask, saver_of

_PAST: dict[str, Literal["approved", "edited", "rejected", "responded"]] = {
    "approve": "approved",
    "edit": "edited",
    "reject": "rejected",
    "respond": "responded",
}


def can_ask() -> bool:
    """Whether this agent can wait for somebody. Without a checkpointer nothing could go on."""
    return saver_of(get_config()) is not None


def asked(items: Sequence[Item]) -> list[Answer]:
    """What people decide, one for each. Interrupts the agent until they have."""
    return ask([(item.call, item.decision_asked) for item in items])


def review(decision: Decision, answer: Answer) -> Review:
    """The same for the record. The question was put when the decision was made."""
    waited = (datetime.now(UTC) - decision.at).total_seconds()
    return Review(decision, _PAST[answer.type], detail=answer.message, waited_s=max(waited, 0.0))
