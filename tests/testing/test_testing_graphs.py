"""The sample graphs run, sync and async, and their tools do what they say, once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.tools import ToolException
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from agentcal.testing import (
    Ledger,
    LedgerEntry,
    ScriptedChatModel,
    approval_graph,
    call,
    calls,
    fan_out_graph,
    handoff_graph,
    ledger_tools,
    nested_graph,
    react_graph,
    says,
    scripted_run,
)

PAY = call("transfer", {"source": "alice", "target": "bob", "amount": 30})
SCRIPT = [
    calls(call("get_balance", {"account": "alice"}), call("get_balance", {"account": "zoe"})),
    calls(PAY),
    says("Bob has been paid."),
]
ASK: dict[str, Any] = {"messages": [HumanMessage("Pay bob 30.")]}
THREAD: Any = {"configurable": {"thread_id": "t-1"}}


def kinds(messages: list[BaseMessage]) -> list[str]:
    return [message.type for message in messages]


def both_ways(graph: Any) -> list[dict[str, Any]]:
    return [graph.invoke(ASK), asyncio.run(graph.ainvoke(ASK))]


def test_react_runs_tools_and_hands_errors_back() -> None:
    ledger = Ledger()
    graph = react_graph(ScriptedChatModel(script=SCRIPT), ledger_tools(ledger))
    for state in both_ways(graph):
        assert kinds(state["messages"]) == ["human", "ai", "tool", "tool", "ai", "tool", "ai"]
        good, bad = state["messages"][2:4]
        assert (good.status, bad.status) == ("success", "error")
        assert "there is no account 'zoe'" in bad.text
    assert ledger.entries == [LedgerEntry("alice", "bob", 30)] * 2
    assert ledger.balance("alice") == 40


def test_scripted_run_returns_the_messages() -> None:
    ledger = Ledger()
    messages = scripted_run([calls(PAY), "Paid."], tools=ledger_tools(ledger))
    assert kinds(messages) == ["human", "ai", "tool", "ai"]
    assert len(ledger.entries) == 1


def test_nested() -> None:
    model = ScriptedChatModel(script=["First look, then pay.", *SCRIPT, "Checked."])
    for state in both_ways(nested_graph(model)):
        texts = [m.text for m in state["messages"] if isinstance(m, AIMessage)]
        assert texts == ["First look, then pay.", "", "", "Bob has been paid.", "Checked."]


def by_task(task: str) -> list[Any]:
    if task.startswith("Sum up."):
        return [f"{task.count('holds')} accounts"]
    return [calls(call("get_balance", {"account": task})), f"{task} holds something"]


def test_fan_out() -> None:
    graph = fan_out_graph(ScriptedChatModel(script=by_task), ["alice", "bob", "alice"])
    for state in both_ways(graph):
        assert state["messages"][-1].text == "3 accounts"
        assert [finding.split()[0] for finding in state["findings"]] == ["alice", "bob", "alice"]


def test_handoff() -> None:
    front = ScriptedChatModel(script=[calls(call("transfer_to_specialist"))], agent="front")
    specialist = ScriptedChatModel(script=SCRIPT, agent="specialist")
    for state in both_ways(handoff_graph(front, specialist)):
        names = [m.name for m in state["messages"] if isinstance(m, AIMessage)]
        assert names == ["front", "specialist", "specialist", "specialist"]
        assert len({m.id for m in state["messages"]}) == len(state["messages"])


def test_front_may_answer_itself() -> None:
    front = ScriptedChatModel(script=["Nothing to pay."], agent="front")
    specialist = ScriptedChatModel(script=[], agent="specialist")
    state = handoff_graph(front, specialist).invoke(ASK)
    assert state["messages"][-1].text == "Nothing to pay."


@pytest.mark.parametrize("approved", [True, False])
def test_approval_waits_before_it_acts(approved: bool) -> None:
    ledger = Ledger()
    model = ScriptedChatModel(script=SCRIPT)
    graph = approval_graph(model, ledger_tools(ledger), checkpointer=InMemorySaver())
    (asked,) = graph.invoke(ASK, THREAD)["__interrupt__"]
    (wanted,) = asked.value["calls"]
    assert (wanted["name"], wanted["args"]["amount"]) == ("transfer", 30)
    assert ledger.entries == []
    state = graph.invoke(Command(resume=approved), THREAD)
    result = state["messages"][-2]
    assert isinstance(result, ToolMessage)
    assert (result.status == "success", len(ledger.entries) == 1) == (approved, approved)


def test_the_ledger_refuses_what_it_cannot_do() -> None:
    ledger = Ledger({"a": 1, "b": 0})
    for source, target, amount in [("a", "b", 2), ("a", "c", 1), ("a", "b", 0), ("c", "a", 1)]:
        with pytest.raises(ToolException):
            ledger.transfer(source, target, amount)
    assert ledger.entries == []
    assert (ledger.balance("a"), ledger.balance("b")) == (1, 0)
