"""What decisions and reviews are in the record of a run: interventions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentcal.recorder._review import Review
from agentcal.trajectory import Intervention

if TYPE_CHECKING:
    from agentcal.policy import TurnDecision


def acted(decision: TurnDecision) -> dict[str, str]:
    """The verdicts of the turn that hold the agent up, each with the first reason for it."""
    return {one.verdict.value: one.reason for one in reversed(decision.decisions) if one.acts}


def by_people(review: Review) -> Intervention:
    """What somebody answered."""
    return Intervention(
        step=review.decision.turn - 1,
        kind=review.answer,
        by=review.by,
        detail=review.detail,
        waited_s=review.waited_s,
    )
