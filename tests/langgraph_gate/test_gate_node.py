"""Graphs whose tools run in ordinary functions, with the gate as a node of theirs."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import tools_condition
from langgraph.types import Command

from agentcal import ConfigError
from agentcal.policy import Policy, Verdict
from agentcal.recorder import Recorder
from agentcal.sinks import MemorySink
from agentcal.testing import Ledger, ScriptedChatModel, calls, ledger_tools
from agentcal_langgraph import (
    AllowedCalls,
    CalibrationCallbackHandler,
    GateState,
    allowed_calls,
    calibrated,
    decisions_in,
    gate_node,
)
from tests.langgraph_gate.gates import (
    LOOKS,
    Says,
    about_answers,
    always,
    asked_of,
    last,
    pays,
    results,
)

TWO = calls(pays(5), pays(7), LOOKS)
CONFIG: Any = {"configurable": {"thread_id": "t"}}
ASKED = {"messages": [("user", "pay bob")]}


class State(MessagesState, GateState):
    """The state of a graph with a gate node."""


class Hand:
    """A hand-written agent."""

    def __init__(self, policy: Policy, script: Any, **gate: Any) -> None:
        self.ledger, self.sink = Ledger({"alice": 1000, "bob": 20}), MemorySink()
        self.recorder = Recorder(Says(0.4, 0.9), sinks=[self.sink])
        kit = {tool.name: tool for tool in ledger_tools(self.ledger)}
        model = ScriptedChatModel(script=script).bind_tools([*kit.values()])

        def run_tools(state: State) -> dict[str, Any]:
            allowed = allowed_calls(state)
            done = [kit[call["name"]].invoke(call) for call in allowed.calls]
            return {"messages": [*done, *allowed.refused]}

        builder = StateGraph(State)
        builder.add_node("agent", lambda s: {"messages": [model.invoke(s["messages"])]})
        gate_at = gate_node(policy=policy, model="agent", tools=[*kit.values()], **gate)
        builder.add_node("gate", gate_at)
        builder.add_node("tools", run_tools)
        builder.add_edge(START, "agent")
        builder.add_edge("agent", "gate")
        builder.add_conditional_edges("gate", tools_condition)
        builder.add_edge("tools", "agent")
        handler = CalibrationCallbackHandler(self.recorder)
        self.built = builder.compile(checkpointer=InMemorySaver())
        self.graph = self.built.with_config(callbacks=[handler])

    def run(self, given: Any = None) -> Any:
        return self.graph.invoke(ASKED if given is None else given, CONFIG)

    @property
    def paid(self) -> list[int]:
        return [entry.amount for entry in self.ledger.entries]


def test_only_what_is_approved_runs() -> None:
    hand = Hand(always("escalate"), [TWO, "done"])
    assert [r["args"]["amount"] for r in asked_of(hand.run())] == [5, 7]
    args = {"source": "alice", "target": "bob", "amount": 6}
    edit = {"type": "edit", "edited_action": {"name": "transfer", "args": args}}
    found = hand.run(Command(resume={"decisions": [{"type": "reject"}, edit]}))
    assert hand.paid == [6]
    assert sorted(status for _, status in results(found)) == ["error", "success", "success"]
    assert last(found) == "done"
    decided = decisions_in(hand.graph.get_state(CONFIG).values)
    assert [d.confidence.value for d in decided if d.confidence] == [0.4, 0.9]
    assert decided[0].decisions[0].tier == "destructive"
    hand.recorder.close()
    kinds = [i.kind for i in hand.sink.runs[0].interventions]
    assert kinds == ["resumed", "rejected", "edited"]


def test_the_model_is_asked_to_check_its_calls_and_its_answer() -> None:
    hand = Hand(always("verify"), [TWO, "done"])
    found = hand.run()
    assert hand.paid == []
    assert last(found) == "done"

    def script(text: str) -> list[Any]:
        return ["checked" if text.startswith("Your answer") else "a guess"]

    hand = Hand(about_answers("verify", after_checks=Verdict.ABSTAIN), script)
    found = hand.run()
    assert [type(m) for m in found["messages"]] == [HumanMessage, AIMessage] * 2
    assert "not sure enough" in last(found)


def test_the_gate_ends_a_run() -> None:
    hand = Hand(always("abstain"), [TWO, "done"], abstain_message="I stop.")
    found = hand.run()
    assert (hand.paid, last(found)) == ([], "I stop.")
    assert [status for _, status in results(found)] == ["error"] * 3
    hand.recorder.close()
    assert hand.sink.runs[0].end_reason == "abstained"


def test_in_shadow_all_calls_are_allowed() -> None:
    hand = Hand(always("abstain").shadow(), [TWO, "done"])
    assert last(hand.run()) == "done"
    assert sorted(hand.paid) == [5, 7]


def test_what_nothing_was_decided_about_is_not_allowed() -> None:
    proposed = AIMessage("", id="m", tool_calls=[pays(5, "a"), pays(7, "b")])
    answered = ToolMessage("moved", tool_call_id="a")
    allowed = allowed_calls({"messages": [HumanMessage("pay"), proposed, answered]})
    assert allowed.calls == []
    assert [m.tool_call_id for m in allowed.refused] == ["b"]
    assert "nothing has decided" in allowed.refused[0].text
    assert allowed_calls({"messages": [HumanMessage("hi")]}) == AllowedCalls([], [])


def test_such_a_graph_is_not_gated_twice() -> None:
    hand = Hand(always("escalate"), ["x"])
    with pytest.raises(ConfigError, match="has gates already"):
        calibrated(hand.built, policy=always("escalate"), recorder=hand.recorder)
