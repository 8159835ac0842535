"""A run that a callback handler of ``agentcal_langgraph`` records: read its confidence."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from langchain.agents.middleware import ModelRequest
from langchain_core.callbacks import BaseCallbackManager
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.tools import BaseTool

from agentcal import Calibrator, Confidence
from agentcal.policy import TurnDecision
from agentcal.recorder import Recorder, Review
from agentcal_langchain._harmless import harmless
from agentcal_langchain._seat import NoSeat
from agentcal_langchain._state import RunRecord
from agentcal_langchain._turns import Facts, facts_of
from agentcal_langgraph.building import Watch, watch_at


def handlers_watch(config: Mapping[str, Any]) -> Watch | None:
    """What a handler in this configuration tells of this run; None: no handler watches it."""
    manager = config.get("callbacks")
    if not isinstance(manager, BaseCallbackManager) or manager.parent_run_id is None:
        return None
    found = (watch_at(handler, manager.parent_run_id) for handler in manager.handlers)
    return next((watch for watch in found if watch is not None), None)


class JoinedSeat(NoSeat):
    """Tells nothing, for the handler has seen it all; the handler's score is taken over.

    ``calibrator`` scores the handler's run where the handler has none of its own. ``outermost``:
    the agent is the graph that the handler watches, not a part of it.
    """

    def __init__(
        self, watch: Watch, recorder: Recorder, calibrator: Calibrator | None, *, outermost: bool
    ) -> None:
        self._watch, self._run = watch, watch.open()
        self._recorder, self._calibrator = recorder, calibrator
        self._outermost = outermost
        self._turns = 0
        self.record = RunRecord(run_id=self._run.run_id, place="", turns={})

    @harmless
    def asked(self, request: ModelRequest[Any]) -> None:
        """The model is about to be asked: what is known by now is not about its reply.

        The handler is told of tools as the model is shown them, without their hints.
        """
        self._watch.declares(tool for tool in request.tools if isinstance(tool, BaseTool))
        self._turns = self._turn()

    @harmless
    def replied(self, messages: Sequence[BaseMessage]) -> Confidence | None:
        """The handler's confidence; it heard of the reply before the model's caller did.

        A reply of which it has not heard, one from a cache for instance, has none.
        """
        reply = next((m for m in messages if isinstance(m, AIMessage)), None)
        known = None if reply is None else self._watch.said.get(reply.id or "")
        if known is not None and known.confidence is not None:
            return known.confidence
        if self._run.closed or self._turn() <= self._turns:
            return None
        if self._run.confidence is not None or self._calibrator is None:
            return self._run.confidence
        point = self._run.decision()
        if point is None:
            return None
        return self._calibrator.predict(point, **self._watch.who._asdict())

    @harmless
    def facts(self, message: AIMessage, confidence: Confidence | None) -> Facts | None:
        """As the handler has recorded the turn."""
        return facts_of(self._watch, message, confidence)

    @harmless
    def decided(self, decision: TurnDecision) -> None:
        """Into the handler's record."""
        self._run.decided(decision)

    @harmless
    def reviewed(self, reviews: Sequence[Review]) -> None:
        """Into the handler's record."""
        for review in reviews:
            self._watch.reviewed(review)

    @harmless
    def settled(self, call_ids: Collection[str], why: str = "") -> None:
        """Into the handler's record, where no decision tells it."""
        for call_id in call_ids if why else ():
            self._run.intervened("rejected", call_id=call_id, by="agentcal", detail=why)

    @harmless
    def sent_back(self, message_id: str) -> None:
        """It counts for all agents of the run."""
        self._watch.sent_back.add(message_id)

    @harmless
    def ended(self, messages: Sequence[BaseMessage], *, abstained: bool = False) -> None:
        """The handler sees the end, but not why, unless this agent is a part of its graph."""
        if abstained and self._outermost:
            self._watch.abstained = True

    def _turn(self) -> int:
        """The newest turn that the handler has heard of; 0 before the first, or without a score."""
        scored = self._run.confidence
        point = self._run.decision() if scored is None and self._calibrator is not None else scored
        return 0 if point is None else point.turn

    def _broke(self, doing: str, error: Exception) -> None:
        """The handler's record is whole; only the score of this middleware is missing."""
        self._recorder.failed(doing, error)
