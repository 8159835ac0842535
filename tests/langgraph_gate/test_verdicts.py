"""What each verdict does to calls and to answers, in a graph built by hand."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.types import Command

from agentcal.policy import Verdict
from agentcal.testing import calls, says
from agentcal_langgraph import decisions_in
from tests.langgraph_gate.gates import (
    LOOKS,
    Desk,
    about_answers,
    always,
    asked_of,
    last,
    pays,
    results,
)

TWO = calls(pays(5), pays(7), LOOKS)


def answer(*decisions: Any) -> Command[Any]:
    return Command(resume={"decisions": list(decisions)})


APPROVE, REJECT = {"type": "approve"}, {"type": "reject", "message": "not today"}


def test_what_may_proceed_runs() -> None:
    desk = Desk(always("escalate", "wipe"), [TWO, "done"])
    found = desk.run()
    assert sorted(desk.paid) == [5, 7]
    assert last(found) == "done"
    run = desk.recorded()
    assert (run.end_reason, run.interventions) == ("answered", [])


def test_in_shadow_everything_is_decided_and_nothing_is_stopped() -> None:
    desk = Desk(always("abstain").shadow(), [TWO, "done"])
    found = desk.run()
    assert sorted(desk.paid) == [5, 7]
    assert last(found) == "done"
    first, second = decisions_in(desk.state())
    assert [d.verdict for d in first.decisions] == [Verdict.ABSTAIN, Verdict.ABSTAIN, "proceed"]
    assert not first.acts
    assert second.decisions[0].tool is None
    assert desk.recorded().interventions == []


def test_one_interrupt_asks_about_all_that_is_escalated_and_only_what_is_approved_runs() -> None:
    desk = Desk(always("escalate"), [TWO, "done"])
    found = desk.run()
    assert [r["args"]["amount"] for r in asked_of(found)] == [5, 7]
    assert desk.paid == []
    found = desk.run(answer(APPROVE, REJECT))
    assert desk.paid == [5]
    assert [status for _, status in results(found)] == ["success", "error", "success"]
    assert "not today" in results(found)[1][0]
    run = desk.recorded()
    kinds = [(i.kind, i.by, i.detail) for i in run.interventions if i.kind != "resumed"]
    assert kinds == [("approved", "human", ""), ("rejected", "human", "not today")]
    assert all(i.waited_s is not None for i in run.interventions if i.kind != "resumed")


def test_an_edited_call_runs_as_edited_and_the_model_is_told() -> None:
    desk = Desk(always("escalate"), [calls(pays(5)), "done"])
    desk.run()
    args = {"source": "alice", "target": "bob", "amount": 6}
    found = desk.run(answer({"type": "edit", "edited_action": {"name": "transfer", "args": args}}))
    assert desk.paid == [6]
    assert "A reviewer changed this call" in results(found)[0][0]
    assert "moved 6" in results(found)[0][0]
    (call,) = next(m for m in found["messages"] if isinstance(m, AIMessage)).tool_calls
    assert call["args"]["amount"] == 5


def test_an_answer_in_place_of_a_result() -> None:
    desk = Desk(always("escalate"), [calls(pays(5)), "done"])
    desk.run()
    found = desk.run(answer({"type": "respond", "message": "paid in cash"}))
    assert desk.paid == []
    assert results(found) == [("paid in cash", "success")]


@pytest.mark.parametrize("wrong", [[], {"decisions": []}, "yes", {"decisions": [{"type": "x"}]}])
def test_an_answer_that_cannot_be_read_is_asked_for_again(wrong: Any) -> None:
    desk = Desk(always("escalate"), [calls(pays(5)), "done"])
    desk.run()
    found = desk.run(Command(resume=wrong))
    assert desk.paid == []
    assert "could not be used" in asked_of(found)[0]["description"]
    desk.run(answer(APPROVE))
    assert desk.paid == [5]


def test_to_verify_sends_the_model_back_once() -> None:
    desk = Desk(always("verify"), [calls(pays(5)), calls(pays(6)), "done"])
    found = desk.run()
    assert "__interrupt__" in found  # after one check, a human is asked
    assert desk.paid == []
    assert results(found)[0][1] == "error"
    assert "Check this" in results(found)[0][0]
    desk.run(answer(APPROVE))
    assert desk.paid == [6]
    run = desk.recorded()
    assert [(i.step, i.kind, i.by) for i in run.interventions if i.kind != "resumed"] == [
        (0, "verified", "agentcal"),
        (1, "approved", "human"),
    ]


def test_to_abstain_answers_every_call_and_ends_the_run_with_an_honest_message() -> None:
    desk = Desk(always("abstain"), [TWO, "done"], abstain_message="I stop here.")
    found = desk.run()
    assert desk.paid == []
    assert [status for _, status in results(found)] == ["error"] * 3
    assert last(found) == "I stop here."
    assert found["messages"][-1].response_metadata["agentcal_abstains"]["verdict"] == "abstain"
    run = desk.recorded()
    assert run.end_reason == "abstained"
    assert [i.kind for i in run.interventions] == ["aborted"]


def test_an_escalated_answer_goes_out_when_it_is_approved() -> None:
    desk = Desk(about_answers("escalate"), ["all paid"])
    assert asked_of(desk.run())[0]["args"] == {"text": "all paid"}
    assert last(desk.run(answer(APPROVE))) == "all paid"


@pytest.mark.parametrize(
    ("said", "goes_out"),
    [
        ({"type": "respond", "message": "ask again on Monday"}, "ask again on Monday"),
        ({"type": "reject", "message": "we cannot say that"}, "we cannot say that"),
        ({"type": "reject"}, "A reviewer has held back the answer to this request."),
    ],
)
def test_an_answer_is_replaced_as_the_reviewer_says(said: Any, goes_out: str) -> None:
    desk = Desk(about_answers("escalate"), ["all paid"])
    desk.run()
    found = desk.run(answer(said))
    assert [m.text for m in found["messages"]] == ["pay bob", goes_out]


def test_an_answer_that_is_to_be_verified_is_asked_for_again() -> None:
    def script(text: str) -> list[Any]:
        return ["checked"] if text.startswith("Your answer") else ["all paid"]

    desk = Desk(about_answers("verify", after_checks=Verdict.ABSTAIN), script)
    found = desk.run()
    assert isinstance(found["messages"][2], HumanMessage)
    assert found["messages"][2].name == "agentcal"
    assert [d.verdict for d in decisions_in(desk.state())] == ["verify", "abstain"]
    assert "I am not sure enough" in last(found)


def test_to_abstain_from_an_answer_takes_its_place() -> None:
    desk = Desk(about_answers("abstain"), [says("all paid")], abstain_message="no comment")
    found = desk.run()
    assert [m.text for m in found["messages"]] == ["pay bob", "no comment"]
    assert desk.recorded().end_reason == "abstained"
