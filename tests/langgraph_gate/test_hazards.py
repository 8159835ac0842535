"""LangGraph's own hazards, as they were seen without a gate, do not reach anybody with one."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from langgraph.types import Command, RetryPolicy, interrupt

from agentcal import ConfigError
from agentcal.recorder import Recorder
from agentcal.testing import ScriptedChatModel, call, calls, react_graph
from agentcal_langgraph import calibrated
from tests.langgraph_gate.gates import Desk, Says, always, asked_of, last, pays

APPROVE, REJECT = {"type": "approve"}, {"type": "reject"}


class Tools:
    """A tool that counts its runs, and one that asks somebody itself; both dawdle."""

    def __init__(self, seed: int = 0) -> None:
        self.ran: Counter[int] = Counter()
        self.told: dict[int, Any] = {}
        self._lock, self._random = threading.Lock(), random.Random(seed)

    def kit(self) -> list[Any]:
        @tool
        def act(n: int) -> str:
            """Do something once."""
            self._dawdle()
            with self._lock:
                self.ran[n] += 1
            return f"did {n}"

        @tool
        def ask(n: int) -> str:
            """Ask somebody."""
            self._dawdle()
            self.told[n] = interrupt({"number": n})
            return f"{n} told {self.told[n]}"

        return [act, ask]

    def _dawdle(self) -> None:
        with self._lock:
            pause = self._random.random() * 0.004
        time.sleep(pause)


def _gated(tools: Tools, script: list[Any], policy: Any = None, build: Any = react_graph) -> Any:
    model, saver = ScriptedChatModel(script=script), InMemorySaver()
    graph = build(model, tools.kit(), checkpointer=saver)
    return calibrated(graph, policy=policy or always("escalate", "act"), calibrator=Says(0.5))


def _config(name: object = "t") -> Any:
    return {"configurable": {"thread_id": str(name)}}


@pytest.mark.parametrize("seed", range(8))
def test_h1_answers_reach_the_calls_that_they_are_about(seed: int) -> None:
    tools = Tools(seed)
    several = calls(*(call("act", {"n": n}) for n in range(6)))
    graph = _gated(tools, [several, "done"])
    graph.invoke({"messages": [("user", "go")]}, _config())
    said = [APPROVE if random.Random(seed + n).random() < 0.5 else REJECT for n in range(6)]
    graph.invoke(Command(resume={"decisions": said}), _config())
    assert dict(tools.ran) == {n: 1 for n in range(6) if said[n] is APPROVE}


@pytest.mark.parametrize("seed", range(4))
def test_h1_nor_are_the_interrupts_of_the_tools_themselves_mixed_up(seed: int) -> None:
    tools = Tools(seed)
    several = calls(*(call("ask", {"n": n}) for n in range(4)), call("act", {"n": 9}))
    graph = _gated(tools, [several, "done"], always("escalate", "none"))
    found = graph.invoke({"messages": [("user", "go")]}, _config())
    while asked := found.get("__interrupt__"):
        first = asked[0]
        answer = {first.id: f"answer {first.value['number']}"}
        found = graph.invoke(Command(resume=answer), _config())
    assert tools.told == {n: f"answer {n}" for n in range(4)}
    assert tools.ran == {9: 1}


def test_h2_a_call_beside_one_that_waits_runs_once() -> None:
    for branch in (False, True):  # in tasks of their own, and in one
        tools = Tools()

        def build(model: Any, kit: Any, *, checkpointer: Any, branch: bool = branch) -> Any:
            builder = StateGraph(MessagesState)
            bound = model.bind_tools(kit)
            builder.add_node("agent", lambda s: {"messages": [bound.invoke(s["messages"])]})
            builder.add_node("tools", ToolNode(kit))
            builder.add_edge(START, "agent")
            builder.add_conditional_edges("agent", tools_condition)
            if branch:
                builder.add_conditional_edges("tools", lambda _: "agent", ["agent"])
            else:
                builder.add_edge("tools", "agent")
            return builder.compile(checkpointer=checkpointer)

        several = calls(call("act", {"n": 1}), call("ask", {"n": 0}), call("act", {"n": 2}))
        graph = _gated(tools, [several, "done"], always("escalate", "none"), build)
        found = graph.invoke({"messages": [("user", "go")]}, _config())
        assert found["__interrupt__"][0].value == {"number": 0}
        found = graph.invoke(Command(resume="yes"), _config())
        assert last(found) == "done"
        assert tools.ran == {1: 1, 2: 1}
        assert tools.told == {0: "yes"}


def test_h3_nothing_is_scored_or_decided_again_on_resume() -> None:
    desk = Desk(always("escalate"), [calls(pays(5)), "done"])
    desk.run()
    assert desk.calibrator.asked == [1]
    desk.run(Command(resume="rubbish"))
    desk.run(Command(resume={"decisions": [APPROVE]}))
    assert desk.calibrator.asked == [1, 2]


def test_h5_a_graph_that_cannot_wait_is_refused() -> None:
    graph = react_graph(ScriptedChatModel(script=["x"]))
    with pytest.raises(ConfigError, match="checkpointer"):
        calibrated(graph, policy=always("escalate"), calibrator=Says())
    calibrated(graph, policy=always("escalate").shadow(), calibrator=Says())
    calibrated(graph, policy=always("abstain", without_score="abstain"), calibrator=Says())


def test_h5_and_where_it_turns_out_too_late_the_run_ends(caplog: Any) -> None:
    tools = Tools()
    model = ScriptedChatModel(script=[calls(call("act", {"n": 1})), "done"])
    graph = calibrated(
        react_graph(model, tools.kit()),
        policy=always("escalate", "act"),
        calibrator=Says(),
        subgraph=True,
    )
    found = graph.invoke({"messages": [("user", "go")]})
    assert tools.ran == {}
    assert "not sure enough" in last(found)
    assert "nobody can be asked" in caplog.text


def test_h6_several_questions_are_answered_by_their_ids() -> None:
    tools = Tools()
    several = calls(call("ask", {"n": 1}), call("ask", {"n": 2}))
    graph = _gated(tools, [several, "done"], always("escalate", "none"), _prebuilt)
    found = graph.invoke({"messages": [("user", "go")]}, _config())
    answers = {i.id: f"answer {i.value['number']}" for i in found["__interrupt__"]}
    assert len(answers) == 2
    assert last(graph.invoke(Command(resume=answers), _config())) == "done"
    assert tools.told == {1: "answer 1", 2: "answer 2"}


def _prebuilt(model: Any, tools: Any, **rest: Any) -> Any:
    return create_agent(model, tools, **rest)


def test_h6_the_id_of_another_interrupt_answers_nothing() -> None:
    desk = Desk(always("escalate"), [calls(pays(5)), "done"])
    desk.run()
    found = desk.run(Command(resume={"0" * 32: {"decisions": [APPROVE]}}))
    assert desk.paid == []
    assert len(asked_of(found)) == 1


@pytest.mark.parametrize("several", [False, True])
def test_h8_what_has_run_is_not_run_again_when_its_node_is_retried(several: bool) -> None:
    ran: Counter[str] = Counter()

    @tool
    def act(n: int) -> str:
        """Do something once."""
        ran[f"act {n}"] += 1
        return "done"

    @tool
    def shaky(n: int) -> str:
        """Fail the first time."""
        ran["shaky"] += 1
        if ran["shaky"] == 1:
            raise ValueError("a passing fault")
        return "fine"

    model = ScriptedChatModel(
        script=[calls(call("act", {"n": 1}), call("shaky", {"n": 0}), call("act", {"n": 2})), "ok"]
    ).bind_tools([act, shaky])
    again = RetryPolicy(initial_interval=0.001, jitter=False, retry_on=ValueError)
    builder = StateGraph(MessagesState)
    builder.add_node("agent", lambda s: {"messages": [model.invoke(s["messages"])]})
    builder.add_node("tools", ToolNode([act, shaky]), retry_policy=again)
    builder.add_edge(START, "agent")
    builder.add_conditional_edges("agent", tools_condition)
    if several:
        builder.add_conditional_edges("tools", lambda _: "agent", ["agent"])
    else:
        builder.add_edge("tools", "agent")
    graph = calibrated(
        builder.compile(checkpointer=InMemorySaver()),
        policy=always("escalate", "none"),
        recorder=Recorder(Says()),
    )
    assert last(graph.invoke({"messages": [("user", "go")]}, _config())) == "ok"
    assert ran == {"act 1": 1, "shaky": 2, "act 2": 1}
