"""Whatever happens on the way, the record is that of a run to which nothing happened."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langchain_core.runnables import RunnableLambda
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from langgraph.types import Command, RetryPolicy, interrupt

from agentcal import Trajectory
from agentcal.recorder import Recorder, SqlitePending
from agentcal.sinks import MemorySink
from agentcal.testing import ScriptedChatModel, call, calls
from agentcal_langgraph import CalibrationCallbackHandler
from tests.langgraph.agents import PURE, asked
from tests.langgraph.conftest import Watched, lasting

Shape = Literal["flat", "as_node", "called"]
TURNS = 3
AGAIN = RetryPolicy(initial_interval=0.001, jitter=False, max_attempts=3, retry_on=ValueError)


@dataclass
class Turn:
    """What happens around one turn of the model."""

    model_fails: int = 0
    tools_fail: int = 0
    asks: bool = False
    new_process: bool = False
    cancel: bool = False


@dataclass
class Plan:
    """The turns, and what of it has happened."""

    turns: list[Turn] = field(default_factory=lambda: [Turn() for _ in range(TURNS)])

    def fail(self, what: str, turn: int) -> None:
        left = getattr(self.turns[turn], what) if turn < len(self.turns) else 0
        if left:
            setattr(self.turns[turn], what, left - 1)
            raise ValueError("a passing fault")


def _build(plan: Plan, saver: Any, shape: Shape) -> Any:
    looks = [call("look", {"account": f"a{n}"}) for n in range(TURNS)]
    script = [calls(call("act", {"amount": n}), look) for n, look in enumerate(looks)]
    model: Any = ScriptedChatModel(script=[*script, "done"]).bind_tools(PURE)
    kit = ToolNode(PURE)

    def agent(state: MessagesState) -> dict[str, Any]:
        reply = model.invoke(state["messages"])
        plan.fail("model_fails", _turn(state))
        return {"messages": [reply]}

    def ask(state: MessagesState) -> None:
        turn = _turn(state) - 1
        if plan.turns[turn].asks:
            interrupt(f"turn {turn}?")

    def tools(state: MessagesState) -> Any:
        results = kit.invoke(state)
        plan.fail("tools_fail", _turn(state) - 1)
        return results

    builder = StateGraph(MessagesState)
    builder.add_node("agent", agent, retry_policy=AGAIN)
    builder.add_node("ask", ask)
    builder.add_node("tools", RunnableLambda(tools), retry_policy=AGAIN)
    builder.add_edge(START, "agent")
    builder.add_conditional_edges("agent", tools_condition, {"tools": "ask", "__end__": "__end__"})
    builder.add_edge("ask", "tools")
    builder.add_edge("tools", "agent")
    if shape == "flat":
        return builder.compile(checkpointer=saver)
    inner = builder.compile(name="inner")
    outer = StateGraph(MessagesState)
    outer.add_node("inner", inner if shape == "as_node" else _called(inner))
    outer.add_edge(START, "inner")
    return outer.compile(checkpointer=saver)


def _called(inner: Any) -> Any:
    def call_inner(state: MessagesState) -> Any:
        return inner.invoke(state)

    return call_inner


def _turn(state: Any) -> int:
    return sum(message.type == "ai" for message in state["messages"])


def _processes(folder: str, sink: MemorySink) -> Iterator[tuple[Any, Recorder]]:
    """What a process has that knows nothing but the files in the folder."""
    while True:
        with ExitStack() as stack:
            pending = SqlitePending(f"{folder}/pending.db")
            saver = stack.enter_context(SqliteSaver.from_conn_string(f"{folder}/graph.db"))
            yield saver, stack.enter_context(Recorder(sinks=[sink], pending=pending))


def _happen(plan: Plan, shape: Shape) -> list[Trajectory]:
    """Run until the graph is done, whatever the plan has in store."""
    sink = MemorySink()
    with tempfile.TemporaryDirectory() as folder:
        processes = _processes(folder, sink)
        saver, recorder = next(processes)
        given: Any = asked()
        cancels = [turn for turn in plan.turns if turn.cancel]
        fresh = [turn.new_process for turn in plan.turns if turn.asks]
        while True:
            config: Any = {
                "callbacks": [CalibrationCallbackHandler(recorder)],
                "configurable": {"thread_id": "t"},
            }
            graph = _build(plan, saver, shape)
            stream = graph.stream(given, config, durability="sync", subgraphs=True)
            cancelled = bool(cancels)
            if cancelled:
                cancels.pop()
                next(stream, None)
                stream.close()
            else:
                for _ in stream:
                    pass
            state = graph.get_state(config)
            if not (cancelled or state.next):
                break
            given = Command(resume="yes") if state.interrupts else None
            if fresh and fresh.pop():
                saver, recorder = next(processes)
        processes.close()  # type: ignore[attr-defined]
    return sink.runs


def _undisturbed(shape: Shape) -> dict[str, Any]:
    watched = Watched()
    graph = _build(Plan(), InMemorySaver(), shape)
    graph.invoke(asked(), watched.config("t"))
    return lasting(watched.run())


EXPECTED = {shape: _undisturbed(shape) for shape in ("flat", "as_node", "called")}
SHAPES = st.sampled_from(["flat", "as_node", "called"])
FAULTS = st.integers(0, 2)


def _plans(cancels: Any) -> Any:
    turns = st.builds(Turn, FAULTS, FAULTS, st.booleans(), st.booleans(), cancels)
    return st.lists(turns, min_size=TURNS, max_size=TURNS).map(Plan)


def _check_interrupts(plan: Plan, shape: Shape) -> None:
    (run,) = _happen(plan, shape)
    assert lasting(run) == EXPECTED[shape]


def _check_cancellations(plan: Plan, shape: Shape) -> None:
    *cut, run = _happen(plan, shape)
    assert {r.end_reason for r in cut} <= {"cancelled", "interrupted"}
    found, expected = lasting(run), copy.deepcopy(EXPECTED[shape])
    for step in (*found["steps"], *expected["steps"]):
        del step["agent"]  # where turns are read from the messages, these do not say who spoke
    found["gaps"] = [gap for gap in found["gaps"] if "not watched" not in gap]
    if not any(step["latency_s"] for step in run.model_dump()["steps"]):
        expected["tools"] = []  # the messages do not say either what no model was asked with
    assert found == expected


UNHURRIED = [HealthCheck.too_slow]


@settings(max_examples=12, suppress_health_check=UNHURRIED)
@given(_plans(st.just(False)), SHAPES)
def test_interrupts_retries_and_processes(plan: Plan, shape: Shape) -> None:
    _check_interrupts(plan, shape)


@settings(max_examples=6, suppress_health_check=UNHURRIED)
@given(_plans(st.booleans()), SHAPES)
def test_cancellations_too(plan: Plan, shape: Shape) -> None:
    _check_cancellations(plan, shape)


@pytest.mark.long
@settings(max_examples=150, suppress_health_check=UNHURRIED)
@given(_plans(st.just(False)), SHAPES)
def test_many_schedules(plan: Plan, shape: Shape) -> None:
    _check_interrupts(plan, shape)


@pytest.mark.long
@settings(max_examples=150, suppress_health_check=UNHURRIED)
@given(_plans(st.booleans()), SHAPES)
def test_many_schedules_with_cancellations(plan: Plan, shape: Shape) -> None:
    _check_cancellations(plan, shape)
