"""People are asked once, in words that can be checked, and what they say holds for any process."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.types import Command

from agentcal.policy import Policy, Verdict
from agentcal.recorder import QuietObserver, Recorder, Review, RunInfo, SqlitePending
from agentcal.sinks import MemorySink
from agentcal.testing import Ledger, calls
from agentcal_langchain import CalibrationMiddleware
from tests.langchain.agents import ACCOUNTS, agent, on
from tests.langchain_gate.desk import (
    APPROVE,
    ASK,
    EDIT,
    PAY,
    REJECT,
    RESPOND,
    SCRIPT,
    TIP,
    Desk,
    Steady,
    gates,
    last_words,
    ledger_tools,
    on_answer,
    on_transfer,
    results,
)

MALFORMED: list[Any] = [
    True,
    "approve",
    [],
    {"decisions": []},
    {"decisions": [APPROVE, APPROVE]},
    {"decisions": [{"type": "yes"}]},
    {"decisions": [{"type": "edit"}]},
    {"decisions": [{"type": "edit", "edited_action": {"name": "transfer"}}]},
    {"decisions": [{"type": "respond"}]},
    {"decisions": APPROVE},
    {"decision": [APPROVE]},
]


@pytest.mark.parametrize("answer", MALFORMED, ids=str)
def test_an_answer_that_cannot_be_read_is_asked_for_again(answer: Any) -> None:
    desk = Desk(on_transfer(Verdict.ESCALATE))
    desk.ask()
    for _ in range(2):
        desk.ask(Command(resume=answer))
        (asked,) = desk.waiting()
        said = asked["action_requests"][0]["description"]
        assert said.startswith("The last answer could not be used: ")
        assert desk.moved == []
    desk.answer(APPROVE)
    assert desk.moved == [30]
    assert len(desk.watched.calibrator.points) == 3


def test_an_answer_in_the_words_of_the_agent_inbox() -> None:
    desk = Desk(on_transfer(Verdict.ESCALATE), [calls(PAY, TIP), "Done."])
    desk.ask()
    desk.ask(Command(resume=[{"type": "accept", "args": None}, {"type": "ignore", "args": None}]))
    assert desk.moved == [30]


def test_an_edit_to_another_tool_and_to_one_that_is_not_there() -> None:
    look = {"name": "get_balance", "args": {"account": "carol"}}
    gone = {"name": "wire", "args": {"amount": 1}}
    desk = Desk(on_transfer(Verdict.ESCALATE), [calls(PAY, TIP), "Done."])
    desk.ask()
    desk.answer({"type": "edit", "edited_action": look}, {"type": "edit", "edited_action": gone})
    assert desk.moved == []
    told = dict(results(desk.state()))
    assert "carol holds 7" in told["success"]
    assert "a reviewer changed this to wire, which is not a tool here" in told["error"]


@pytest.fixture
def saver(tmp_path: Path) -> Iterator[SqliteSaver]:
    connection = sqlite3.connect(tmp_path / "threads.db", check_same_thread=False)
    yield SqliteSaver(connection)
    connection.close()


OTHERS: dict[str, Policy] = {
    "the same": on_transfer(Verdict.ESCALATE),
    "one that lets pass": on_transfer(Verdict.PROCEED),
    "one that ends": on_transfer(Verdict.ABSTAIN),
    "one in shadow": on_transfer(Verdict.ESCALATE, mode="shadow"),
}
SAID = [(APPROVE, [30]), (REJECT, []), (RESPOND, []), (EDIT, [1])]


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize(("answer", "moved"), SAID)
def test_another_process_with_another_calibrator_and_policy_obeys_what_was_decided(
    answer: Any, moved: list[int], other: str, saver: SqliteSaver
) -> None:
    book = Ledger(ACCOUNTS)
    one = Desk(on_transfer(Verdict.ESCALATE), saver=saver, book=book)
    one.ask()
    before = gates(one.state())
    two = Desk(OTHERS[other], saver=saver, book=book, calibrator=Steady(0.999))
    two.answer(answer)
    after = gates(two.state())
    assert book.entries == [] if not moved else [e.amount for e in book.entries] == moved
    assert [one["decision"] for one in after[:2]] == [one["decision"] for one in before]
    scores = [one["decision"]["confidence"]["value"] for one in after]
    assert scores == [0.7, 0.7, 0.999]  # only the turn that came after has the new one's
    assert last_words(two.state()) == "Paid."


def test_what_went_before_is_read_from_the_state(saver: SqliteSaver) -> None:
    script = [calls(PAY), calls(TIP), "Done."]
    one = Desk(on_transfer(Verdict.ESCALATE), script, saver=saver)
    one.ask()
    seen: list[Any] = []

    def look(turn: Any, decisions: Any) -> bool:
        seen.append(turn)
        return True

    later = on_transfer(Verdict.VERIFY)
    two = Desk(later, script, saver=saver, calibrator=Steady(0.999), verifier=look)
    two.answer(REJECT)
    (turn,) = seen
    assert [one.value for one in turn.trail] == [0.7]
    assert (turn.turn, turn.confidence.value) == (2, 0.999)
    assert two.moved == [5]


def test_a_thread_that_is_taken_up_before_the_gate_is_not_asked_about_again() -> None:
    desk = Desk(on_answer(Verdict.ESCALATE))
    desk.ask()
    desk.answer(REJECT)
    desk.graph.update_state(on("t-1"), {"messages": []}, as_node="model")
    desk.ask(None)
    assert desk.waiting() == []
    assert last_words(desk.state()) == "Not today."


@pytest.mark.parametrize(("answer", "moved"), SAID)
def test_async_with_a_file(answer: Any, moved: list[int], tmp_path: Path) -> None:
    book = Ledger(ACCOUNTS)

    async def steps() -> Any:
        async with AsyncSqliteSaver.from_conn_string(str(tmp_path / "threads.db")) as saver:
            one = Desk(on_transfer(Verdict.ESCALATE), saver=saver, book=book)
            await one.graph.ainvoke(ASK, on("t-1"))
            two = Desk(on_transfer(Verdict.PROCEED), saver=saver, book=book)
            resume: Any = Command(resume={"decisions": [answer]})
            return await two.graph.ainvoke(resume, on("t-1"), durability="sync")

    state = asyncio.run(steps())
    assert [entry.amount for entry in book.entries] == moved
    assert last_words(state) == "Paid."


def test_an_answer_for_another_question_is_for_no_question() -> None:
    desk = Desk(on_transfer(Verdict.ESCALATE))
    desk.ask()
    desk.ask(Command(resume={"f" * 32: {"decisions": [APPROVE]}}))
    assert desk.moved == []
    assert len(desk.waiting()) == 1


def test_a_call_that_was_changed_while_it_waited_is_asked_about_anew() -> None:
    desk = Desk(on_transfer(Verdict.ESCALATE))
    desk.ask()
    message = desk.state()["messages"][-1]
    changed = {**message.tool_calls[0], "args": {**PAY["args"], "amount": 99}}
    swapped = message.model_copy(update={"tool_calls": [changed]})
    desk.graph.update_state(on("t-1"), {"messages": [swapped]}, as_node="model")
    desk.ask(None)
    (asked,) = desk.waiting()
    (action,) = asked["action_requests"]
    assert action["args"]["amount"] == 99
    assert "nothing was decided about this" in action["description"]
    desk.answer(REJECT)
    assert desk.moved == []


class Heard(QuietObserver):
    """Keeps what observers are told of decisions and reviews."""

    def __init__(self) -> None:
        self.decisions: list[Any] = []
        self.reviews: list[Review] = []

    def decided(self, run: RunInfo, decision: Any) -> None:
        self.decisions.append(decision)

    def reviewed(self, run: RunInfo, review: Review) -> None:
        self.reviews.append(review)


def test_a_run_that_waits_is_parked_for_any_process(saver: SqliteSaver, tmp_path: Path) -> None:
    book = Ledger(ACCOUNTS)

    def process() -> tuple[Any, Recorder, MemorySink, Heard]:
        sink, heard = MemorySink(), Heard()
        recorder = Recorder(
            Steady(),  # type: ignore[arg-type]
            sinks=[sink],
            observers=[heard],
            pending=SqlitePending(tmp_path / "waiting.db"),
        )
        gate = CalibrationMiddleware(recorder=recorder, policy=on_transfer(Verdict.ESCALATE))
        return agent([gate], SCRIPT, ledger_tools(book), checkpointer=saver), recorder, sink, heard

    graph, recorder, sink, heard = process()
    graph.invoke(ASK, on("t-1"))
    recorder.close()
    assert (recorder.stats.interrupted, sink.runs) == (1, [])
    assert [one.verdict for one in heard.decisions] == ["proceed", "escalate"]
    graph, recorder, sink, heard = process()
    graph.invoke(Command(resume={"decisions": [REJECT]}), on("t-1"))
    recorder.close()
    assert recorder.stats.resumed == 1
    assert [one.verdict for one in heard.decisions] == ["proceed"]  # told once, when decided
    (review,) = heard.reviews
    assert (review.answer, review.detail, review.decision.turn) == ("rejected", "Not today.", 2)
    (run,) = sink.runs
    assert [entry.kind for entry in run.interventions] == ["resumed", "rejected"]
    assert run.interventions[1].waited_s is not None
    assert [[c.status for c in step.tool_calls] for step in run.steps] == [["ok"], ["error"], []]


def test_what_waits_side_by_side_does_not_mix() -> None:
    desk = Desk(on_transfer(Verdict.ESCALATE), lambda text: SCRIPT)
    for thread in ("a", "b"):
        desk.ask(thread=thread)
    desk.answer(REJECT, thread="a")
    desk.answer(EDIT, thread="b")
    assert desk.moved == [1]
    kinds = {run.conversation: run.interventions[-1].kind for run in desk.watched.runs()}
    assert kinds == {"a": "rejected", "b": "edited"}


def test_an_answer_waits_too(saver: SqliteSaver) -> None:
    one = Desk(on_answer(Verdict.ESCALATE), saver=saver)
    one.ask()
    two = Desk(on_answer(Verdict.ABSTAIN), saver=saver, calibrator=Steady(0.001))
    two.answer(APPROVE)
    assert last_words(two.state()) == "Paid."
    assert gates(two.state())[-1]["decision"]["confidence"]["value"] == 0.7
