"""Runs that wait for somebody are one run with what comes after, in whatever process."""

from __future__ import annotations

import asyncio
import inspect
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware
from langchain_core.messages import HumanMessage, ToolMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.errors import GraphDrained
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from langgraph.runtime import RunControl
from langgraph.types import Command, interrupt

from agentcal import Trajectory
from agentcal.recorder import Recorder, SqlitePending
from agentcal.sinks import JsonlSink
from agentcal.testing import ScriptedChatModel, approval_graph, call, calls, ledger_tools
from agentcal_langgraph import CalibrationCallbackHandler, instrument
from tests.langgraph.agents import PURE, TASK, asked, react
from tests.langgraph.conftest import Watched, lasting

PAY = calls(call("look", {"account": "alice"}), call("act", {"amount": 5}))
TWICE = [PAY, calls(call("act", {"amount": 99}), call("look", {"account": "bob"})), "paid"]


def _approval(script: Any = TWICE, saver: Any = None, ask_before: Any = ("act",)) -> Any:
    model = ScriptedChatModel(script=list(script))
    saver = saver or InMemorySaver()
    return approval_graph(model, PURE, checkpointer=saver, ask_before=ask_before)


def _uninterrupted(graph: Any) -> dict[str, Any]:
    """The record of the graph with nobody to ask."""
    watched = Watched()
    config = watched.config("alone") if graph.checkpointer else watched.config()
    graph.invoke(asked(), config)
    return lasting(watched.run())


def _without_interrupts(script: Any = TWICE) -> dict[str, Any]:
    return _uninterrupted(_approval(script, ask_before=()))


def test_a_run_that_was_approved_is_the_run_that_asked_nobody(watched: Watched) -> None:
    graph = _approval()
    graph.invoke(asked(), watched.config("t"))
    graph.invoke(Command(resume=True), watched.config("t"))
    graph.invoke(Command(resume=True), watched.config("t"))
    run = watched.run()
    assert lasting(run) == _without_interrupts()
    assert [(i.kind, i.step) for i in run.interventions] == [("resumed", 0), ("resumed", 1)]
    assert run.conversation == "t"
    stats = watched.recorder.stats
    assert (stats.started, stats.interrupted, stats.resumed, stats.ended) == (1, 2, 2, 1)


def test_async_and_a_handler_of_its_own_for_every_call(watched: Watched) -> None:
    graph = _approval()

    async def run() -> None:
        for given in (asked(), Command(resume=True), Command(resume=True)):
            config = watched.config("t")
            config["callbacks"] = [CalibrationCallbackHandler(watched.recorder)]
            async for _ in graph.astream(given, config):
                pass

    asyncio.run(run())
    assert lasting(watched.run()) == _without_interrupts()


def test_instrumented(watched: Watched) -> None:
    instrument(watched.recorder)
    graph, config = _approval(), watched.config("t")
    config["callbacks"] = []
    for given in (asked(), Command(resume=True), Command(resume=True)):
        graph.invoke(given, config)
    assert lasting(watched.run()) == _without_interrupts()


def test_a_declined_call_has_the_word_of_the_reviewer(watched: Watched) -> None:
    graph = _approval([PAY, "then not"])
    graph.invoke(asked(), watched.config("t"))
    graph.invoke(Command(resume=False), watched.config("t"))
    run = watched.run()
    assert [(c.result, c.status) for c in run.steps[0].tool_calls] == [
        ("declined by the reviewer", "error"),
        ("declined by the reviewer", "error"),
    ]
    assert (run.end_reason, run.steps[1].text) == ("answered", "then not")


def test_a_new_request_gives_up_the_one_that_waits(watched: Watched) -> None:
    graph = _approval([PAY, "paid"])
    graph.invoke(asked("first"), watched.config("t"))
    graph.invoke(asked("second"), watched.config("t"))
    graph.invoke(Command(resume=True), watched.config("t"))
    first, second = watched.runs()
    assert (first.task, first.end_reason, len(first.steps)) == ("first", "interrupted", 1)
    assert (second.task, second.end_reason, len(second.steps)) == ("second", "answered", 2)


def test_threads_do_not_mix(watched: Watched) -> None:
    graph = _approval([PAY, "paid"])
    for n in range(5):
        graph.invoke(asked(f"task {n}"), watched.config(f"t{n}"))
    for n in reversed(range(5)):
        graph.invoke(Command(resume=True), watched.config(f"t{n}"))
    runs = watched.runs()
    assert [run.task for run in runs] == [f"task {n}" for n in reversed(range(5))]
    assert {run.conversation for run in runs} == {f"t{n}" for n in range(5)}
    assert all([s.text for s in run.steps] == ["", "paid"] for run in runs)


@pytest.mark.parametrize(
    ("when", "instrumented"),
    [
        ("interrupt_before", False),
        ("interrupt_after", False),
        ("interrupt_before", True),  # of interrupt_after LangGraph tells it nothing; documented
    ],
)
def test_breakpoints(watched: Watched, when: str, instrumented: bool) -> None:
    graph = react(InMemorySaver())
    config = watched.config("t")
    if instrumented:
        instrument(watched.recorder)
        config["callbacks"] = []
    graph.invoke(asked(), config, **{when: ["tools"]})
    while graph.get_state(config).next:
        graph.invoke(None, config, **{when: ["tools"]})
    run = watched.run()
    assert lasting(run) == _uninterrupted(react())
    assert watched.recorder.stats.interrupted == 2


def _hitl(**mode: Any) -> Any:
    model = ScriptedChatModel(script=[PAY, "paid"])
    asks = HumanInTheLoopMiddleware({"look": True, "act": True}, **mode)
    return create_agent(model, PURE, middleware=[asks], checkpointer=InMemorySaver())


def test_decisions_of_people_are_interventions(watched: Watched) -> None:
    edited = {"name": "act", "args": {"amount": 1}}
    decisions = [
        {"type": "reject", "message": "not your business"},
        {"type": "edit", "edited_action": edited},
    ]
    graph = _hitl()
    graph.invoke(asked(), watched.config("t"))
    graph.invoke(Command(resume={"decisions": decisions}), watched.config("t"))
    run = watched.run()
    assert [(i.kind, i.detail) for i in run.interventions] == [
        ("resumed", ""),
        ("rejected", "not your business"),
        ("edited", ""),
    ]
    looked, paid = run.steps[0].tool_calls
    assert looked.status == "error"
    assert "not your business" in (looked.result or "")
    assert (paid.status, paid.arguments) == ("ok", {"amount": 5})
    assert paid.result == "did 1"


@pytest.mark.skipif(
    "interrupt_mode" not in inspect.signature(HumanInTheLoopMiddleware).parameters,
    reason="this langchain cannot ask call by call",
)
def test_decisions_call_by_call(watched: Watched) -> None:
    graph = _hitl(interrupt_mode="per_call")
    first = graph.invoke(asked(), watched.config("t"))
    answers = {i.id: {"type": "approve"} for i in first["__interrupt__"]}
    graph.invoke(Command(resume=answers), watched.config("t"))
    run = watched.run()
    assert [i.kind for i in run.interventions] == ["resumed", "approved", "approved"]
    assert [c.status for c in run.steps[0].tool_calls] == ["ok", "ok"]


def test_tools_that_run_twice_have_one_result(watched: Watched) -> None:
    """H2: an interrupt in one call of a tool node runs its other calls again."""
    kit = ledger_tools()
    looked = []

    def ask() -> str:
        """Ask a person."""
        return str(interrupt("really?"))

    def look() -> str:
        """Look."""
        looked.append(1)
        return f"look {len(looked)}"

    model: Any = ScriptedChatModel(script=[calls(call("look"), call("ask"), call("look")), "done"])
    builder = StateGraph(MessagesState)
    builder.add_node("agent", lambda s: {"messages": [model.invoke(s["messages"])]})
    builder.add_node("tools", ToolNode([*kit, ask, look]))
    builder.add_edge(START, "agent")
    builder.add_conditional_edges("agent", tools_condition)
    builder.add_edge("tools", "agent")
    graph = builder.compile(checkpointer=InMemorySaver())
    graph.invoke(asked(), watched.config("t"))
    graph.invoke(Command(resume="yes"), watched.config("t"))
    run = watched.run()
    state = graph.get_state(watched.config("t")).values["messages"]
    told = {m.tool_call_id: m.text for m in state if isinstance(m, ToolMessage)}
    assert len(looked) == 4
    assert {c.id: c.result for c in run.steps[0].tool_calls} == told
    assert all(c.status == "ok" for c in run.steps[0].tool_calls)


def test_a_node_that_asks_its_model_again_has_one_turn(watched: Watched) -> None:
    """H3: what comes before an interrupt in a node runs again, here with other words."""
    said: list[str] = []

    def script(_: str) -> list[str]:
        said.append(f"take {len(said) + 1}")
        return [said[-1]] * 9

    model: Any = ScriptedChatModel(script=script)

    def node(state: MessagesState) -> dict[str, Any]:
        model.invoke([("user", "draft it")])
        better = model.invoke([("user", "make it better")])
        answer = interrupt("fine?")
        return {"messages": [better, HumanMessage(answer)]}

    builder = StateGraph(MessagesState)
    builder.add_node("before", lambda s: {"messages": [model.invoke(s["messages"])]})
    builder.add_node("node", node)
    builder.add_node("after", lambda s: {"messages": [model.invoke(s["messages"])]})
    builder.add_edge(START, "before")
    builder.add_edge("before", "node")
    builder.add_edge("node", "after")
    graph = builder.compile(checkpointer=InMemorySaver())
    graph.invoke(asked(), watched.config("t"))
    graph.invoke(Command(resume="it is"), watched.config("t"))
    steps = watched.run().steps
    assert said == [f"take {n}" for n in range(1, 7)]
    assert [s.text for s in steps] == ["take 1", "take 4", "take 5", "take 6"]
    assert [[(m.role, m.text) for m in s.inputs] for s in steps] == [
        [],
        [("agent", "draft it")],
        [("agent", "make it better")],
        [("user", "it is")],
    ]


def test_an_interrupt_that_is_swallowed_is_none(watched: Watched) -> None:
    """H4: ``except Exception`` around ``interrupt()`` means that nobody is asked."""

    def node(state: MessagesState) -> dict[str, Any]:
        try:
            interrupt("?")
        except Exception:
            return {"messages": [HumanMessage("never mind")]}
        return {}

    builder = StateGraph(MessagesState)
    builder.add_node("node", node)
    builder.add_edge(START, "node")
    builder.compile(checkpointer=InMemorySaver()).invoke(asked(), watched.config("t"))
    assert watched.run().end_reason == "answered"


def test_without_a_thread_an_interrupt_is_the_end(watched: Watched) -> None:
    """H5: without a checkpointer nothing can be resumed."""
    nobody: Any = None
    model = ScriptedChatModel(script=[PAY, "paid"])
    graph = approval_graph(model, PURE, checkpointer=nobody, ask_before=("act",))
    graph.invoke(asked(), watched.config())
    run = watched.run()
    assert (run.end_reason, len(run.steps)) == ("interrupted", 1)


def test_nested_interrupt(watched: Watched) -> None:
    def outer(ask_before: Any) -> Any:
        model = ScriptedChatModel(script=[PAY, "paid"])
        nobody: Any = None  # the outer graph's
        inner = approval_graph(
            model, PURE, checkpointer=nobody, ask_before=ask_before, name="inner"
        )
        builder = StateGraph(MessagesState)
        builder.add_node("as_node", inner)
        builder.add_node("called", lambda s: inner.invoke({"messages": [HumanMessage("again")]}))
        builder.add_edge(START, "as_node")
        builder.add_edge("as_node", "called")
        return builder.compile(checkpointer=InMemorySaver(), name="outer")

    graph = outer(("act",))
    graph.invoke(asked(), watched.config("t"))
    graph.invoke(Command(resume=True), watched.config("t"))
    graph.invoke(Command(resume=True), watched.config("t"))
    run = watched.run()
    assert lasting(run) == _uninterrupted(outer(()))
    assert [(s.agent, s.text) for s in run.steps] == [("inner", ""), ("inner", "paid")] * 2


def test_a_drained_graph_goes_on(watched: Watched) -> None:
    graph, control = react(InMemorySaver()), RunControl()
    control.request_drain("deploy")
    with pytest.raises(GraphDrained):
        graph.invoke(asked(), watched.config("t"), control=control)
    graph.invoke(None, watched.config("t"))
    assert lasting(watched.run()) == _uninterrupted(react())


def test_a_run_of_which_nobody_kept_the_beginning_is_read_from_the_messages() -> None:
    before, after = Watched(), Watched()
    graph = _approval()
    graph.invoke(asked("an older request"), before.config("t"))
    for given in (Command(resume=True), Command(resume=True), asked(), Command(resume=True)):
        graph.invoke(given, before.config("t"))
    graph.invoke(Command(resume=True), after.config("t"))
    run = after.run()
    assert run.task == TASK
    assert [(i.kind, i.step) for i in run.interventions] == [("resumed", 1)]
    assert [gap for gap in run.gaps if "not watched" in gap] == run.gaps != []
    read, whole = lasting(run), _without_interrupts()
    read["gaps"] = []
    for step in (*read["steps"], *whole["steps"]):
        del step["agent"]  # the messages do not say who spoke
        for proposed in step["tool_calls"]:
            del proposed["id"]  # made from the length of the history
    assert read == whole


def test_tools_run_by_the_client(watched: Watched) -> None:
    """The graph ends with calls; its caller runs them and comes back with the results."""
    model: Any = ScriptedChatModel(script=[calls(call("look", call_id="c")), "seen"])
    builder = StateGraph(MessagesState)
    builder.add_node("agent", lambda s: {"messages": [model.invoke(s["messages"])]})
    builder.add_edge(START, "agent")
    graph = builder.compile(checkpointer=InMemorySaver())
    graph.invoke(asked(), watched.config("t"))
    result = ToolMessage("all there", tool_call_id="c")
    graph.invoke({"messages": [result]}, watched.config("t"))
    run = watched.run()
    assert [(s.text, [c.result for c in s.tool_calls]) for s in run.steps] == [
        ("", ["all there"]),
        ("seen", []),
    ]
    assert run.end_reason == "answered"


_GO_ON = """
import sys
from langgraph.types import Command
from tests.langgraph.test_interrupts import in_folder
in_folder(sys.argv[1], sys.argv[2], Command(resume=True))
"""
SCRIPTS = {"once": TWICE[1:], "twice": TWICE}


def in_folder(folder: str, script: str, given: Any) -> None:
    """A process that knows nothing but what is in the folder."""
    sink, pending = JsonlSink(f"{folder}/runs.jsonl"), SqlitePending(f"{folder}/pending.db")
    with (
        SqliteSaver.from_conn_string(f"{folder}/graph.db") as saver,
        Recorder(sinks=[sink], pending=pending) as recorder,
    ):
        handler = CalibrationCallbackHandler(recorder)
        config: Any = {"callbacks": [handler], "configurable": {"thread_id": "t"}}
        _approval(SCRIPTS[script], saver).invoke(given, config)


@pytest.mark.parametrize("script", ["once", pytest.param("twice", marks=pytest.mark.long)])
def test_each_answer_in_a_process_of_its_own(tmp_path: Path, script: str) -> None:
    in_folder(str(tmp_path), script, asked())
    for _ in SCRIPTS[script][1:]:
        command = [sys.executable, "-c", _GO_ON, str(tmp_path), script]
        subprocess.run(command, check=True, cwd=Path(__file__).parents[2], timeout=120)  # noqa: S603 - our own code
    (line,) = (tmp_path / "runs.jsonl").read_text().splitlines()
    run = Trajectory.model_validate_json(line)
    assert lasting(run) == _without_interrupts(SCRIPTS[script])
    assert [i.kind for i in run.interventions] == ["resumed"] * (len(SCRIPTS[script]) - 1)
