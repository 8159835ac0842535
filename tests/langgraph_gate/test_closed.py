"""Without a score, or with a damaged state, what was chosen beforehand happens, and is said."""

from __future__ import annotations

import math
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from langgraph.types import Command

import agentcal_langgraph._keeper as keeping
from agentcal import Confidence
from agentcal.policy import Policy, RiskTarget, Verdict
from agentcal.recorder import Recorder
from agentcal.testing import ScriptedChatModel, call, calls, ledger_tools, react_graph
from agentcal_langgraph import (
    CalibrationCallbackHandler,
    calibrated,
    decisions_in,
    instrument,
    uninstrument,
)
from tests.langgraph_gate.gates import (
    LOOKS,
    Desk,
    Says,
    about_answers,
    always,
    asked_of,
    last,
    pays,
    results,
    without_score,
)
from tests.policy.worlds import certified

APPROVE = {"type": "approve"}


class Broken(Says):
    """A calibrator that cannot score."""

    def predict(self, point: Any, **_: Any) -> Confidence:
        raise RuntimeError("a broken model")


class Nothing(Says):
    """A calibrator that says that it is not a number."""

    def predict(self, point: Any, **_: Any) -> Confidence:
        nan = math.nan
        return Confidence(nan, nan, nan, nan, nan, False, point.kind, point.turn, self.fingerprint)


@pytest.mark.parametrize("calibrator", [Broken(), Nothing()])
@pytest.mark.parametrize("verdict", ["escalate", "abstain", "verify"])
def test_without_a_usable_score_the_chosen_verdict_falls(calibrator: Says, verdict: str) -> None:
    policy = without_score(verdict)
    desk = Desk(policy, [calls(pays(5)), "done"], calibrator=calibrator)
    found = desk.run()
    assert desk.paid == []
    (first, *_) = decisions_in(desk.state())
    assert first.decisions[0].verdict == verdict
    assert first.decisions[0].by == "without_score"
    assert first.confidence is None
    if verdict == "escalate":
        assert "no" in asked_of(found)[0]["description"].lower()
    elif verdict == "abstain":
        assert "not sure enough" in last(found)


def _gated(policy: Policy, **rest: Any) -> tuple[Any, list[int]]:
    ran: list[int] = []

    @tool
    def transfer(amount: int) -> str:
        """Move money."""
        ran.append(amount)
        return "moved"

    script = [calls(call("transfer", {"amount": 5})), "done"]
    graph = react_graph(ScriptedChatModel(script=script), [transfer], checkpointer=InMemorySaver())
    return calibrated(graph, policy=policy, **rest), ran


def _config() -> Any:
    return {"configurable": {"thread_id": "t"}}


def test_a_recorder_without_a_calibrator() -> None:
    graph, ran = _gated(without_score("abstain"), recorder=Recorder())
    found = graph.invoke({"messages": [("user", "go")]}, _config())
    assert ran == []
    assert "no calibrator" in results(found)[0][0]


def test_nobody_who_watches() -> None:
    graph, ran = _gated(without_score("abstain"))
    found = graph.invoke({"messages": [("user", "go")]}, _config())
    assert ran == []
    assert "no recorder watches" in results(found)[0][0]


def test_the_score_of_whoever_watches_anyway() -> None:
    graph, ran = _gated(without_score("abstain"))
    recorder = Recorder(Says(0.8))
    handler = CalibrationCallbackHandler(recorder)
    graph.invoke({"messages": [("user", "go")]}, {**_config(), "callbacks": [handler]})
    assert ran == [5]
    instrument(recorder)
    try:
        graph, ran = _gated(without_score("abstain"))
        graph.invoke({"messages": [("user", "go")]}, _config())
    finally:
        uninstrument()
    assert ran == [5]


def test_its_own_recorder_comes_first() -> None:
    mine, other = Recorder(Says(0.3)), Recorder(Says(0.8))
    graph, _ = _gated(always("escalate"), recorder=mine)
    handler = CalibrationCallbackHandler(other)
    found = graph.invoke({"messages": [("user", "go")]}, {**_config(), "callbacks": [handler]})
    assert "0.30" in asked_of(found)[0]["description"]


@pytest.mark.parametrize(
    ("scope", "lets"),
    [
        ({}, True),
        ({"calibrator": "0" * 16}, False),
        ({"models": ("another",)}, False),
        ({"tools": {"get_balance": "read_only"}}, False),
    ],
)
def test_a_certificate_for_something_else_promises_nothing(scope: Any, lets: bool) -> None:
    known = {
        "calibrator": Says().fingerprint,
        "agents": ("react",),
        "models": ("scripted",),
        "tools": {"transfer": "destructive"},
    }
    policy = certified(Policy.of(RiskTarget(0.05), mode="enforce"), 0.8, **{**known, **scope})
    desk = Desk(policy, [calls(pays(5)), "done"], scores=(0.95,))
    desk.run()
    (decision,) = decisions_in(desk.state())[0].decisions
    assert (desk.paid == [5]) is lets
    assert lets or "not certified" in decision.reason


def test_an_uncertified_target_escalates() -> None:
    policy = Policy.of(RiskTarget(0.05), mode="enforce")
    desk = Desk(policy, [calls(pays(5)), "done"])
    assert len(asked_of(desk.run())) == 1
    assert decisions_in(desk.state())[0].decisions[0].by == "risk_target"


@pytest.mark.parametrize(
    "junk",
    ["junk", 3, [], {"turns": 3}, {"request": 1, "turns": {"x": {"words": 1}}}, {"turns": {}}],
)
def test_a_damaged_state_lets_no_call_run(junk: Any, caplog: Any) -> None:
    saver = InMemorySaver()
    desk = Desk(always("escalate"), [calls(pays(5), pays(7), LOOKS), "done"], saver=saver)
    desk.run()
    _overwrite(saver, "agentcal_gate", junk)
    found = desk.run(Command(resume={"decisions": [APPROVE, APPROVE]}))
    assert desk.paid == []
    assert ["nothing has decided" in text for text, _ in results(found)] == [True] * 3
    assert "is not in the state any more" in caplog.text


def test_a_damaged_state_lets_no_answer_out(caplog: Any) -> None:
    saver = InMemorySaver()
    desk = Desk(about_answers("escalate"), ["a secret"], saver=saver)
    desk.run()
    _overwrite(saver, "agentcal_gate", {"request": "?", "turns": {"x": [1, 2]}})
    found = desk.run(Command(resume={"decisions": [APPROVE]}))
    assert [m.text for m in found["messages"]][1:] == [
        "A reviewer has held back the answer to this request."
    ]


def _overwrite(saver: InMemorySaver, channel: str, value: Any) -> None:
    """Behind everybody's back."""
    for key in list(saver.blobs):
        if key[2] == channel:
            saver.blobs[key] = saver.serde.dumps_typed(value)


def test_a_call_that_somebody_changes_while_it_waits_does_not_run() -> None:
    saver = InMemorySaver()
    desk = Desk(always("escalate"), [calls(pays(5), pays(7)), "done"], saver=saver)
    *before, proposed = desk.run()["messages"]
    first, second = proposed.tool_calls
    changed = proposed.model_copy(update={"tool_calls": [pays(999, first["id"]), second]})
    _overwrite(saver, "messages", [*before, changed])
    asked = asked_of(desk.run(Command(resume={"decisions": [APPROVE, APPROVE]})))
    assert [request["args"]["amount"] for request in asked] == [7]
    desk.run(Command(resume={"decisions": [APPROVE]}))
    assert desk.paid == [7]


def test_if_all_that_waits_was_changed_nobody_is_asked_and_nothing_runs(caplog: Any) -> None:
    saver = InMemorySaver()
    desk = Desk(always("escalate"), [calls(pays(5)), "done"], saver=saver)
    *before, proposed = desk.run()["messages"]
    changed = pays(999, proposed.tool_calls[0]["id"])
    _overwrite(saver, "messages", [*before, proposed.model_copy(update={"tool_calls": [changed]})])
    found = desk.run(Command(resume={"decisions": [APPROVE]}))
    assert (desk.paid, last(found)) == ([], "done")
    assert "is not in the state any more" in caplog.text


def test_a_call_that_somebody_changes_after_it_was_decided_does_not_run() -> None:
    saver = InMemorySaver()
    desk = Desk(always("escalate", "none"), [calls(pays(5)), "done"], saver=saver)
    config = desk.config()
    *before, proposed = desk.graph.invoke(
        {"messages": [("user", "pay")]}, config, interrupt_before=["tools"]
    )["messages"]
    changed = pays(999, proposed.tool_calls[0]["id"])
    _overwrite(saver, "messages", [*before, proposed.model_copy(update={"tool_calls": [changed]})])
    found = desk.graph.invoke(None, config)
    assert desk.paid == []
    assert "nothing has decided that transfer may run" in results(found)[0][0]


def test_a_call_that_reaches_the_tools_on_another_way_does_not_run(caplog: Any) -> None:
    ran: list[int] = []

    @tool
    def act(n: int) -> str:
        """Do something."""
        ran.append(n)
        return "did it"

    def sneaks(state: MessagesState) -> Command[Any]:
        proposed = AIMessage("", tool_calls=[{"name": "act", "args": {"n": 1}, "id": "a"}])
        return Command(update={"messages": [proposed]}, goto="tools")

    builder = StateGraph(MessagesState)
    builder.add_node("sneaks", sneaks)  # it does not declare where it may go
    builder.add_node("after", lambda _: None)
    builder.add_node("tools", ToolNode([act]))
    builder.add_edge(START, "sneaks")
    builder.add_edge("sneaks", "after")
    graph = calibrated(
        builder.compile(checkpointer=InMemorySaver()),
        policy=always("escalate", "none"),
        calibrator=Says(),
    )
    found = graph.invoke({"messages": [("user", "go")]}, _config())
    assert ran == []
    assert "nothing has decided that act may run" in results(found)[0][0]
    assert "nothing has decided" in caplog.text


def test_in_shadow_nothing_of_that_stops_anything() -> None:
    desk = Desk(without_score("abstain").shadow(), [calls(pays(5)), "done"], calibrator=Broken())
    assert last(desk.run()) == "done"
    assert desk.paid == [5]
    assert decisions_in(desk.state())[0].decisions[0].verdict is Verdict.ABSTAIN


def test_an_error_of_ours_counts_as_no_score(monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    def broken(*_: Any) -> Any:
        raise KeyError("a secret")

    monkeypatch.setattr(keeping, "gated_turn", broken)
    desk = Desk(without_score("abstain"), [calls(pays(5)), "done"])
    found = desk.run()
    assert desk.paid == []
    assert "the turn could not be read (KeyError)" in results(found)[0][0]
    assert "secret" not in caplog.text


@pytest.mark.parametrize("held", [False, True])
def test_an_error_that_nobody_thought_of_ends_the_run_and_in_shadow_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: Any, held: bool
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(keeping, "settled", broken)
    desk = Desk(without_score("abstain"), [calls(pays(5)), "done"], buffer_answer=held)
    with pytest.raises(ZeroDivisionError):
        desk.run()
    assert desk.paid == []
    desk = Desk(without_score("abstain").shadow(), [calls(pays(5)), "done"], buffer_answer=held)
    assert last(desk.run()) == "done"
    assert desk.paid == [5]
    assert "was not decided about, in shadow mode" in caplog.text


def test_what_was_rejected_is_not_run_by_a_graph_that_only_shadows_now() -> None:
    saver = InMemorySaver()
    desk = Desk(always("escalate"), [calls(pays(5), pays(7)), "done"], saver=saver)
    desk.run()
    relaxed = calibrated(
        desk.plain, policy=always("escalate").shadow(), recorder=Recorder(Says(0.9))
    )
    reject = {"decisions": [{"type": "reject"}, APPROVE]}
    relaxed.invoke(Command(resume=reject), desk.config())
    assert desk.paid == [7]


def test_ledger_tools_hints_decide_how_much_harm_a_call_can_do() -> None:
    desk = Desk(without_score("abstain"), [calls(pays(5)), "done"], calibrator=Broken())
    desk.run()
    assert decisions_in(desk.state())[0].decisions[0].tier == "destructive"
    assert {t.name for t in ledger_tools()} == {"get_balance", "transfer", "verify_ledger"}
