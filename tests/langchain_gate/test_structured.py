"""Agents that answer with a structure: it goes out, is asked about, or is taken back."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import pytest
from langchain.agents.structured_output import ProviderStrategy, ToolStrategy
from langchain_core.messages import AIMessage
from langgraph.types import Command
from pydantic import BaseModel

from agentcal.policy import Always, Policy, Verdict
from agentcal.testing import call, calls
from tests.langchain.agents import on
from tests.langchain_gate.desk import (
    APPROVE,
    ASK,
    FEW,
    PAY,
    REJECT,
    WAYS,
    Desk,
    gates,
    is_well_formed,
    last_words,
    on_transfer,
    results,
)


class Receipt(BaseModel):
    """What was paid."""

    to: str
    amount: int


GIVES = call("Receipt", {"to": "bob", "amount": 30})
SCRIPT: list[Any] = [calls(PAY), calls(GIVES)]
FORMAT: dict[str, Any] = {"response_format": ToolStrategy(Receipt)}
PAID = Receipt(to="bob", amount=30)


def on_receipt(verdict: Verdict, **more: Any) -> Policy:
    return Policy.of(Always(verdict=verdict, tools=("Receipt",)), mode="enforce", **more)


@pytest.mark.parametrize("way", FEW)
@pytest.mark.parametrize("mode", ["enforce", "shadow"])
def test_it_goes_out_where_all_proceeds(mode: Any, way: str) -> None:
    desk = Desk(on_transfer(Verdict.PROCEED, mode=mode), SCRIPT, graph=FORMAT)
    WAYS[way](desk.graph, ASK, on("t-1"))
    assert desk.moved == [30]
    assert desk.state()["structured_response"] == PAID


@pytest.mark.parametrize("way", FEW)
def test_a_call_before_it_is_gated(way: str) -> None:
    desk = Desk(on_transfer(Verdict.ESCALATE), SCRIPT, graph=FORMAT)
    WAYS[way](desk.graph, ASK, on("t-1"))
    WAYS[way](desk.graph, Command(resume={"decisions": [REJECT]}), on("t-1"))
    assert desk.moved == []
    assert desk.state()["structured_response"] == PAID


@pytest.mark.parametrize("way", FEW)
@pytest.mark.parametrize(
    ("answer", "given"), [(APPROVE, PAID), (REJECT, None), ({"type": "reject"}, None)]
)
def test_people_are_asked_about_it(answer: Any, given: Any, way: str) -> None:
    desk = Desk(on_receipt(Verdict.ESCALATE), SCRIPT, graph=FORMAT)
    WAYS[way](desk.graph, ASK, on("t-1"))
    (asked,) = desk.waiting()
    (action,), (config,) = asked["action_requests"], asked["review_configs"]
    assert (action["name"], action["args"]) == ("Receipt", GIVES["args"])
    assert config["allowed_decisions"] == ["approve", "reject", "respond"]
    WAYS[way](desk.graph, Command(resume={"decisions": [answer]}), on("t-1"))
    state = desk.state()
    assert state["structured_response"] == given
    assert is_well_formed(state)
    if given is None:
        held_back = "A reviewer has held back the answer to this request."
        assert last_words(state) == answer.get("message", held_back)
        assert "Returning structured response" not in str(results(state))


@pytest.mark.parametrize("way", FEW)
def test_it_is_checked(way: str) -> None:
    other = call("Receipt", {"to": "bob", "amount": 31})
    policy = on_receipt(Verdict.VERIFY, after_checks=Verdict.PROCEED)
    desk = Desk(policy, [calls(PAY), calls(GIVES), calls(other)], graph=FORMAT)
    WAYS[way](desk.graph, ASK, on("t-1"))
    assert desk.state()["structured_response"] == Receipt(to="bob", amount=31)
    assert [status for status, _ in results(desk.state())] == ["success", "error", "success"]
    assert is_well_formed(desk.state())


@pytest.mark.parametrize("way", FEW)
def test_it_does_not_go_out(way: str) -> None:
    desk = Desk(on_receipt(Verdict.ABSTAIN), SCRIPT, graph=FORMAT)
    WAYS[way](desk.graph, ASK, on("t-1"))
    state = desk.state()
    assert state["structured_response"] is None
    assert "not sure enough" in last_words(state)
    assert is_well_formed(state)


@pytest.mark.parametrize("answer", [APPROVE, REJECT])
def test_with_a_call_in_the_same_turn(answer: Any) -> None:
    both = Policy.of(
        Always(verdict=Verdict.ESCALATE, tools=("Receipt", "transfer")), mode="enforce"
    )
    desk = Desk(both, [calls(PAY, GIVES), calls(GIVES)], graph=FORMAT)
    desk.ask()
    (asked,) = desk.waiting()
    assert [one["name"] for one in asked["action_requests"]] == ["transfer", "Receipt"]
    desk.answer(APPROVE, answer)
    assert desk.moved == [30]
    if answer is REJECT:
        # Told of the refusal, the agent tries again; langchain 1.4.0 ended the run instead.
        again = version("langchain") != "1.4.0"
        assert len(desk.waiting()) == again
        if again:
            desk.answer(REJECT)
    assert desk.state()["structured_response"] == (PAID if answer is APPROVE else None)
    assert is_well_formed(desk.state())


def test_given_by_the_provider_it_is_an_answer() -> None:
    policy = Policy.of(Always(verdict=Verdict.ESCALATE, tiers=("answer",)), mode="enforce")
    said = AIMessage('{"to": "bob", "amount": 30}')
    for answer, given in ((APPROVE, PAID), (REJECT, None)):
        desk = Desk(policy, [said], graph={"response_format": ProviderStrategy(Receipt)})
        desk.ask()
        desk.answer(answer)
        assert desk.state()["structured_response"] == given


def test_without_a_decision_it_does_not_go_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any) -> None:
        raise KeyError

    desk = Desk(on_transfer(Verdict.PROCEED), [calls(GIVES)], graph=FORMAT)
    with monkeypatch.context() as patch:
        patch.setattr("agentcal_langchain._judge.gated_turn", broken)
        desk.ask()
    (asked,) = desk.waiting()
    assert "nothing was decided about this" in asked["action_requests"][0]["description"]
    desk.answer(REJECT)
    assert desk.state()["structured_response"] is None


def test_what_is_frozen_says_which_calls_are_no_calls() -> None:
    desk = Desk(on_transfer(Verdict.PROCEED), SCRIPT, graph=FORMAT)
    desk.ask()
    paid, gave = gates(desk.state())
    assert (paid["given"], gave["given"]) == ([], gave["ids"])
