"""An observer that does nothing, to be subclassed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentcal.recorder._info import RunInfo
from agentcal.recorder._review import Review
from agentcal.trajectory import Step, ToolCall, Trajectory

if TYPE_CHECKING:
    from agentcal.calibration import Confidence
    from agentcal.policy import TurnDecision


class QuietObserver:
    """An :class:`Observer` whose methods do nothing: override those that you need."""

    def started(self, run: RunInfo) -> None:
        """Do nothing."""

    def replied(self, run: RunInfo, turn: int, step: Step, confidence: Confidence | None) -> None:
        """Do nothing."""

    def decided(self, run: RunInfo, decision: TurnDecision) -> None:
        """Do nothing."""

    def reviewed(self, run: RunInfo, review: Review) -> None:
        """Do nothing."""

    def called(self, run: RunInfo, turn: int, position: int, call: ToolCall) -> None:
        """Do nothing."""

    def returned(self, run: RunInfo, turn: int, position: int, call: ToolCall) -> None:
        """Do nothing."""

    def interrupted(self, run: RunInfo) -> None:
        """Do nothing."""

    def resumed(self, run: RunInfo) -> None:
        """Do nothing."""

    def ended(self, run: RunInfo, trajectory: Trajectory) -> None:
        """Do nothing."""
