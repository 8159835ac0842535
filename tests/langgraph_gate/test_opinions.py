"""Second opinions: a verifier, and a stronger model."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage
from langgraph.types import Command

from agentcal.policy import Costs, CostTarget, Decision, GatedTurn, Policy, Verdict
from agentcal.testing import ScriptedChatModel, calls, react_graph
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

APPROVE = Command(resume={"decisions": [{"type": "approve"}]})
PAYS = calls(pays(5))


def _run(desk: Desk, given: Any = None, *, loop: bool) -> Any:
    asked = {"messages": [("user", "pay bob")]} if given is None else given
    if not loop:
        return desk.graph.invoke(asked, desk.config())
    return asyncio.run(desk.graph.ainvoke(asked, desk.config()))


@pytest.mark.parametrize("loop", [False, True])
@pytest.mark.parametrize("kind", ["function", "coroutine function", "partial"])
@pytest.mark.parametrize("says", [True, False, "bob has moved"])
def test_a_verifier_is_asked_instead_of_the_model(loop: bool, kind: str, says: Any) -> None:
    seen: list[tuple[GatedTurn, Sequence[Decision]]] = []

    def verify(turn: GatedTurn, decisions: Sequence[Decision]) -> bool | str:
        seen.append((turn, decisions))
        return says

    async def averify(turn: GatedTurn, decisions: Sequence[Decision]) -> bool | str:
        await asyncio.sleep(0)
        return verify(turn, decisions)

    asks = {
        "function": verify,
        "coroutine function": averify,
        "partial": partial(averify),
    }
    desk = Desk(always("verify"), [PAYS, "done"], verifier=asks[kind])
    found = _run(desk, loop=loop)
    assert last(found) == "done"
    assert desk.paid == ([5] if says is True else [])
    ((turn, (decision,)),) = seen
    assert (turn.calls[0].name, decision.verdict) == ("transfer", Verdict.VERIFY)
    assert decisions_in(desk.state())[0].decisions == (decision,)
    if isinstance(says, str):
        assert "bob has moved" in results(found)[0][0]
    assert [i.kind for i in desk.recorded().interventions] == ["verified"]


def test_a_verifier_that_fails_confirms_nothing(caplog: Any) -> None:
    def verify(turn: GatedTurn, decisions: Sequence[Decision]) -> bool:
        raise OSError("no network, secret token")

    desk = Desk(always("verify"), [PAYS, "done"], verifier=verify)
    found = desk.run()
    assert desk.paid == []
    assert "the check failed (OSError)" in results(found)[0][0]
    assert "the verifier failed: OSError" in caplog.text
    assert "secret" not in caplog.text


def test_a_verifier_lets_an_answer_out() -> None:
    desk = Desk(about_answers("verify"), ["all well"], verifier=lambda *_: True)
    assert last(desk.run()) == "all well"


def test_a_verifier_is_not_asked_where_the_gate_abstains() -> None:
    policy = always("verify").with_(
        rules=(*always("verify").rules, *always("abstain", "get_balance").rules)
    )
    asked: list[Any] = []
    script = [calls(pays(5), LOOKS)]
    desk = Desk(policy, script, verifier=lambda *a: asked.append(a) or True)
    assert "not sure enough" in last(desk.run())
    assert (asked, desk.paid) == ([], [])


def _stronger(*script: Any) -> ScriptedChatModel:
    return ScriptedChatModel(script=list(script), model_name="stronger")


@pytest.mark.parametrize("loop", [False, True])
@pytest.mark.parametrize("kind", ["function", "coroutine function", "runnable"])
def test_a_stronger_model_takes_the_turn(loop: bool, kind: str) -> None:
    model = _stronger(calls(pays(3)))
    shown: list[Sequence[BaseMessage]] = []

    def ask(messages: Sequence[BaseMessage], turn: GatedTurn) -> AIMessage:
        shown.append(messages)
        return model.invoke(list(messages))

    async def aask(messages: Sequence[BaseMessage], turn: GatedTurn) -> AIMessage:
        shown.append(messages)
        return await model.ainvoke(list(messages))

    costs = Costs(wrong={"destructive": 10.0}, abstained=1000.0)  # it pays to ask below 0.73
    policy = Policy.of(CostTarget(costs), mode="enforce")
    asks = {"function": ask, "coroutine function": aask, "runnable": model}
    desk = Desk(policy, [PAYS, "done"], scores=(0.2, 0.8, 0.9), escalate_to=asks[kind])
    found = _run(desk, loop=loop)
    assert last(found) == "done"
    assert desk.paid == [3]
    assert all([m.type for m in messages] == ["human"] for messages in shown)
    run = desk.recorded()
    assert [(s.model, len(s.tool_calls)) for s in run.steps] == [
        ("scripted", 1),
        ("stronger", 1),
        ("scripted", 0),
    ]
    values = [d.confidence.value for d in decisions_in(desk.state()) if d.confidence]
    assert values == [0.8, 0.9]  # the reply that was replaced has lost its place
    (reply,) = [m for m in found["messages"] if m.type == "ai" and m.tool_calls]
    assert reply.tool_calls[0]["args"]["amount"] == 3


def test_if_it_may_not_go_on_either_people_are_asked_about_its_reply() -> None:
    desk = Desk(always("escalate"), [PAYS, "done"], escalate_to=_stronger(calls(pays(3), pays(4))))
    asked = asked_of(desk.run())
    assert [request["args"]["amount"] for request in asked] == [3, 4]
    answer = {"decisions": [{"type": "reject"}, {"type": "approve"}]}
    assert last(desk.run(Command(resume=answer))) == "done"
    assert desk.paid == [4]
    kinds = [(i.step, i.kind) for i in desk.recorded().interventions if i.kind != "resumed"]
    assert kinds == [(1, "rejected"), (1, "approved")]


def test_it_may_answer_instead_of_calling() -> None:
    desk = Desk(always("escalate"), [PAYS, "done"], escalate_to=_stronger("that is not for me"))
    found = desk.run()
    assert [m.text for m in found["messages"]] == ["pay bob", "that is not for me"]
    assert desk.paid == []


@pytest.mark.parametrize("reply", ["text", None, RuntimeError("down")])
def test_a_stronger_model_that_fails_leaves_it_to_people(reply: Any, caplog: Any) -> None:
    def ask(messages: Sequence[BaseMessage], turn: GatedTurn) -> Any:
        if isinstance(reply, Exception):
            raise reply
        return reply

    desk = Desk(always("escalate"), [PAYS, "done"], escalate_to=ask)
    assert asked_of(desk.run())[0]["args"]["amount"] == 5
    assert "escalate_to failed" in caplog.text
    desk.run(APPROVE)
    assert desk.paid == [5]


def test_without_a_checkpointer_it_is_the_last_word() -> None:
    def build(model: Any, tools: Any, **_: Any) -> Any:
        return react_graph(model, tools)

    desk = Desk(
        always("escalate"), [PAYS, "done"], build=build, escalate_to=_stronger(calls(pays(3)))
    )
    found = desk.run()
    assert desk.paid == []
    assert "not sure enough" in last(found)
