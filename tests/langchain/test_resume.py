"""Interrupts and resumes: frozen scores stay, runs go on, in another process too."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain.agents.middleware import HumanInTheLoopMiddleware
from langchain_core.messages import HumanMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.types import Command, interrupt

from agentcal.recorder import Recorder, SqlitePending
from agentcal.sinks import MemorySink
from agentcal.testing import Ledger, call, calls, ledger_tools
from agentcal_langchain import CalibrationMiddleware, confidence_in
from agentcal_langgraph import CalibrationCallbackHandler
from tests.langchain.agents import (
    ACCOUNTS,
    ASK,
    LOOK,
    MODES,
    PAY,
    Counting,
    Watched,
    agent,
    lasting,
    on,
    turns,
)

SCRIPT = [LOOK, calls(PAY, call("get_balance", {"account": "carol"})), "Paid."]
APPROVE: Any = {"decisions": [{"type": "approve"}]}
REJECT: Any = {"decisions": [{"type": "reject", "message": "Not today."}]}
RESPOND: Any = {"decisions": [{"type": "respond", "message": "I did it by hand."}]}
EDIT: Any = {
    "decisions": [
        {
            "type": "edit",
            "edited_action": {
                "name": "transfer",
                "args": {"source": "alice", "target": "bob", "amount": 1},
            },
        }
    ]
}
ON: Any = {"interrupt_on": {"transfer": True}}


def uninterrupted() -> Any:
    watched = Watched()
    agent([CalibrationMiddleware(recorder=watched.recorder)], SCRIPT).invoke(ASK)
    return lasting(watched.run())


def stack(recorder: Recorder, *, first: bool = True, **more: Any) -> list[Any]:
    mine, hitl = CalibrationMiddleware(recorder=recorder), HumanInTheLoopMiddleware(**ON, **more)
    return [mine, hitl] if first else [hitl, mine]


def answered(graph: Any, thread: str, answer: Any, *, asynchronous: bool = False) -> Any:
    """Resume by interrupt id: with the decisions as one answer, or per call."""
    (asked,) = graph.get_state(on(thread)).interrupts
    per_call = asked.value.get("type") == "tool_approval"
    command = Command(resume={asked.id: answer["decisions"][0] if per_call else answer})
    if asynchronous:
        return asyncio.run(graph.ainvoke(command, on(thread)))
    return graph.invoke(command, on(thread))


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("first", [True, False])
def test_approved_it_is_as_if_nobody_had_asked(
    first: bool, mode: Any, asynchronous: bool, watched: Watched
) -> None:
    middleware = stack(watched.recorder, first=first, **mode)
    graph = agent(middleware, SCRIPT, checkpointer=InMemorySaver())
    if asynchronous:
        asyncio.run(graph.ainvoke(ASK, on("t-1")))
    else:
        graph.invoke(ASK, on("t-1"))
    before = turns(graph.get_state(on("t-1")).values)
    answered(graph, "t-1", APPROVE, asynchronous=asynchronous)
    after = turns(graph.get_state(on("t-1")).values)
    run = watched.run()
    assert (len(before), len(after)) == (2, 3)
    assert after[:2] == before
    assert len(watched.calibrator.points) == 3
    plain = lasting(run)
    assert {entry.kind for entry in run.interventions} <= {"resumed"}
    plain["interventions"], plain["conversation"] = [], None
    assert plain == uninterrupted()


DECISIONS = [
    (REJECT, "rejected", "error", "Not today."),
    (RESPOND, "responded", "ok", "by hand"),
    (EDIT, "edited", "ok", "moved 1 from alice"),
]


@pytest.mark.parametrize(("answer", "kind", "status", "text"), DECISIONS)
@pytest.mark.parametrize("first", [True, False])
def test_what_people_decide_is_in_the_record(
    first: bool, answer: Any, kind: str, status: str, text: str, watched: Watched
) -> None:
    ledger = Ledger(ACCOUNTS)
    middleware = stack(watched.recorder, first=first)
    graph = agent(middleware, SCRIPT, ledger_tools(ledger), checkpointer=InMemorySaver())
    graph.invoke(ASK, on("t-1"))
    answered(graph, "t-1", answer)
    run = watched.run()
    (entry,) = run.interventions
    assert (entry.kind, entry.step) == (kind, 1)
    transfer, balance = run.steps[1].tool_calls
    assert (transfer.status, balance.status) == (status, "ok")
    assert text in (transfer.result or "")
    assert transfer.arguments == PAY["args"]
    assert [e.amount for e in ledger.entries] == ([1] if kind == "edited" else [])


@pytest.fixture
def saver(tmp_path: Path) -> Iterator[SqliteSaver]:
    connection = sqlite3.connect(tmp_path / "threads.db", check_same_thread=False)
    yield SqliteSaver(connection)
    connection.close()


class Process:
    """What a process has for itself: a recorder, a sink, a calibrator, an agent."""

    def __init__(self, saver: Any, **more: Any) -> None:
        self.sink, self.calibrator = MemorySink(), Counting()
        self.recorder = Recorder(self.calibrator, sinks=[self.sink], **more)  # type: ignore[arg-type]
        self.graph = agent(stack(self.recorder), SCRIPT, checkpointer=saver)


@pytest.mark.parametrize("answer", [APPROVE, REJECT])
def test_another_process_goes_on_from_the_state_alone(answer: Any, saver: SqliteSaver) -> None:
    one = Process(saver)
    one.graph.invoke(ASK, on("t-1"))
    before = one.graph.get_state(on("t-1")).values["agentcal"]
    two = Process(saver)
    answered(two.graph, "t-1", answer)
    after = two.graph.get_state(on("t-1")).values["agentcal"]
    name = "CalibrationMiddleware"
    assert after[name]["run_id"] == before[name]["run_id"]
    kept = {i: after[name]["turns"][i] for i in before[name]["turns"]}
    assert kept == before[name]["turns"]
    assert len(after[name]["turns"]) == 3
    two.recorder.close()
    (run,) = two.sink.runs
    assert (run.run_id, run.task, len(run.steps)) == (after[name]["run_id"], "Pay bob 30.", 3)
    statuses = [[c.status for c in step.tool_calls] for step in run.steps]
    assert statuses == [["ok", "ok"], ["ok" if answer is APPROVE else "error", "ok"], []]
    one.recorder.close()


def test_a_tool_that_asks_parks_the_run_for_any_process(saver: SqliteSaver, tmp_path: Path) -> None:
    @tool
    def confirm(amount: int) -> str:
        """Ask somebody."""
        return f"somebody said {interrupt({'amount': amount})}"

    script = [calls(call("confirm", {"amount": 30})), "Fine."]

    def process() -> tuple[Any, Recorder, MemorySink]:
        sink = MemorySink()
        recorder = Recorder(sinks=[sink], pending=SqlitePending(tmp_path / "waiting.db"))
        middleware = CalibrationMiddleware(recorder=recorder)
        return agent([middleware], script, [confirm], checkpointer=saver), recorder, sink

    graph, recorder, sink = process()
    graph.invoke(ASK, on("t-1"))
    recorder.close()
    assert recorder.stats.interrupted == 1
    assert sink.runs == []
    graph, recorder, sink = process()
    graph.invoke(Command(resume="yes"), on("t-1"))
    recorder.close()
    (run,) = sink.runs
    assert recorder.stats.resumed == 1
    assert [entry.kind for entry in run.interventions] == ["resumed"]
    assert run.steps[0].tool_calls[0].result == "somebody said yes"
    assert (len(run.steps), run.end_reason) == (2, "answered")


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("at_once", [1, 8])
def test_tools_that_ask_side_by_side(at_once: int, asynchronous: bool, watched: Watched) -> None:
    done: list[str] = []

    @tool
    def confirm(amount: int) -> str:
        """Ask somebody."""
        said = interrupt({"amount": amount})
        done.append(said)
        return f"{amount}: {said}"

    @tool
    def look(account: str) -> str:
        """Look at an account."""
        done.append(account)
        return "fine"

    script = [
        calls(
            call("confirm", {"amount": 1}),
            call("look", {"account": "bob"}),
            call("confirm", {"amount": 2}),
        ),
        "Both.",
    ]
    middleware = CalibrationMiddleware(recorder=watched.recorder)
    graph = agent([middleware], script, [confirm, look], checkpointer=InMemorySaver())
    config = on("t-1", max_concurrency=at_once)
    graph.invoke(ASK, config)
    waiting = graph.get_state(on("t-1")).interrupts
    answers = {asked.id: f"yes to {asked.value['amount']}" for asked in waiting}
    if asynchronous:
        asyncio.run(graph.ainvoke(Command(resume=answers), config))
    else:
        graph.invoke(Command(resume=answers), config)
    run = watched.run()
    assert sorted(done) == ["bob", "yes to 1", "yes to 2"]
    assert [c.result for c in run.steps[0].tool_calls] == ["1: yes to 1", "fine", "2: yes to 2"]
    assert [c.status for c in run.steps[0].tool_calls] == ["ok"] * 3
    assert (len(run.steps), watched.recorder.stats.started) == (2, 1)
    stats = watched.recorder.stats
    assert (stats.interrupted, stats.resumed) == (1, 1)
    assert [entry.kind for entry in run.interventions] == ["resumed"]


def test_a_run_that_nobody_resumes_gives_way_to_the_next_request(watched: Watched) -> None:
    graph = agent(stack(watched.recorder), SCRIPT, checkpointer=InMemorySaver())
    graph.invoke(ASK, on("t-1"))
    graph.invoke({"messages": [HumanMessage("Never mind.")]}, on("t-1"))
    answered(graph, "t-1", APPROVE)
    left, done = watched.runs()
    assert (left.task, left.end_reason, len(left.steps)) == ("Pay bob 30.", "interrupted", 2)
    assert (done.task, done.end_reason, len(done.steps)) == ("Never mind.", "answered", 3)


def test_the_state_is_plain_json_and_private(watched: Watched) -> None:
    middleware = CalibrationMiddleware(recorder=watched.recorder)
    graph = agent([middleware], SCRIPT, checkpointer=InMemorySaver())
    forged = {"CalibrationMiddleware": {"run_id": "x", "place": "", "turns": {"m": None}}}
    out = graph.invoke({**ASK, "agentcal": forged}, on("t-1"))
    assert set(out) == {"messages"}
    state = graph.get_state(on("t-1")).values
    entry = state["agentcal"]["CalibrationMiddleware"]
    assert entry == json.loads(json.dumps(entry))
    assert (entry["run_id"] == "x", "m" in entry["turns"]) == (False, False)
    replies = [m.id for m in state["messages"] if m.type == "ai"]
    assert list(entry["turns"]) == replies
    first, last = confidence_in(state, replies[0]), confidence_in(state)
    assert first is not None
    assert last is not None
    assert (first.value, first.turn, first.kind) == (1 / 2, 1, "tool_turn")
    assert (last.value, last.turn, last.kind) == (1 / 4, 3, "answer_turn")
    assert confidence_in(state, "no such message") is None
    assert confidence_in(state, name="another") is None
    assert confidence_in({}) is None


def test_it_may_be_added_while_a_run_waits(watched: Watched) -> None:
    thread = "t-1"
    saver = InMemorySaver()
    before = agent([HumanInTheLoopMiddleware(**ON)], SCRIPT, checkpointer=saver)
    before.invoke(ASK, on(thread))
    graph = agent(stack(watched.recorder), SCRIPT, checkpointer=saver)
    answered(graph, thread, APPROVE)
    assert turns(graph.get_state(on(thread)).values) == [1 / 4]
    run = watched.run()
    assert (run.task, len(run.steps), run.end_reason) == ("Pay bob 30.", 3, "answered")
    assert [c.status for c in run.steps[1].tool_calls] == ["ok", "ok"]


@pytest.mark.parametrize("handler_stays", [True, False])
def test_a_run_that_the_handler_began(
    handler_stays: bool, saver: SqliteSaver, tmp_path: Path
) -> None:
    def process() -> tuple[Process, Any]:
        one = Process(saver, pending=SqlitePending(tmp_path / "waiting.db"))
        return one, one.graph.with_config(callbacks=[CalibrationCallbackHandler(one.recorder)])

    one, graph = process()
    graph.invoke(ASK, on("t-1"))
    one.recorder.close()
    before = graph.get_state(on("t-1")).values["agentcal"]["CalibrationMiddleware"]
    two, graph = process()
    answered(graph if handler_stays else two.graph, "t-1", APPROVE)
    after = graph.get_state(on("t-1")).values["agentcal"]["CalibrationMiddleware"]
    two.recorder.close()
    assert (one.recorder.stats.interrupted, one.sink.runs) == (1, [])
    (run,) = two.sink.runs
    assert before["run_id"] == after["run_id"] == run.run_id
    assert {**after["turns"], **before["turns"]} == after["turns"]
    assert (len(after["turns"]), len(two.calibrator.points)) == (3, 1)
    assert [[c.status for c in step.tool_calls] for step in run.steps] == [
        ["ok"] * 2,
        ["ok"] * 2,
        [],
    ]
    kinds = [entry.kind for entry in run.interventions]
    assert kinds == (["resumed", "approved"] if handler_stays else ["resumed"])
