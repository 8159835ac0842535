"""A model's reply as a policy is asked about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import uuid4
from weakref import WeakKeyDictionary

from langchain_core.messages import AIMessage

from agentcal import Confidence, ToolDeclaration
from agentcal.policy import GatedTurn, ProposedCall
from agentcal.recorder import Run
from agentcal_langchain._frozen import Frozen, gates_in
from agentcal_langchain._langgraph import tools_in
from agentcal_langchain._state import record_in


class Facts(NamedTuple):
    """What the recorder knows of the newest turn; ``turn`` counts from 1.

    ``scores``: by turn, those of all agents in this run, as far as this process has seen them.
    """

    run_id: str
    turn: int
    agent: str | None = None
    model: str | None = None
    scores: Mapping[int, Confidence | None] = {}


class Reply(NamedTuple):
    """A reply, how sure it leaves us, and why not where it does not."""

    message: AIMessage
    confidence: Confidence | None
    missing: str


class _Known:
    """What does not have to be asked for at every turn of a run."""

    def __init__(self) -> None:
        self.agent: str | None = None
        self.model: str | None = None
        self.scores: dict[int, Confidence | None] = {}


_KNOWN: WeakKeyDictionary[Run, _Known] = WeakKeyDictionary()


def facts_of(run: Run, confidence: Confidence | None) -> Facts | None:
    """What is known of the turn with this confidence; None where the recorder has lost the run."""
    point = confidence or run.decision()
    if point is None or run.closed:
        return None
    known = _KNOWN.setdefault(run, _Known())
    if known.model is None:
        head = run.trajectory()
        known.agent, known.model = head.agent, head.model
    known.scores[point.turn] = confidence
    return Facts(run.run_id, point.turn, known.agent, known.model, dict(known.scores))


def with_ids(message: AIMessage) -> None:
    """Give the reply an id, and its calls ids that tell them apart: providers may forget to."""
    message.id = message.id or str(uuid4())
    seen: set[str] = set()
    for call in message.tool_calls:
        if not call["id"] or call["id"] in seen:
            call["id"] = f"call_{uuid4().hex}"
        seen.add(call["id"])


def gated_turn(reply: Reply, facts: Facts, state: Any, name: str, tools: Sequence[Any]) -> GatedTurn:
    """The turn, with what is known of the turns before it. ``tools`` are those offered."""
    message, scores = reply.message, {**facts.scores, **_scores_in(state, name)}
    return GatedTurn(
        run_id=facts.run_id,
        turn=facts.turn,
        confidence=reply.confidence,
        calls=calls_of(message, _declared(message, tools)),
        trail=tuple(scores.get(turn) for turn in range(1, facts.turn)),
        checks=checks_in(state, name),
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


def checks_in(state: Any, name: str) -> int:
    """How often this run was sent back to check."""
    return sum(gate.get("done") == "verified" for gate in gates_in(state, name).values())


def next_turn(state: Any, name: str) -> int:
    """The number of a turn that the recorder has not counted: one that no other turn has."""
    record = record_in(state, name)
    turns = 0 if record is None else len(record["turns"])
    return max(turns, *_scores_in(state, name), 0) + 1


def _scores_in(state: Any, name: str) -> dict[int, Confidence]:
    record = record_in(state, name)
    stored = [] if record is None else [one for one in record["turns"].values() if one is not None]
    return {one["turn"]: Confidence(**one) for one in stored}


def _declared(message: AIMessage, tools: Sequence[Any]) -> dict[str, ToolDeclaration]:
    called = {call["name"] for call in (*message.tool_calls, *message.invalid_tool_calls)}
    offered = [tool for tool in tools if _name(tool) in called]
    return {one.name: one for one in tools_in({"tools": offered}, ())} if offered else {}


def _name(tool: Any) -> Any:
    if isinstance(tool, Mapping):
        return (tool.get("function") or tool).get("name")
    return getattr(tool, "name", None)
