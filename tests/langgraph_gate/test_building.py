"""What comes back is a real graph; the user's own is left alone; what cannot be is refused."""

from __future__ import annotations

import asyncio
import inspect
from pathlib import Path
from typing import Any

import pytest
from langchain.agents import create_agent
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command

import agentcal_langgraph._canary as canary
from agentcal import ConfigError
from agentcal.policy import Always, Verdict
from agentcal.recorder import Recorder
from agentcal.sinks import MemorySink
from agentcal.testing import (
    Ledger,
    ScriptedChatModel,
    calls,
    fan_out_graph,
    ledger_tools,
    nested_graph,
    react_graph,
)
from agentcal_langgraph import CalibrationCallbackHandler, calibrated
from tests.langgraph_gate.gates import Desk, Says, always, asked_of, last, pays

PAYS = calls(pays(5))
STOPS = always("abstain", without_score="abstain")
APPROVE = Command(resume={"decisions": [{"type": "approve"}]})


def _graph(**rest: Any) -> Any:
    return react_graph(ScriptedChatModel(script=[PAYS, "done"]), **rest)


def _config(thread: str = "t") -> Any:
    return {"configurable": {"thread_id": thread}}


ASKED = {"messages": [("user", "pay")]}


def _shape(graph: Any) -> Any:
    """All that compiling and running could change of a graph and its builder."""
    builder = graph.builder
    return (
        {name: (id(spec), id(spec.runnable), spec.ends) for name, spec in builder.nodes.items()},
        set(builder.edges),
        {
            node: {name: id(b.path) for name, b in bs.items()}
            for node, bs in builder.branches.items()
        },
        set(builder.channels),
        set(graph.nodes),
        {name: id(node.bound) for name, node in graph.nodes.items()},
        {name: [id(w) for w in node.writers] for name, node in graph.nodes.items()},
        graph.config,
    )


def test_the_graph_that_was_given_is_left_alone() -> None:
    ledger = Ledger({"alice": 100, "bob": 0})
    for build in (react_graph, nested_graph, create_agent):
        script = [PAYS, "done", "done"] if build is not nested_graph else ["plan", PAYS, "a", "b"]
        plain = build(  # type: ignore[operator]
            ScriptedChatModel(script=script), ledger_tools(ledger), checkpointer=InMemorySaver()
        )
        before, paid = _shape(plain), len(ledger.entries)
        gated = calibrated(plain, policy=always("abstain"), calibrator=Says())
        gated.invoke(ASKED, _config("gated"))
        assert len(ledger.entries) == paid
        assert _shape(plain) == before
        plain.invoke(ASKED, _config("plain"))
        assert len(ledger.entries) == paid + 1
        assert "agentcal_gate" not in plain.get_state(_config("plain")).values


def test_it_is_a_graph_and_stays_gated_through_copies_and_configurations() -> None:
    desk = Desk(always("escalate"), [PAYS, "done"])
    for number, graph in enumerate(
        [desk.graph.with_config(tags=["x"]), desk.graph.copy(), desk.graph.with_config({})]
    ):
        assert type(graph) is CompiledStateGraph
        assert len(asked_of(graph.invoke(ASKED, _config(str(number))))) == 1
    assert desk.paid == []


def test_what_was_set_on_the_graph_is_kept() -> None:
    plain = react_graph(
        ScriptedChatModel(script=["x"]), checkpointer=InMemorySaver(), name="teller"
    ).with_config(tags=["mine"], metadata={"a": 1}, recursion_limit=7)
    plain.step_timeout = 30
    gated = calibrated(plain, policy=always("abstain"), recorder=Recorder(Says()))
    assert (gated.name, gated.step_timeout, gated.config["recursion_limit"]) == ("teller", 30, 7)
    assert gated.config["tags"] == ["mine"]
    assert gated.checkpointer is plain.checkpointer
    same = ("get_input_jsonschema", "get_output_jsonschema", "get_context_jsonschema")
    assert all(getattr(gated, name)() == getattr(plain, name)() for name in same)


def test_it_can_be_drawn_and_looked_at() -> None:
    desk = Desk(always("escalate"), [PAYS, "done"])
    drawn = desk.graph.get_graph()
    assert {"agent", "tools", "agent.gate"} <= set(drawn.nodes)
    assert {(e.source, e.target) for e in drawn.edges} >= {
        ("agent", "tools"),
        ("agent", "agent.gate"),
        ("agent.gate", "tools"),
        ("tools", "agent"),
    }
    desk.run()
    state = desk.graph.get_state(desk.config())
    assert state.next == ("agent.gate",)
    assert len(state.interrupts) == 1
    desk.run(APPROVE)
    assert desk.graph.get_state(desk.config()).next == ()
    steps = [s.metadata["step"] for s in desk.graph.get_state_history(desk.config())]
    assert steps == sorted(set(steps), reverse=True)


def test_a_turn_that_may_proceed_costs_no_step() -> None:
    desk = Desk(always("escalate", "none"), [PAYS, "done"])
    desk.run()
    desk.plain.invoke(ASKED, _config("plain"))
    gated, plain = (
        [s.metadata["step"] for s in graph.get_state_history(_config(thread))]
        for graph, thread in ((desk.graph, "t"), (desk.plain, "plain"))
    )
    assert gated == plain


def test_it_deletes_what_it_kept_with_the_thread() -> None:
    saver = InMemorySaver()
    desk = Desk(always("escalate", "none"), [PAYS, "done"], saver=saver)
    desk.run()
    assert len(saver.storage["t"]) == 2
    saver.delete_thread("t")
    assert "t" not in saver.storage
    assert not any(key[0] == "t" for key in saver.writes)


def test_many_at_once() -> None:
    desk = Desk(always("escalate"), [PAYS, "done"])
    threads = [str(n) for n in range(6)]
    found = desk.graph.batch([ASKED] * 6, [_config(thread) for thread in threads])
    assert [len(asked_of(one)) for one in found] == [1] * 6
    desk.graph.batch([APPROVE] * 6, [_config(thread) for thread in threads])
    assert desk.paid == [5] * 6


def test_in_an_event_loop() -> None:
    desk = Desk(always("escalate"), [calls(pays(5), pays(7)), "done"])

    async def main() -> list[Any]:
        found = await asyncio.gather(*(desk.graph.ainvoke(ASKED, _config(t)) for t in "abc"))
        assert [len(asked_of(one)) for one in found] == [2] * 3
        answer = Command(resume={"decisions": [{"type": "reject"}, {"type": "approve"}]})
        return await asyncio.gather(*(desk.graph.ainvoke(answer, _config(t)) for t in "abc"))

    assert [last(one) for one in asyncio.run(main())] == ["done"] * 3
    assert desk.paid == [7, 7, 7]


def test_with_a_checkpointer_that_only_waits(tmp_path: Path) -> None:
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver  # noqa: PLC0415 - needs a loop

    async def main() -> list[int]:
        async with AsyncSqliteSaver.from_conn_string(str(tmp_path / "state.db")) as saver:
            desk = Desk(always("escalate"), [calls(pays(5), pays(7)), "done"], saver=saver)
            await desk.graph.ainvoke(ASKED, _config())
            answer = Command(resume={"decisions": [{"type": "reject"}, {"type": "approve"}]})
            found = await desk.graph.ainvoke(answer, _config())
            assert last(found) == "done"
            return desk.paid

    assert asyncio.run(main()) == [7]


def test_streams_and_events_show_the_same_parts_as_before() -> None:
    desk = Desk(always("escalate", "none"), [PAYS, "done"])

    async def events(graph: Any, thread: str) -> list[tuple[str, str]]:
        config = _config(thread)
        return [
            (event["event"], event["name"])
            async for event in graph.astream_events(ASKED, config, version="v2")
            if event["event"].endswith("start")
        ]

    assert asyncio.run(events(desk.graph, "a")) == asyncio.run(events(desk.plain, "b"))
    gated = [list(c) for c in desk.graph.stream(ASKED, _config("c"), stream_mode="updates")]
    assert gated == [["agent"], ["tools"], ["agent"]]


def test_as_a_node_of_a_graph_that_nobody_watches() -> None:
    ledger, sink = Ledger({"alice": 100, "bob": 0}), MemorySink()
    recorder = Recorder(Says(0.4, 0.9), sinks=[sink])
    inner = calibrated(
        react_graph(ScriptedChatModel(script=[PAYS, "done"]), ledger_tools(ledger)),
        policy=always("escalate"),
        recorder=recorder,
        subgraph=True,
    )
    builder = StateGraph(MessagesState)
    builder.add_node("work", inner)
    builder.add_node("after", lambda _: {"messages": [("ai", "bye")]})
    builder.add_edge(START, "work")
    builder.add_edge("work", "after")
    outer = builder.compile(checkpointer=InMemorySaver())
    assert "0.40" in asked_of(outer.invoke(ASKED, _config()))[0]["description"]
    assert last(outer.invoke(APPROVE, _config())) == "bye"
    assert len(ledger.entries) == 1
    recorder.close()
    (run,) = sink.runs
    assert (run.task, run.end_reason, len(run.steps)) == ("pay", "answered", 2)
    assert [i.kind for i in run.interventions] == ["resumed", "approved"]


def test_as_a_node_of_a_graph_that_is_watched_it_is_part_of_that_run() -> None:
    sink = MemorySink()
    recorder = Recorder(Says(0.9), sinks=[sink])
    model = ScriptedChatModel(script=[PAYS, "done"])
    inner = calibrated(
        react_graph(model), policy=always("abstain", "none"), recorder=recorder, subgraph=True
    )
    builder = StateGraph(MessagesState)
    builder.add_node("work", inner)
    builder.add_edge(START, "work")
    outer = builder.compile().with_config(callbacks=[CalibrationCallbackHandler(recorder)])
    assert last(outer.invoke(ASKED)) == "done"
    recorder.close()
    assert len(sink.runs) == 1


def test_a_gated_graph_inside_a_gated_graph_keeps_its_own_policy() -> None:
    ledger = Ledger({"alice": 100, "bob": 0})
    inner = calibrated(
        react_graph(ScriptedChatModel(script=[PAYS, "done"]), ledger_tools(ledger)),
        policy=always("escalate"),
        calibrator=Says(0.4),
        subgraph=True,
    )
    builder = StateGraph(MessagesState)
    builder.add_node("work", inner)
    builder.add_edge(START, "work")
    outer = calibrated(
        builder.compile(checkpointer=InMemorySaver()),
        policy=always("abstain"),
        recorder=Recorder(Says(0.8)),
    )
    assert len(asked_of(outer.invoke(ASKED, _config()))) == 1
    outer.invoke(APPROVE, _config())
    assert len(ledger.entries) == 1


def test_it_decorates_functions_that_give_a_graph() -> None:
    @calibrated(policy=Always(verdict=Verdict.ABSTAIN, tools=("transfer",)), calibrator=Says())
    def build(name: str) -> Any:
        """Build a graph."""
        return react_graph(ScriptedChatModel(script=[PAYS, "done"]), name=name)

    @calibrated(policy=STOPS, calibrator=Says())
    async def abuild(name: str) -> Any:
        return react_graph(ScriptedChatModel(script=[PAYS, "done"]), name=name)

    assert build.__doc__ == "Build a graph."
    assert list(inspect.signature(build).parameters) == ["name"]
    assert build("mine").name == "mine"
    assert last(build("mine").invoke(ASKED)) == "done"  # a rule alone is in shadow mode
    graph = asyncio.run(abuild("yours"))
    assert "not sure enough" in last(graph.invoke(ASKED))


def _uncompiled() -> Any:
    return _graph().builder


def _late() -> Any:
    graph = _graph()
    graph.builder.add_node("late", lambda _: None)
    return graph


def _functional() -> Any:
    @entrypoint()
    def flow(question: str) -> str:
        return question

    return flow


def _bare() -> Any:
    builder = StateGraph(list)  # type: ignore[type-var]
    builder.add_node("agent", lambda s: s)  # type: ignore[type-var]
    builder.add_edge(START, "agent")
    return builder.compile(checkpointer=InMemorySaver())


def _hidden() -> Any:
    inner = _graph()

    def work(state: MessagesState) -> Any:
        found = inner.invoke(state)
        return found

    builder = StateGraph(MessagesState)
    builder.add_node("work", work)
    builder.add_edge(START, "work")
    return builder.compile(checkpointer=InMemorySaver())


def _cut_off() -> Any:
    builder = StateGraph(MessagesState)
    inner = react_graph(ScriptedChatModel(script=["x"]), name="inner")
    inner.checkpointer = False
    builder.add_node("inner", inner)
    builder.add_edge(START, "inner")
    return builder.compile(checkpointer=InMemorySaver())


@pytest.mark.parametrize(
    ("graph", "says"),
    [
        (_uncompiled, "builder.compile"),
        (_functional, "an @entrypoint graph"),
        (lambda: 3, "not int"),
        (_late, r"\['late'\] were added after compiling"),
        (lambda: Desk(always("abstain"), ["x"]).graph, "applied once"),
        (_bare, "one bare value"),
        (_hidden, r"\['work'\] call graphs with tools inside a function"),
        (_cut_off, r"\['inner'\] were compiled with checkpointer=False"),
        (
            lambda: fan_out_graph(
                ScriptedChatModel(script=["x"]), ["a"], checkpointer=InMemorySaver()
            ),
            "answers_only=True",
        ),
    ],
)
def test_what_cannot_be_gated_is_refused_with_what_to_do(graph: Any, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        calibrated(
            graph(), policy=always("escalate"), calibrator=Says(), answers_only=says[0] == "o"
        )


def test_in_shadow_it_is_said_and_not_refused(caplog: Any) -> None:
    graph = calibrated(_hidden(), policy=always("escalate").shadow(), calibrator=Says())
    assert "call graphs with tools inside a function" in caplog.text
    assert last(graph.invoke(ASKED, _config())) == "done"


def test_a_calibrator_or_a_recorder_and_a_policy() -> None:
    with pytest.raises(ConfigError, match="a calibrator or a recorder"):
        calibrated(_graph(), policy=always("abstain"), calibrator=Says(), recorder=Recorder())
    with pytest.raises(ConfigError, match="policy"):
        calibrated(_graph(), policy=0.5, calibrator=Says())  # type: ignore[call-overload]


def test_a_langgraph_that_works_in_another_way_is_noticed(monkeypatch: Any) -> None:
    canary.check_langgraph.cache_clear()
    try:
        monkeypatch.setattr(canary, "_gated", lambda graph: graph)  # as if no gate took hold
        with pytest.raises(ConfigError, match="a call ran that was not to run"):
            calibrated(_graph(), policy=STOPS, calibrator=Says())
        monkeypatch.setattr(canary, "_gated", lambda graph: None)
        with pytest.raises(ConfigError, match="AttributeError"):
            calibrated(_graph(), policy=STOPS, calibrator=Says())
    finally:
        canary.check_langgraph.cache_clear()
