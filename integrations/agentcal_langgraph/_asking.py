"""Interrupting for an answer, and telling the recorder what it was."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from langchain_core.messages import ToolCall
from langchain_core.runnables import RunnableConfig
from langgraph.errors import GraphInterrupt
from langgraph.types import interrupt

from agentcal.policy import Decision
from agentcal.recorder import Recorder, Review
from agentcal_langgraph._review import (
    Answer,
    AnswerType,
    ReviewError,
    answers_in,
    review_request,
)
from agentcal_langgraph._said import watch_in

_TOLD: dict[AnswerType, Literal["approved", "edited", "rejected", "responded"]] = {
    "approve": "approved",
    "edit": "edited",
    "reject": "rejected",
    "respond": "responded",
}


def ask(
    pending: Sequence[tuple[ToolCall, Decision]], *, lost: bool = False, skip: int = 0
) -> list[Answer]:
    """Interrupt until somebody has answered in a way that can be read.

    ``skip``: how many answers in this task are to questions that others have asked. Raises
    ``GraphInterrupt``, which is how a graph waits.
    """
    for _ in range(skip):
        interrupt(None)
    problem = ""
    while True:
        answer = interrupt(review_request(pending, problem=problem, lost=lost))
        try:
            return answers_in(answer, pending, lost=lost)
        except ReviewError as error:
            problem = str(error)


def next_question(request: dict[str, Any]) -> tuple[int, GraphInterrupt]:
    """How many answers this task has got for others, and the interrupt that waits for the next."""
    skip = 0
    while True:
        try:
            interrupt(request)
        except GraphInterrupt as waits:
            return skip, waits
        skip += 1


def tell(
    decisions: Sequence[Decision],
    answers: Sequence[Answer],
    config: RunnableConfig,
    recorder: Recorder | None,
) -> None:
    """The recorder gets to know what somebody answered, and after how long."""
    watch = watch_in(config, recorder)
    if watch is None:
        return
    for decision, answer in zip(decisions, answers, strict=True):
        waited = (datetime.now(UTC) - decision.at).total_seconds()
        told = Review(decision, _TOLD[answer.type], detail=answer.message, waited_s=max(waited, 0))
        watch.reviewed(told)
