"""What happens when a model has replied: a score, a decision, both frozen with the message."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any, NamedTuple

from langchain.agents.middleware import ExtendedModelResponse, ModelRequest, ModelResponse
from langchain_core.messages import AIMessage, ToolMessage
from langgraph.config import get_config
from langgraph.errors import GraphBubbleUp
from langgraph.types import Command

from agentcal.policy import Gate, GatedTurn, TurnDecision, Verdict
from agentcal_langchain._finder import Finder, id_for
from agentcal_langchain._following import AskModel, Model, replied
from agentcal_langchain._frozen import Frozen
from agentcal_langchain._harmless import harmless
from agentcal_langchain._seat import Seat
from agentcal_langchain._state import KEY, GateRecord, RunRecord, joined, record_in
from agentcal_langchain._stronger import stronger
from agentcal_langchain._tools import Declared
from agentcal_langchain._turns import Facts, Reply, gated_turn, next_turn, with_ids
from agentcal_langgraph.building import Do, EscalateTo, Steps, Verifier, called

_log = logging.getLogger("agentcal.gate")


class Judged(NamedTuple):
    """A response about which was decided."""

    response: ModelResponse[Any]
    reply: Reply
    turn: GatedTurn
    decision: TurnDecision

    def does(self, verdict: Verdict) -> bool:
        """Whether anything in the turn is held up with this verdict."""
        return any(one.acts and one.verdict is verdict for one in self.decision.decisions)


class Judge:
    """Decides once about each reply of an agent's model, before anything in it happens."""

    def __init__(
        self,
        gate: Gate,
        finder: Finder,
        name: str,
        declared: Declared,
        *,
        verifier: Verifier | None,
        escalate_to: EscalateTo,
    ) -> None:
        self._gate, self._finder, self._name = gate, finder, name
        self._verifier, self._escalate_to = verifier, escalate_to
        self._declared = declared

    def turn(self, seat: Seat, request: ModelRequest[Any], ask: AskModel) -> Steps[Model]:
        """Ask the model, decide, ask a stronger one or a verifier where the policy says so."""
        response = yield from replied(seat, request, ask)
        judged = yield from self._judged(seat, request, response)
        if judged is None:
            return response
        judged = yield from self._escalated(seat, request, ask, judged)
        found = yield from self._checked(judged)
        return self._frozen(seat, request, judged, found) or judged.response

    def _broke(self, doing: str, error: Exception) -> None:
        """The reply has no decision: after the model, an enforced policy holds it up."""
        self._finder._broke(doing, error)

    def _judged(
        self, seat: Seat, request: ModelRequest[Any], response: ModelResponse[Any]
    ) -> Steps[Judged | None]:
        found = self._proposed(seat, request, response)
        if found is None:
            return None
        reply, turn = found
        if self._gate.policy.budget is None:
            decision = self._gate.decide(turn)
        else:  # counting may touch a disk
            decision = yield Do(partial(self._gate.decide, turn))
        seat.decided(decision)
        return Judged(response, reply, turn, decision)

    @harmless
    def _proposed(
        self, seat: Seat, request: ModelRequest[Any], response: ModelResponse[Any]
    ) -> tuple[Reply, GatedTurn] | None:
        message = next((m for m in reversed(response.result) if isinstance(m, AIMessage)), None)
        if message is None:
            return None
        with_ids(message)
        confidence = seat.replied(response.result)
        facts = seat.facts(message, confidence)
        reply = Reply(message, confidence, _missing(confidence, facts))
        facts = facts or Facts(self._run_id(request.state), next_turn(request.state, self._name))
        declared = self._declared.of(message, request.tools)
        return reply, gated_turn(reply, facts, request.state, self._name, declared)

    def _escalated(
        self, seat: Seat, request: ModelRequest[Any], ask: AskModel, first: Judged
    ) -> Steps[Judged]:
        """What a stronger model says instead; the first reply where it cannot be asked."""
        asks = first.decision.verdict is Verdict.ESCALATE and first.does(Verdict.ESCALATE)
        model = stronger(self._escalate_to, first.turn) if asks else None
        if model is None:
            return first
        other = request.override(model=model)
        seat.asked(other)
        try:
            response = yield ask(other)
        except GraphBubbleUp:
            raise
        except Exception as error:
            _log.error("the stronger model failed (%s)", type(error).__name__)
            return first
        second = yield from self._judged(seat, other, response)
        return second or first

    def _checked(self, judged: Judged) -> Steps[str | None]:
        """What a verifier finds wrong; None if nothing is, and empty if none was asked."""
        verifier = self._verifier
        ends = judged.does(Verdict.ABSTAIN)
        if verifier is None or ends or not judged.does(Verdict.VERIFY):
            return ""
        try:
            said = yield called(get_config(), verifier, judged.turn, judged.decision.decisions)
        except GraphBubbleUp:
            raise
        except Exception as error:
            _log.error("the verifier failed (%s)", type(error).__name__)
            return f"the check failed ({type(error).__name__})"
        if said is True:
            return None
        return said if isinstance(said, str) and said else "a check found that it is wrong"

    @harmless
    def _frozen(
        self, seat: Seat, request: ModelRequest[Any], judged: Judged, found: str | None
    ) -> Model:
        result = judged.response.result
        told = {m.tool_call_id for m in result if isinstance(m, ToolMessage)}
        ids = tuple(call.call_id for call in judged.turn.calls) or ("",)
        frozen = Frozen(ids, judged.decision, tuple(i for i in ids if i in told), found)
        update = {KEY: {self._name: self._record(seat, request.state, judged, frozen.record())}}
        return ExtendedModelResponse(model_response=judged.response, command=Command(update=update))

    def _record(self, seat: Seat, state: Any, judged: Judged, gate: GateRecord) -> RunRecord:
        scored, message_id = judged.reply.confidence, judged.reply.message.id or ""
        before = record_in(state, self._name)
        head = seat.record or before or RunRecord(run_id=self._run_id(state), place="", turns={})
        turn = {message_id: None if scored is None else scored.to_json()}
        new: RunRecord = {**head, "turns": turn, "gates": {message_id: gate}}
        # A run that goes on under another id is still the same run.
        return new if before is None or before["run_id"] == new["run_id"] else joined(before, new)

    def _run_id(self, state: Any) -> str:
        record = record_in(state, self._name)
        return id_for(state) if record is None else record["run_id"]


def _missing(confidence: Any, facts: Facts | None) -> str:
    if confidence is not None:
        return ""
    return "this run is not recorded" if facts is None else "the turn could not be scored"
