"""What happens before the tools: what may not go on is stopped, checked, or asked about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain.agents.middleware import ToolCallRequest
from langchain_core.messages import AIMessage, ToolCall
from langgraph.errors import GraphInterrupt

from agentcal import ConfigError
from agentcal.policy import (
    Decision,
    Gate,
    GatedTurn,
    ProposedCall,
    TurnDecision,
    Verdict,
    decision_key,
)
from agentcal_langchain._acts import Act, settle, stop
from agentcal_langchain._asking import asked, can_ask, review
from agentcal_langchain._finder import id_for
from agentcal_langchain._following import AskTool, Tool, ran
from agentcal_langchain._frozen import Frozen, frozen_for, gates_in, newest_reply
from agentcal_langchain._held import Held, held
from agentcal_langchain._once import run_once
from agentcal_langchain._permit import UNDECIDED, permit
from agentcal_langchain._seat import Seat
from agentcal_langchain._state import KEY, RunRecord, record_in
from agentcal_langchain._tools import Declared
from agentcal_langchain._turns import answer_of, next_turn
from agentcal_langchain._words import refused
from agentcal_langgraph.building import HELD_BACK, Answer, Steps

_NOBODY = "nobody can be asked, for this agent has no checkpointer"


class Gatekeeper:
    """Acts on decisions as they are frozen; it never looks at a score."""

    def __init__(
        self,
        gate: Gate,
        name: str,
        declared: Declared,
        *,
        asks_people: bool,
        abstain_message: str,
    ) -> None:
        self._gate, self._name, self._declared = gate, name, declared
        self._asks_people, self._abstain_message = asks_people, abstain_message

    @property
    def enforces(self) -> bool:
        """Whether calls that nobody has decided on are held up."""
        return self._gate.policy.mode == "enforce"

    def begin(self) -> None:
        """Raises :class:`ConfigError` where people may have to be asked and cannot be."""
        asks = self.enforces and self._gate.policy.may_escalate and self._asks_people
        if asks and not can_ask():
            raise ConfigError(
                "this policy may ask somebody, and the agent has no checkpointer to wait with: "
                "give one to create_agent(..., checkpointer=...), or take a policy that "
                "escalates nothing"
            )

    def held(self, state: Any) -> Held | None:
        """What of the newest turn must not go on as it is."""
        frozen = frozen_for(state, newest_reply(state["messages"]), self._name)
        if frozen is None and not self.enforces:
            return None
        return held(state, frozen, lambda *about: self._closed(state, *about))

    def act(self, seat: Seat, state: Any, turn: Held) -> dict[str, Any]:
        """What becomes of it, as an update of the state. May interrupt the agent."""
        act = self._act(seat, turn)
        if turn.closed is not None:
            seat.decided(turn.closed)
        seat.settled(act.settled)
        if act.frozen.sent_back:
            seat.sent_back(turn.reply.id or "")
        record = record_in(state, self._name)
        head = record or RunRecord(run_id=turn.frozen.decision.run_id, place="", turns={})
        gates = {turn.reply.id or "": act.frozen.record()}
        update: dict[str, Any] = {KEY: {self._name: {**head, "turns": {}, "gates": gates}}}
        if act.messages:
            update["messages"] = [*act.messages]
        if act.jump_to is not None:
            update["jump_to"] = act.jump_to
        if act.voids and state.get("structured_response") is not None:
            update["structured_response"] = None
        return update

    def stopped(self, state: Any) -> bool:
        """Whether the gate has ended the run."""
        return any(gate.get("stopped") is True for gate in gates_in(state, self._name).values())

    def tool(self, seat: Seat, request: ToolCallRequest, ask: AskTool) -> Steps[Tool]:
        """The call runs if the frozen decision, or a reviewer, lets it, and at most once."""
        found = permit(request, self._name, enforces=self.enforces)
        if found.request is None:
            seat.settled([request.tool_call["id"] or ""], found.why)
            return refused(request.tool_call, found.why)
        run = ask(found.request)
        if self._declared.repeatable(found.request.tool):
            return found.told((yield from ran(seat, request, run)))
        return found.told((yield from run_once(seat, request, found, run)))

    def _act(self, seat: Seat, turn: Held) -> Act:
        escalated = turn.of(Verdict.ESCALATE)
        if turn.verdict is Verdict.ABSTAIN:
            return stop(turn, turn.why, self._abstain_message)
        if escalated and not can_ask():
            return stop(turn, f"{_NOBODY}; {turn.why}", self._abstain_message)
        answers: list[Answer] = []
        if escalated:
            try:
                answers = asked(escalated)
            except GraphInterrupt:
                seat.asking()
                raise
            said = zip(escalated, answers, strict=True)
            seat.reviewed([review(item.decision, answer) for item, answer in said])
        return settle(turn, answers, HELD_BACK)

    def _closed(
        self, state: Any, reply: AIMessage, frozen: Frozen | None, calls: Sequence[ToolCall]
    ) -> TurnDecision:
        """Nobody has decided on these: somebody is asked, whatever the policy would let pass."""
        if frozen is None:
            record = record_in(state, self._name)
            run_id = id_for(state) if record is None else record["run_id"]
            number, first = next_turn(state, self._name), 0
        else:
            run_id, number = frozen.decision.run_id, frozen.decision.turn
            first = len(frozen.ids)
        proposed = tuple(ProposedCall(c["name"], c["args"], c["id"] or "") for c in calls)
        turn = GatedTurn(run_id, number, None, proposed, answer=answer_of(reply), missing=UNDECIDED)
        found = self._gate.decide(turn)
        keyed = [
            decision_key(run_id, number, at, call["name"], call["args"])
            for at, call in enumerate(calls, first)
        ] or [found.decisions[0].key]
        decisions = (_strict(one, key) for one, key in zip(found.decisions, keyed, strict=True))
        return found.model_copy(update={"decisions": tuple(decisions)})


def _strict(decision: Decision, key: str) -> Decision:
    ends = decision.verdict is Verdict.ABSTAIN
    verdict = Verdict.ABSTAIN if ends else Verdict.ESCALATE
    changes = {"key": key, "verdict": verdict, "mode": "enforce", "by": "undecided"}
    return decision.model_copy(update=changes if ends else {**changes, "reason": UNDECIDED})
