"""What somebody answered when a gate asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from agentcal.policy import Decision

Answer = Literal["approved", "edited", "rejected", "responded"]


@dataclass(frozen=True, slots=True)
class Review:
    """The answer to one escalated decision.

    ``by``: who answered. ``detail``: what they said to it, in their words. ``waited_s``: from the
    question to the answer, in seconds; None where not known. How the run turns out is another
    matter: a review is never an outcome.
    """

    decision: Decision
    answer: Answer
    by: str = "human"
    detail: str = ""
    waited_s: float | None = None
