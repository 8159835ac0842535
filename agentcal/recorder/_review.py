"""What somebody answered when a gate asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from agentcal.recorder._record import sound_s

if TYPE_CHECKING:
    from agentcal.policy import Decision

Answer = Literal["approved", "edited", "rejected", "responded"]


@dataclass(frozen=True, slots=True)
class Review:
    """The answer to one escalated decision.

    ``by``: who answered. ``detail``: what they said to it, in their words. ``waited_s``: from the
    question to the answer, in seconds; None where not known, and for what no clock can have
    measured. How the run turns out is another matter: a review is never an outcome.
    """

    decision: Decision
    answer: Answer
    by: str = "human"
    detail: str = ""
    waited_s: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "waited_s", sound_s(self.waited_s))
