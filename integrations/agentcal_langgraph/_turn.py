"""A turn of a model: while it is asked, and once it has spoken."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from agentcal import Confidence, Message

if TYPE_CHECKING:
    from agentcal_langgraph._watch import Watch


class Turn(NamedTuple):
    """A model that was asked and has not replied yet."""

    watch: Watch
    key: str
    inputs: list[Message]
    agent: str | None
    model: str | None
    asked: float
    ns: str


class Said(NamedTuple):
    """A turn that was taken, for whoever gates it. ``turn`` counts from 1.

    ``ns``: the task in which the model was asked, as LangGraph names it.
    """

    message_id: str
    turn: int
    confidence: Confidence | None
    ns: str
