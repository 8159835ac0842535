"""What a gate knows of its tools, the record knows too, so that a certificate is about both."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from langchain_core.tools import BaseTool, tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition

import agentcal as ac
from agentcal import DecisionPoint, Trajectory
from agentcal.policy import Policy, RiskTarget, TurnDecision
from agentcal.recorder import Observer, Recorder
from agentcal.sinks import MemorySink
from agentcal.testing import ScriptedChatModel, call, calls, react_graph
from agentcal.testing._nodes import model_node
from agentcal_langgraph import (
    CalibrationCallbackHandler,
    calibrated,
    instrument,
    uninstrument,
)
from tests.certification.scripted import tiers_certified
from tests.langgraph_gate.gates import Says

POLICY = Policy.of(RiskTarget(0.5, 0.8), gated=("answer", "destructive", "read_only", "write"))
ASKED: Any = {"messages": [("user", "clear the attic")]}
TIERS = {"get_rid_of": "destructive", "send_probe": "read_only", "store": "write"}


@tool
def get_rid_of(what: str) -> str:
    """Get something."""
    return "gone"


@tool
def send_probe(where: str) -> str:
    """Send something."""
    return "dark"


@tool
def store(what: str) -> str:
    """Store something."""
    return "stored"


# By their words the first reads and the second writes. As langchain-mcp-adapters puts hints, and
# as others do.
get_rid_of.metadata = {"title": None, "readOnlyHint": False, "destructiveHint": True}
send_probe.metadata = {"annotations": {"readOnlyHint": True, "idempotentHint": True}}
KIT = [get_rid_of, send_probe, store]
SCRIPT = [
    calls(call("send_probe", {"where": "attic"}), call("store", {"what": "lamp"})),
    calls(call("get_rid_of", {"what": "boxes"})),
    "Done.",
]


class Keeping(Says):
    """Keeps the points that it was asked about."""

    def __init__(self) -> None:
        super().__init__()
        self.points: list[DecisionPoint] = []

    def predict(self, point: Any, **known: Any) -> Any:
        self.points.append(point)
        return super().predict(point, **known)


class Taped(Observer):
    """A recorder, its calibrator, and what the gate told of its tools."""

    def __init__(self) -> None:
        self.sink, self.calibrator = MemorySink(), Keeping()
        judge: Any = self.calibrator
        self.recorder = Recorder(judge, sinks=[self.sink], observers=[self])
        self.tiers: dict[str, str] = {}

    def decided(self, run: Any, decision: TurnDecision) -> None:
        """Keeps the tiers of the tools, as the gate has them."""
        self.tiers |= {one.tool: one.tier for one in decision.decisions if one.tool}

    def run(self) -> Trajectory:
        self.recorder.close()
        assert self.recorder.stats.errors == 0
        (run,) = self.sink.runs
        return run


@pytest.fixture
def taped() -> Taped:
    return Taped()


def on(thread: str = "t", **more: Any) -> Any:
    return {"configurable": {"thread_id": thread}, **more}


def plain(tools: Sequence[BaseTool] = KIT) -> Any:
    return react_graph(ScriptedChatModel(script=SCRIPT), tools, checkpointer=InMemorySaver())


def unbound() -> Any:
    """The model is not given the tools in a way that anybody can see."""
    builder = StateGraph(MessagesState)
    builder.add_node("agent", model_node(ScriptedChatModel(script=SCRIPT)))
    builder.add_node("tools", ToolNode(KIT))
    builder.add_edge(START, "agent")
    builder.add_conditional_edges("agent", tools_condition)
    builder.add_edge("tools", "agent")
    return builder.compile(checkpointer=InMemorySaver())


def nested() -> Any:
    """The agent with the tools is a node of another graph."""
    builder = StateGraph(MessagesState)
    builder.add_node("inner", react_graph(ScriptedChatModel(script=SCRIPT), KIT))
    builder.add_edge(START, "inner")
    return builder.compile(checkpointer=InMemorySaver())


def same_when_read(run: Trajectory, path: Path) -> Trajectory:
    ac.write_jsonl([run], path)
    (read,) = ac.load(path, progress=False)
    assert read == run
    return read


def check(taped: Taped, run: Trajectory, found: dict[str, str]) -> None:
    assert found == TIERS
    assert tiers_certified(POLICY, run) == found
    assert len([tool.name for tool in run.tools]) == len(TIERS)
    shown = {tool.name: (tool.description, bool(tool.parameters)) for tool in run.tools}
    assert shown["get_rid_of"] == ("Get something.", True)
    live, offline = taped.calibrator.points, ac.decision_points(run)
    assert len(live) == len(run.steps)
    for scored, point in zip(live, offline, strict=False):
        assert np.array_equal(scored.vector, point.vector, equal_nan=True), "as it was scored live"


@pytest.mark.parametrize("build", [plain, nested, unbound])
def test_the_record_of_a_gated_run_has_the_hints_of_the_gate(
    taped: Taped, build: Any, tmp_path: Path
) -> None:
    graph = calibrated(build(), policy=POLICY, recorder=taped.recorder)
    graph.invoke(ASKED, on())
    check(taped, same_when_read(taped.run(), tmp_path / "runs.jsonl"), taped.tiers)


@pytest.mark.parametrize("everywhere", [True, False])
def test_who_else_watches_the_gated_graph_is_told_too(taped: Taped, everywhere: bool) -> None:
    graph = calibrated(plain(), policy=POLICY)
    if everywhere:
        instrument(taped.recorder)
        graph.invoke(ASKED, on())
        uninstrument()
    else:
        graph.invoke(ASKED, on(callbacks=[CalibrationCallbackHandler(taped.recorder)]))
    check(taped, taped.run(), taped.tiers)


def test_so_it_is_in_an_event_loop(taped: Taped) -> None:
    graph = calibrated(plain(), policy=POLICY, recorder=taped.recorder)
    asyncio.run(graph.ainvoke(ASKED, on()))
    check(taped, taped.run(), taped.tiers)


def test_a_handler_without_a_gate_is_given_the_tools(taped: Taped) -> None:
    handler = CalibrationCallbackHandler(taped.recorder, tools=KIT)
    plain().invoke(ASKED, on(callbacks=[handler]))
    check(taped, taped.run(), TIERS)


def test_a_handler_alone_knows_what_the_model_is_shown(taped: Taped) -> None:
    plain().invoke(ASKED, on(callbacks=[CalibrationCallbackHandler(taped.recorder)]))
    found = tiers_certified(POLICY, taped.run())
    assert found["get_rid_of"] == "read_only", "by its words: why a gate tells the hints"


def test_a_tool_that_comes_later_brings_its_hints(taped: Taped) -> None:
    """Two agents one after the other, each with tools of its own."""
    builder = StateGraph(MessagesState)
    looks = [calls(call("send_probe", {"where": "attic"})), "Look."]
    acts = [*looks, calls(call("get_rid_of", {"what": "boxes"})), "Done."]
    builder.add_node("looks", react_graph(ScriptedChatModel(script=looks), [send_probe]))
    builder.add_node("acts", react_graph(ScriptedChatModel(script=acts), [get_rid_of]))
    builder.add_edge(START, "looks")
    builder.add_edge("looks", "acts")
    graph = calibrated(
        builder.compile(checkpointer=InMemorySaver()), policy=POLICY, recorder=taped.recorder
    )
    graph.invoke(ASKED, on())
    run = taped.run()
    assert {tool.name: (tool.read_only, tool.destructive) for tool in run.tools} == {
        "send_probe": (True, None),
        "get_rid_of": (False, True),
    }
    assert tiers_certified(POLICY, run) == taped.tiers


def test_a_tool_that_cannot_be_told_is_a_gap_and_no_harm(taped: Taped) -> None:
    handler = CalibrationCallbackHandler(taped.recorder)
    handler.tools = [object()]  # type: ignore[list-item]
    found = plain().invoke(ASKED, on(callbacks=[handler]))
    assert found["messages"][-1].text == "Done."
    taped.recorder.close()
    assert taped.recorder.stats.errors
