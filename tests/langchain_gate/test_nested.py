"""Agents that tools of an agent call, and agents inside larger graphs: each gate holds."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain_core.messages import HumanMessage
from langchain_core.tools import StructuredTool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command

from agentcal.policy import Always, Policy, Verdict
from agentcal.testing import Ledger, call, calls
from agentcal_langchain import CalibrationMiddleware
from agentcal_langgraph import CalibrationCallbackHandler
from tests.langchain.agents import ACCOUNTS, Watched, agent, on
from tests.langchain_gate.desk import (
    APPROVE,
    ASK,
    EDIT,
    FEW,
    LOOK,
    PAY,
    REJECT,
    WAYS,
    Desk,
    Steady,
    last_words,
    ledger_tools,
    on_transfer,
    results,
)

ESCALATE = on_transfer(Verdict.ESCALATE)
DELEGATE = call("delegate", {"task": "Pay bob 30."})


class Office:
    """An agent whose tool asks another agent; both with a gate over one recorder."""

    def __init__(
        self, outer: Policy, inner: Policy, script: Any = None, *, orders: int = 1
    ) -> None:
        self.watched, self.book = Watched(Steady()), Ledger(ACCOUNTS)
        gate = CalibrationMiddleware(recorder=self.watched.recorder, policy=inner)
        own = [calls(LOOK), calls(PAY), "Paid."]
        clerk = agent([gate], script or own, ledger_tools(self.book))

        def delegate(task: str) -> str:
            """Let the clerk do it."""
            return last_words(clerk.invoke({"messages": [HumanMessage(task)]}))

        async def adelegate(task: str) -> str:
            """Let the clerk do it."""
            return last_words(await clerk.ainvoke({"messages": [HumanMessage(task)]}))

        tool = StructuredTool.from_function(delegate, adelegate, name="delegate")
        gate = CalibrationMiddleware(recorder=self.watched.recorder, policy=outer)
        script = [*(calls(DELEGATE) for _ in range(orders)), "All done."]
        self.graph = agent([gate], script, [tool], checkpointer=InMemorySaver())


@pytest.mark.parametrize("way", FEW)
@pytest.mark.parametrize(("answer", "moved"), [(APPROVE, [30]), (REJECT, []), (EDIT, [1])])
def test_the_clerk_asks_and_the_whole_office_waits(answer: Any, moved: Any, way: str) -> None:
    office = Office(on_transfer(Verdict.PROCEED), ESCALATE)
    WAYS[way](office.graph, ASK, on("t-1"))
    (asked,) = office.graph.get_state(on("t-1")).interrupts
    assert asked.value["action_requests"][0]["name"] == "transfer"
    assert office.book.entries == []
    WAYS[way](office.graph, Command(resume={"decisions": [answer]}), on("t-1"))
    assert [entry.amount for entry in office.book.entries] == moved
    assert last_words(office.graph.get_state(on("t-1")).values) == "All done."
    run = office.watched.run()
    assert [step.text for step in run.steps][-2:] == ["Paid.", "All done."]
    assert (run.end_reason, office.watched.recorder.stats.started) == ("answered", 1)


@pytest.mark.parametrize("way", FEW)
def test_a_clerk_that_gives_up_leaves_the_rest_to_the_agent(way: str) -> None:
    office = Office(on_transfer(Verdict.PROCEED), on_transfer(Verdict.ABSTAIN))
    WAYS[way](office.graph, ASK, on("t-1"))
    state = office.graph.get_state(on("t-1")).values
    assert "not sure enough" in results(state)[-1][1]
    assert last_words(state) == "All done."
    run = office.watched.run()
    assert (run.end_reason, run.interventions[0].kind) == ("answered", "aborted")


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
def test_both_gates_hold(way: str) -> None:
    outer = Policy.of(Always(verdict=Verdict.ESCALATE, tools=("delegate",)), mode="enforce")
    office = Office(outer, ESCALATE)
    WAYS[way](office.graph, ASK, on("t-1"))
    for name in ("delegate", "transfer"):
        (asked,) = office.graph.get_state(on("t-1")).interrupts
        assert asked.value["action_requests"][0]["name"] == name
        assert office.book.entries == []
        WAYS[way](office.graph, Command(resume={"decisions": [APPROVE]}), on("t-1"))
    assert [entry.amount for entry in office.book.entries] == [30]


def test_turns_and_checks_are_counted_over_all_agents_of_a_run() -> None:
    seen: list[Any] = []

    def look(turn: Any, decisions: Any) -> bool:
        seen.append(turn)
        return True

    policy = on_transfer(Verdict.VERIFY)
    office = Office(on_transfer(Verdict.PROCEED), policy)
    gate = CalibrationMiddleware(recorder=office.watched.recorder, policy=policy, verifier=look)
    clerk = agent([gate], [calls(LOOK), calls(PAY), "Paid."], ledger_tools(office.book))

    def delegate(task: str) -> str:
        """Let the clerk do it."""
        return last_words(clerk.invoke({"messages": [HumanMessage(task)]}))

    tool = StructuredTool.from_function(delegate)
    outer = CalibrationMiddleware(recorder=office.watched.recorder, policy=ESCALATE)
    graph = agent([outer], [calls(DELEGATE), "All done."], [tool], checkpointer=InMemorySaver())
    graph.invoke(ASK, on("t-2"))
    (turn,) = seen
    assert turn.turn == 3
    assert [one.turn for one in turn.trail] == [1, 2]  # the agent's turn, and the clerk's first


def test_another_agent_of_the_run_is_not_sent_back_again() -> None:
    policy = on_transfer(Verdict.VERIFY)
    office = Office(on_transfer(Verdict.PROCEED), policy, [calls(PAY), "Later."], orders=2)
    office.graph.invoke(ASK, on("t-1"))
    (asked,) = office.graph.get_state(on("t-1")).interrupts
    assert "checked 1 times already" in asked.value["action_requests"][0]["description"]


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
def test_under_a_handler_too_only_the_outermost_agent_ends_the_run(way: str) -> None:
    for outer, inner, end in (
        (Verdict.PROCEED, Verdict.ABSTAIN, "answered"),
        (Verdict.ABSTAIN, Verdict.PROCEED, "abstained"),
    ):
        rule = Always(verdict=Verdict.ABSTAIN, tools=("delegate",))
        mine = Policy.of(rule, mode="enforce") if outer is Verdict.ABSTAIN else on_transfer(outer)
        office, watched = Office(mine, on_transfer(inner)), Watched(Steady())
        handler = CalibrationCallbackHandler(watched.recorder)
        WAYS[way](office.graph, ASK, on("t-1", callbacks=[handler]))
        assert watched.run().end_reason == end


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_node_of_a_larger_graph(asynchronous: bool) -> None:
    desk = Desk(ESCALATE)
    builder = StateGraph(MessagesState)
    inner = agent([desk.middleware], [calls(PAY), "Paid."], ledger_tools(desk.book))
    builder.add_node("teller", inner)
    builder.add_edge(START, "teller")
    graph = builder.compile(checkpointer=InMemorySaver())
    resume: Any = Command(resume={"decisions": [REJECT]})
    for given in (ASK, resume):
        assert desk.moved == []
        if asynchronous:
            asyncio.run(graph.ainvoke(given, on("t-1")))
        else:
            graph.invoke(given, on("t-1"))
    assert desk.moved == []
    assert graph.get_state(on("t-1")).values["messages"][-1].text == "Paid."
