"""What people decided about the calls that an interrupt asked them about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from agentcal import ToolCall
from agentcal.formats import langchain_decisions
from agentcal.trajectory import InterventionKind


class Decision(NamedTuple):
    """``call_id`` is empty where the answer does not tell which call it is about."""

    kind: InterventionKind
    call_id: str
    detail: str


def decisions_in(answer: Any, asked: Sequence[ToolCall]) -> list[Decision]:
    """The decisions in what a graph was resumed with, about the calls that wait.

    Read are the answers of ``HumanInTheLoopMiddleware`` and of the Agent Inbox; what other programs
    mean by theirs is not known here. Decisions come in the order of the calls: if there are as many
    as calls, they tell which is which.
    """
    found = langchain_decisions(answer)
    ids = [call.id for call in asked] if len(found) == len(asked) else [""] * len(found)
    return [
        Decision(kind, call_id, detail) for (kind, detail), call_id in zip(found, ids, strict=True)
    ]
