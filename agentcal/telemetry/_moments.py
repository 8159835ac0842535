"""What happened, as the emitters are told of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from agentcal.recorder import RunInfo
from agentcal.trajectory import Step, ToolCall

if TYPE_CHECKING:
    from agentcal.calibration import Confidence
    from agentcal.policy import Decision


class Turn(NamedTuple):
    """A model turn that is over, and what was thought of it."""

    run: RunInfo
    number: int
    step: Step
    confidence: Confidence | None
    end_ns: int

    @property
    def agent(self) -> str | None:
        """Who took the turn."""
        return self.step.agent or self.run.agent

    @property
    def model(self) -> str | None:
        """The model that replied."""
        return self.step.model or self.run.model

    @property
    def start_ns(self) -> int:
        """When the model was asked; the end where the recorder does not know."""
        return self.end_ns - int((self.step.latency_s or 0.0) * 1e9)

    @property
    def kind(self) -> str:
        """Which decision is due."""
        return "tool_turn" if self.step.tool_calls else "answer_turn"

    @property
    def label(self) -> str:
        """Scored, scored far from anything seen, or not scored."""
        if self.confidence is None:
            return "unavailable"
        return "supported" if self.confidence.supported else "unfamiliar"


class Ruled(NamedTuple):
    """A decision of a policy about one call, or about an answer."""

    run: RunInfo
    decision: Decision

    @property
    def at_ns(self) -> int:
        """When it was decided."""
        return int(self.decision.at.timestamp() * 1e9)


class ToolUse(NamedTuple):
    """A call whose tool has run."""

    run: RunInfo
    turn: int
    position: int
    call: ToolCall
    start_ns: int
    end_ns: int
