"""A model's reply as a policy is asked about it."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any, NamedTuple
from uuid import uuid4

from langchain_core.messages import AIMessage

from agentcal import Confidence, ToolDeclaration
from agentcal.policy import GatedTurn, ProposedCall
from agentcal_langchain._frozen import gates_in
from agentcal_langchain._state import record_in
from agentcal_langgraph.building import Watch


class Facts(NamedTuple):
    """What the recorder knows of the newest turn; ``turn`` counts from 1.

    Of all agents in this run, as far as this process has seen them, ``scores`` by turn, and the
    ids of the messages that a gate had checked (``sent_back``).
    """

    run_id: str
    turn: int
    agent: str | None = None
    model: str | None = None
    scores: Mapping[int, Confidence | None] = {}
    sent_back: Set[str] = frozenset()


class Reply(NamedTuple):
    """A reply, how sure it leaves us, and why not where it does not."""

    message: AIMessage
    confidence: Confidence | None
    missing: str


def facts_of(watch: Watch, message: AIMessage, confidence: Confidence | None) -> Facts | None:
    """What is known of the turn with this message; None where the recorder has lost the run."""
    run, said = watch.open(), watch.said.get(message.id or "")
    point = confidence or said or run.decision()
    if point is None or run.closed:
        return None
    scores = {one.turn: one.confidence for one in [*watch.said.values()]}
    who, sent_back = watch.who, frozenset(watch.sent_back)
    return Facts(run.run_id, point.turn, who.agent, who.model, scores, sent_back)


def with_ids(message: AIMessage) -> None:
    """Give the reply an id, and its calls ids that tell them apart: providers may forget to."""
    message.id = message.id or str(uuid4())
    seen: set[str] = set()
    for call in message.tool_calls:
        known = call["id"] or ""
        call["id"] = fresh = known if known and known not in seen else f"call_{uuid4().hex}"
        seen.add(fresh)


def gated_turn(
    reply: Reply, facts: Facts, state: Any, name: str, declared: Mapping[str, ToolDeclaration]
) -> GatedTurn:
    """The turn, with what is known of the turns before it."""
    message, scores = reply.message, {**facts.scores, **_scores_in(state, name)}
    return GatedTurn(
        run_id=facts.run_id,
        turn=facts.turn,
        confidence=reply.confidence,
        calls=calls_of(message, declared),
        trail=tuple(scores.get(turn) for turn in range(1, facts.turn)),
        checks=len(facts.sent_back | _sent_back(state, name)),
        answer=answer_of(message),
        agent=facts.agent,
        model=facts.model,
        missing=reply.missing,
    )


def calls_of(
    message: AIMessage, declared: Mapping[str, ToolDeclaration]
) -> tuple[ProposedCall, ...]:
    """All calls of the reply, in the order of the record: those that did not parse come last."""
    parsed = [
        ProposedCall(call["name"], call["args"], call["id"] or "", declared.get(call["name"]))
        for call in message.tool_calls
    ]
    broken = [
        ProposedCall(name, None, call["id"] or "", declared.get(name), call["args"] or "")
        for call in message.invalid_tool_calls
        for name in [call["name"] or ""]
    ]
    return (*parsed, *broken)


def answer_of(message: AIMessage) -> str:
    """What the reply says to the user."""
    return str(message.text)


def next_turn(state: Any, name: str) -> int:
    """The number of a turn that the recorder has not counted: one that no other turn has."""
    record = record_in(state, name)
    turns = 0 if record is None else len(record["turns"])
    return max(turns, *_scores_in(state, name), 0) + 1


def _sent_back(state: Any, name: str) -> set[str]:
    gates = gates_in(state, name)
    return {message_id for message_id, gate in gates.items() if gate.get("sent_back") is True}


def _scores_in(state: Any, name: str) -> dict[int, Confidence]:
    record = record_in(state, name)
    stored = [] if record is None else [one for one in record["turns"].values() if one is not None]
    return {one["turn"]: Confidence(**one) for one in stored}
