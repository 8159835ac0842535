"""Who is told what happens in a run, while it happens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from agentcal.recorder._info import RunInfo
from agentcal.recorder._review import Review
from agentcal.trajectory import Step, ToolCall, Trajectory

if TYPE_CHECKING:
    from agentcal.calibration import Confidence
    from agentcal.policy import TurnDecision


class Observer(Protocol):
    """Called in the thread of the agent, in the order of the events of a run, one at a time.

    An exception is logged once a kind, counted and ignored. Be quick: the agent waits. ``turn``
    counts from 1, ``position`` (of a call in its turn) from 0. Steps and calls are the recorder's
    own: read them, do not change them.
    """

    def started(self, run: RunInfo) -> None:
        """A request came in."""

    def replied(self, run: RunInfo, turn: int, step: Step, confidence: Confidence | None) -> None:
        """The model replied, and this is how likely the run is to succeed."""

    def decided(self, run: RunInfo, decision: TurnDecision) -> None:
        """A policy decided about the calls, or the answer, of a turn."""

    def reviewed(self, run: RunInfo, review: Review) -> None:
        """Somebody answered to a decision that was escalated."""

    def called(self, run: RunInfo, turn: int, position: int, call: ToolCall) -> None:
        """A tool starts to run."""

    def returned(self, run: RunInfo, turn: int, position: int, call: ToolCall) -> None:
        """A tool is done; ``call`` holds the result."""

    def interrupted(self, run: RunInfo) -> None:
        """The run waits for somebody. It comes back as ``resumed``, or never."""

    def resumed(self, run: RunInfo) -> None:
        """An interrupted run goes on, perhaps in another process than it began in."""

    def ended(self, run: RunInfo, trajectory: Trajectory) -> None:
        """The run is over, for the reason in ``trajectory.end_reason``."""
