"""Where the middleware sits in one run: it records the run, or reads along with who does."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

from langchain.agents.middleware import ModelRequest, ToolCallRequest
from langchain_core.messages import AIMessage, BaseMessage

from agentcal import Confidence
from agentcal.policy import TurnDecision
from agentcal.recorder import Review
from agentcal_langchain._state import RunRecord
from agentcal_langchain._turns import Facts


class Seat(Protocol):
    """What one hook of the middleware tells, and what it is told. No method raises.

    ``record`` is the head of what is kept in the agent's state, without turns; None: keep nothing.
    """

    record: RunRecord | None

    def asked(self, request: ModelRequest[Any]) -> None:
        """The model is about to be asked."""

    def replied(self, messages: Sequence[BaseMessage]) -> Confidence | None:
        """The model replied; the confidence from here on, None where it is not available."""

    def facts(self, message: AIMessage, confidence: Confidence | None) -> Facts | None:
        """What is known of the turn that was just replied; None: the run is not followed."""

    def decided(self, decision: TurnDecision) -> None:
        """A policy has decided about a turn."""

    def asking(self) -> None:
        """The agent waits: somebody is asked about its calls, or its answer."""

    def reviewed(self, reviews: Sequence[Review]) -> None:
        """Somebody has answered."""

    def settled(self, call_ids: Collection[str], why: str = "") -> None:
        """The gate answers these calls: they do not run. ``why``: where no decision says so."""

    def sent_back(self, message_id: str) -> None:
        """The gate has this reply checked."""

    def called(self, request: ToolCallRequest) -> None:
        """A tool starts to run."""

    def at_work(self) -> AbstractContextManager[None]:
        """While the tool runs."""

    def returned(self, output: Any) -> None:
        """The tool is done."""

    def raised(self, error: BaseException) -> None:
        """The model, or the tool, raised."""

    def ended(self, messages: Sequence[BaseMessage], *, abstained: bool = False) -> None:
        """The agent is done; ``abstained``: the gate has ended it."""


class NoSeat:
    """Nothing is known of this run, and nothing is said about it."""

    record: RunRecord | None = None

    def asked(self, request: ModelRequest[Any]) -> None:
        """Nothing."""

    def replied(self, messages: Sequence[BaseMessage]) -> Confidence | None:
        """Never a confidence."""
        return None

    def facts(self, message: AIMessage, confidence: Confidence | None) -> Facts | None:
        """Nothing is known."""
        return None

    def decided(self, decision: TurnDecision) -> None:
        """Nothing."""

    def asking(self) -> None:
        """Nothing."""

    def reviewed(self, reviews: Sequence[Review]) -> None:
        """Nothing."""

    def settled(self, call_ids: Collection[str], why: str = "") -> None:
        """Nothing."""

    def sent_back(self, message_id: str) -> None:
        """Nothing."""

    def called(self, request: ToolCallRequest) -> None:
        """Nothing."""

    def at_work(self) -> AbstractContextManager[None]:
        """Nothing."""
        return nullcontext()

    def returned(self, output: Any) -> None:
        """Nothing."""

    def raised(self, error: BaseException) -> None:
        """Nothing."""

    def ended(self, messages: Sequence[BaseMessage], *, abstained: bool = False) -> None:
        """Nothing."""
