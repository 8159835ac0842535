"""The journal: what it keeps, what it makes of that, and what it costs nobody else."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from langchain_core.messages import ToolMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from langgraph.types import Command, Send, interrupt

import agentcal_langgraph._kept as keeping
from agentcal.recorder import Recorder
from agentcal.testing import ScriptedChatModel, call, calls, react_graph
from agentcal_langgraph import calibrated
from agentcal_langgraph._drive import Do, adrive, drive
from agentcal_langgraph._frozen import Outcome
from agentcal_langgraph._journal import NEW, Journal
from agentcal_langgraph._once import Ticket, once
from agentcal_langgraph._outputs import alone, given, joined
from tests.langgraph_gate.gates import Says, always, asked_of, last, results

CONFIG: Any = {"configurable": {"thread_id": "t"}}
ASKED = {"messages": [("user", "go")]}
APPROVE, RESPOND = {"type": "approve"}, {"type": "respond", "message": "it is done"}


def _gated(kit: list[Any], proposed: Any, saver: Any) -> Any:
    model = ScriptedChatModel(script=[proposed, "done"])
    graph = react_graph(model, kit, checkpointer=saver)
    return calibrated(graph, policy=always("escalate", "none"), recorder=Recorder(Says()))


class Stop(BaseException):
    """As if the process ended here."""


def test_marks_are_kept_in_order_by_either_kind_of_program() -> None:
    journal = Journal(InMemorySaver(), "t")
    assert drive(journal.read("k")) == NEW
    entry = drive(journal.mark("k", NEW, "started"))
    assert entry.last == "started"
    entry = asyncio.run(adrive(journal.mark("k", entry, "failed")))
    entry = drive(journal.mark("k", entry, "finished", {"a": [1]}))
    found = asyncio.run(adrive(journal.read("k")))
    assert found.marks == entry.marks
    assert [mark for mark, _ in found.marks] == ["started", "failed", "finished"]
    assert (found.finished, found.result) == (True, {"a": [1]})
    assert drive(journal.read("other")) == NEW
    assert drive(Journal(InMemorySaver(), "u").read("k")) == NEW


def test_a_call_that_may_have_run_and_asks_somebody_itself_gets_its_own_answer() -> None:
    ran: Counter[str] = Counter()
    dies = True

    @tool
    def act(n: int) -> str:
        """Ask somebody, in the middle of doing something."""
        ran["begun"] += 1
        if dies:
            raise Stop
        said = interrupt({"number": n})
        ran["done"] += 1
        return f"told {said}"

    graph = _gated([act], calls(call("act", {"n": 1})), InMemorySaver())
    with pytest.raises(Stop):
        graph.invoke(ASKED, CONFIG)
    dies = False
    assert "may have run" in asked_of(graph.invoke(None, CONFIG))[0]["description"]
    found = graph.invoke(Command(resume={"decisions": [APPROVE]}), CONFIG)
    assert found["__interrupt__"][0].value == {"number": 1}
    dies = True  # once more, after it was answered
    with pytest.raises(Stop):
        graph.invoke(Command(resume={"decisions": [APPROVE]}), CONFIG)  # it looks like ours
    dies = False
    asked = asked_of(graph.invoke(None, CONFIG))[0]["description"]
    assert asked.startswith("This call may have run")
    found = graph.invoke(Command(resume={"decisions": [RESPOND]}), CONFIG)
    assert results(found) == [("it is done", "success")]
    assert ran == {"begun": 3}


@pytest.mark.parametrize("hint", ["readOnlyHint", "idempotentHint", None])
def test_what_says_that_it_may_be_repeated_is_repeated_without_asking(hint: str | None) -> None:
    ran: Counter[str] = Counter()

    @tool
    def get_rate(of: str) -> str:
        """Look a rate up."""
        ran[of] += 1
        if ran[of] == 1:
            raise Stop
        return "1.1"

    get_rate.metadata = {hint: True} if hint else None
    graph = _gated([get_rate], calls(call("get_rate", {"of": "eur"})), InMemorySaver())
    with pytest.raises(Stop):
        graph.invoke(ASKED, CONFIG)
    found = graph.invoke(None, CONFIG)
    if hint:
        assert results(found) == [("1.1", "success")]
    else:  # a name alone promises nothing
        assert "may have run" in asked_of(found)[0]["description"]


def test_a_call_that_failed_for_all_to_see_may_be_tried_again() -> None:
    ran: Counter[str] = Counter()

    def act(n: int) -> str:
        """Fail the first time."""
        ran["act"] += 1
        if ran["act"] == 1:
            raise ValueError("a passing fault")
        return "did it"

    model = ScriptedChatModel(script=[calls(call("act", {"n": 1})), "done"])
    builder = StateGraph(MessagesState)
    builder.add_node("agent", lambda s: {"messages": [model.invoke(s["messages"])]})
    builder.add_node("tools", ToolNode([act]))
    builder.add_edge(START, "agent")
    builder.add_conditional_edges("agent", tools_condition)
    builder.add_edge("tools", "agent")
    graph = calibrated(
        builder.compile(checkpointer=InMemorySaver()),
        policy=always("escalate", "none"),
        recorder=Recorder(Says()),
    )
    with pytest.raises(ValueError, match="passing"):
        graph.invoke(ASKED, CONFIG)
    assert last(graph.invoke(None, CONFIG)) == "done"
    assert ran["act"] == 2


class Forgets(InMemorySaver):
    """Cannot keep what a tool gave."""

    def put_writes(self, config: Any, writes: Any, *rest: Any) -> None:
        if any(value["value"] is not None for _, value in writes):
            raise TypeError("cannot be kept")
        super().put_writes(config, writes, *rest)


def test_that_it_has_run_is_kept_even_where_what_it_gave_is_not() -> None:
    ran: list[int] = []
    journal = Journal(Forgets(), "t")
    run = Do(lambda: ran.append(1) or {"messages": [object()]})  # type: ignore[func-returns-value]
    ticket = _ticket()
    assert drive(once(ticket, journal, run))["messages"]
    again = replace(ticket, entry=drive(journal.read(ticket.key)))
    (told,) = drive(once(again, journal, run))
    assert "This call has run" in told.text
    assert ran == [1]


def _ticket() -> Ticket:
    proposed = {"name": "act", "args": {}, "id": "a", "type": "tool_call"}
    outcome = Outcome(words="w", fate="run", key="r/1/0/k")
    return Ticket(proposed, outcome, None)  # type: ignore[arg-type]


def test_a_call_that_cannot_be_marked_does_not_run() -> None:
    class Full(InMemorySaver):
        def put(self, *_: Any) -> Any:
            raise OSError("the disk is full")

    ran: list[int] = []
    run = Do(lambda: ran.append(1))
    with pytest.raises(OSError, match="full"):
        drive(once(_ticket(), Journal(Full(), "t"), run))
    assert ran == []


def test_the_journal_is_not_in_the_way_of_the_history() -> None:
    @tool
    def act(n: int) -> str:
        """Do something."""
        return "did it"

    saver = InMemorySaver()
    graph = _gated([act], calls(call("act", {"n": 1})), saver)
    graph.invoke(ASKED, CONFIG)
    history = list(graph.get_state_history(CONFIG))
    assert [s.metadata["step"] for s in history] == [3, 2, 1, 0, -1]
    replayed = graph.invoke(None, history[2].config)  # before the tools
    assert last(replayed) == "done"
    assert list(saver.list({"configurable": {**CONFIG["configurable"], "checkpoint_ns": ""}}))


def test_going_back_in_time_does_not_run_a_call_again() -> None:
    ran: Counter[str] = Counter()

    @tool
    def act(n: int) -> str:
        """Do something."""
        ran["act"] += 1
        return "did it"

    graph = _gated([act], calls(call("act", {"n": 1})), InMemorySaver())
    graph.invoke(ASKED, CONFIG)
    before_tools = next(s for s in graph.get_state_history(CONFIG) if s.next == ("tools",))
    found = graph.invoke(None, before_tools.config)
    assert results(found) == [("did it", "success")]
    assert ran == {"act": 1}


def _invoked(graph: Any) -> Callable[[], Any]:
    return lambda: graph.invoke(ASKED, CONFIG)


class NeverKeeps(InMemorySaver):
    """Loses the checkpoints that graphs write."""

    def put(self, config: Any, *rest: Any) -> Any:
        where = super().put(config, *rest)
        if not config["configurable"]["checkpoint_ns"]:
            self.storage["t"][""].clear()
        return where


@pytest.mark.parametrize("loop", [False, True])
def test_no_tool_runs_before_the_graph_has_kept_what_led_to_it(
    monkeypatch: pytest.MonkeyPatch, loop: bool
) -> None:
    ran: list[int] = []

    @tool
    def act(n: int) -> str:
        """Do something."""
        ran.append(n)
        return "did it"

    monkeypatch.setattr(keeping, "_PATIENCE_S", 0.02)
    graph = _gated([act], calls(call("act", {"n": 1})), NeverKeeps())
    runs = (lambda: asyncio.run(graph.ainvoke(ASKED, CONFIG))) if loop else _invoked(graph)
    with pytest.raises(keeping.NotKept, match="no tool"):
        runs()
    assert ran == []


def test_a_run_that_keeps_nothing_before_its_end_is_warned_about(caplog: Any) -> None:
    @tool
    def act(n: int) -> str:
        """Do something."""
        return "did it"

    keeping._warn.cache_clear()
    graph = _gated([act], calls(call("act", {"n": 1})), InMemorySaver())
    with caplog.at_level(logging.WARNING, "agentcal.gate"):
        found = graph.invoke(ASKED, CONFIG, durability="exit")
    assert last(found) == "done"
    assert 'durability="exit"' in caplog.text
    for durability in ("sync", "async"):
        config = {"configurable": {"thread_id": durability}}
        assert last(graph.invoke(ASKED, config, durability=durability)) == "done"


def test_calls_are_found_in_every_kind_of_input() -> None:
    one = {"name": "act", "args": {}, "id": "a", "type": "tool_call"}
    assert given([one], "messages").calls == [one]
    wrapped = {"__type": "tool_call_with_context", "tool_call": one, "state": {"x": 1}}
    assert given(wrapped, "messages").calls == [one]
    assert alone(wrapped, {**one, "id": "b"}, dict)["tool_call"]["id"] == "b"  # type: ignore[arg-type,typeddict-item]
    assert given({"messages": []}, "messages").calls == []


def test_outputs_of_single_calls_become_one() -> None:
    a, b = (ToolMessage(i, tool_call_id=i) for i in "ab")
    assert joined([{"m": [a]}, {"m": [b]}], "m") == {"m": [a, b]}
    up = Command(graph=Command.PARENT, update={"x": 1})
    assert joined([{"m": [a]}, [up]], "m") == [{"m": [a]}, up]


def test_tasks_for_the_graph_around_this_one_go_together() -> None:
    ups = [[Command(graph=Command.PARENT, goto=[Send(name, {})])] for name in "ab"]
    (both,) = joined(ups, "messages")
    assert [send.node for send in both.goto] == ["a", "b"]
