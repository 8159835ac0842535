"""What each verdict does to a turn of a real agent, in every way to run one."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.types import Command

from agentcal.policy import Always, Policy, Verdict
from agentcal.testing import calls
from tests.langchain.agents import on
from tests.langchain_gate.desk import (
    APPROVE,
    ASK,
    EDIT,
    LOOK,
    PAY,
    REJECT,
    RESPOND,
    TIP,
    WAYS,
    Desk,
    gates,
    is_well_formed,
    last_words,
    on_answer,
    on_transfer,
    results,
)


@pytest.mark.parametrize("way", WAYS)
def test_in_shadow_all_is_decided_and_nothing_stopped(way: str) -> None:
    desk = Desk(on_transfer(Verdict.ABSTAIN, mode="shadow"))
    WAYS[way](desk.graph, ASK, on("t-1"))
    state = desk.state()
    assert desk.moved == [30]
    assert last_words(state) == "Paid."
    verdicts = [one["decision"]["decisions"][0]["verdict"] for one in gates(state)]
    assert verdicts == ["proceed", "abstain", "proceed"]
    run = desk.run()
    assert (run.end_reason, run.interventions) == ("answered", [])


@pytest.mark.parametrize("way", WAYS)
def test_proceed(way: str) -> None:
    desk = Desk(on_transfer(Verdict.PROCEED))
    WAYS[way](desk.graph, ASK, on("t-1"))
    assert desk.moved == [30]
    assert last_words(desk.state()) == "Paid."
    assert [one["seen_to"] for one in gates(desk.state())] == [False, False, False]


ANSWERS = [
    (APPROVE, [30], "success", "moved 30", "approved"),
    (REJECT, [], "error", "Not today.", "rejected"),
    (RESPOND, [], "success", "I did it by hand.", "responded"),
    (EDIT, [1], "success", "moved 1 from alice", "edited"),
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("answer", "moved", "status", "text", "kind"), ANSWERS)
def test_escalate(answer: Any, moved: Any, status: str, text: str, kind: str, way: str) -> None:
    desk = Desk(on_transfer(Verdict.ESCALATE))
    WAYS[way](desk.graph, ASK, on("t-1"))
    assert desk.moved == []
    (asked,) = desk.waiting()
    (action,) = asked["action_requests"]
    assert (action["name"], action["args"]) == ("transfer", PAY["args"])
    assert "P(success) 0.70" in action["description"]
    WAYS[way](desk.graph, Command(resume={"decisions": [answer]}), on("t-1"))
    assert desk.moved == moved
    state = desk.state()
    found, said = results(state)[-1]
    assert (found, text in said) == (status, True)
    assert is_well_formed(state)
    proposed = state["messages"][3]
    assert proposed.tool_calls[0]["args"] == PAY["args"]  # the model's own words stay
    run = desk.run()
    (entry,) = [one for one in run.interventions if one.kind != "resumed"]
    assert (entry.kind, entry.by, entry.step) == (kind, "human", 1)
    assert (entry.waited_s or 0) > 0
    assert (run.end_reason, len(run.steps)) == ("answered", 3)


def test_the_agent_is_told_what_ran_instead_of_its_call() -> None:
    desk = Desk(on_transfer(Verdict.ESCALATE))
    desk.ask()
    desk.answer(EDIT)
    _, said = results(desk.state())[-1]
    assert said.startswith("A reviewer changed this call before it ran. What ran is transfer with")
    assert '"amount": 1' in said


@pytest.mark.parametrize("way", WAYS)
def test_verify_asks_the_agent_to_check_once_then_somebody(way: str) -> None:
    desk = Desk(on_transfer(Verdict.VERIFY), [calls(PAY), calls(LOOK), calls(PAY), "Paid."])
    WAYS[way](desk.graph, ASK, on("t-1"))
    assert desk.moved == []
    first, _ = results(desk.state())
    assert first[0] == "error"
    assert first[1].startswith("Not run. Check this before you go on: transfer is always held up")
    (asked,) = desk.waiting()
    assert "checked 1 times already" in asked["action_requests"][0]["description"]
    WAYS[way](desk.graph, Command(resume={"decisions": [APPROVE]}), on("t-1"))
    assert desk.moved == [30]
    run = desk.run()
    kinds = [(one.kind, one.step) for one in run.interventions if one.kind != "resumed"]
    assert kinds == [("verified", 0), ("approved", 2)]


CHECKS: list[tuple[Any, list[int], str]] = [
    (True, [30], ""),
    (False, [], "a check found that it is wrong"),
    ("bob was paid already", [], "bob was paid already"),
    (None, [], "a check found that it is wrong"),
    (ValueError("secret"), [], "the check failed (ValueError)"),
]


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("coroutine", [False, True])
@pytest.mark.parametrize(("says", "moved", "told"), CHECKS)
def test_a_verifier(says: Any, moved: Any, told: str, coroutine: bool, asynchronous: bool) -> None:
    seen: list[Any] = []

    def look(turn: Any, decisions: Any) -> Any:
        seen.append((turn, decisions))
        if isinstance(says, Exception):
            raise says
        return says

    async def alook(turn: Any, decisions: Any) -> Any:
        await asyncio.sleep(0)
        return look(turn, decisions)

    desk = Desk(on_transfer(Verdict.VERIFY), verifier=alook if coroutine else look)
    WAYS["ainvoke" if asynchronous else "invoke"](desk.graph, ASK, on("t-1"))
    assert desk.moved == moved
    ((turn, decisions),) = seen
    assert (turn.calls[0].name, turn.turn, turn.checks) == ("transfer", 2, 0)
    assert turn.calls[0].declared.destructive is True
    assert turn.trail[0].value == turn.confidence.value == 0.7
    assert [one.verdict for one in decisions] == [Verdict.VERIFY]
    assert told in results(desk.state())[-1][1]
    assert "secret" not in json.dumps(results(desk.state()))
    assert is_well_formed(desk.state())


@pytest.mark.parametrize("way", WAYS)
def test_abstain(way: str) -> None:
    script = [calls(LOOK), calls(PAY, LOOK), "Paid."]
    desk = Desk(on_transfer(Verdict.ABSTAIN), script, abstain_message="Please call us.")
    WAYS[way](desk.graph, ASK, on("t-1"))
    state = desk.state()
    assert desk.moved == []
    assert last_words(state) == "Please call us."
    assert [status for status, _ in results(state)] == ["success", "error", "error"]
    assert is_well_formed(state)
    assert [one["stopped"] for one in gates(state)] == [False, True]
    run = desk.run()
    assert (run.end_reason, len(run.steps)) == ("abstained", 2)
    assert [(one.kind, one.by) for one in run.interventions] == [("aborted", "agentcal")]
    assert [c.status for c in run.steps[1].tool_calls] == ["error", "error"]
    assert desk.graph.get_state(on("t-1")).next == ()


def test_the_thread_goes_on_after_the_gate_has_ended_a_run() -> None:
    desk = Desk(on_transfer(Verdict.ABSTAIN), lambda text: ["Hello."] if "Hi" in text else SHORT)
    desk.ask()
    desk.ask({"messages": [HumanMessage("Hi.")]})
    assert last_words(desk.state()) == "Hello."
    assert [run.end_reason for run in desk.watched.runs()] == ["abstained", "answered"]


SHORT: list[Any] = [calls(PAY), "Paid."]


def test_one_question_for_all_calls_of_a_turn_and_the_rest_is_as_decided() -> None:
    policy = Policy.of(
        Always(verdict=Verdict.ESCALATE, tools=("transfer",)),
        Always(verdict=Verdict.VERIFY, tools=("verify_ledger",)),
        mode="enforce",
    )
    check: Any = {"name": "verify_ledger", "args": {}, "id": None, "type": "tool_call"}
    desk = Desk(policy, [calls(PAY, LOOK, check, TIP), "Done."])
    desk.ask()
    (asked,) = desk.waiting()
    amounts = [one["args"]["amount"] for one in asked["action_requests"]]
    assert amounts == [30, 5]
    desk.answer(REJECT, APPROVE)
    assert desk.moved == [5]
    told = results(desk.state())
    assert sorted(status for status, _ in told) == ["error", "error", "success", "success"]
    assert is_well_formed(desk.state())
    assert last_words(desk.state()) == "Done."


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (APPROVE, "Paid."),
        (REJECT, "Not today."),
        ({"type": "reject"}, "A reviewer has held back the answer to this request."),
        (RESPOND, "I did it by hand."),
    ],
)
def test_an_answer_that_is_escalated(answer: Any, words: str, way: str) -> None:
    desk = Desk(on_answer(Verdict.ESCALATE))
    WAYS[way](desk.graph, ASK, on("t-1"))
    (asked,) = desk.waiting()
    (action,), (config,) = asked["action_requests"], asked["review_configs"]
    assert (action["name"], action["args"]) == ("answer", {"text": "Paid."})
    assert config["allowed_decisions"] == ["approve", "reject", "respond"]
    WAYS[way](desk.graph, Command(resume={"decisions": [answer]}), on("t-1"))
    state = desk.state()
    assert last_words(state) == words
    said = [m.text for m in state["messages"] if isinstance(m, AIMessage) and not m.tool_calls]
    assert said == [words]  # the answer that was held back is nowhere
    assert desk.run().end_reason == "answered"


@pytest.mark.parametrize("way", WAYS)
def test_an_answer_that_is_checked(way: str) -> None:
    def script(text: str) -> list[Any]:
        return ["Checked: paid."] if "has not gone out" in text else [calls(PAY), "Paid."]

    policy = on_answer(Verdict.VERIFY, after_checks=Verdict.PROCEED)
    desk = Desk(policy, script)
    WAYS[way](desk.graph, ASK, on("t-1"))
    assert last_words(desk.state()) == "Checked: paid."
    run = desk.run()
    assert [(one.kind, one.step) for one in run.interventions] == [("verified", 1)]
    assert [step.text for step in run.steps][1:] == ["Paid.", "Checked: paid."]
    (nudge,) = run.steps[2].inputs
    assert nudge.role == "system"  # the user has not said that
    assert run.task == "Pay bob 30."


@pytest.mark.parametrize("way", WAYS)
def test_an_answer_that_does_not_go_out(way: str) -> None:
    desk = Desk(on_answer(Verdict.ABSTAIN))
    WAYS[way](desk.graph, ASK, on("t-1"))
    state = desk.state()
    assert "not sure enough" in last_words(state)
    assert "Paid." not in [m.text for m in state["messages"]]
    assert desk.run().end_reason == "abstained"


def test_the_state_is_plain_json_and_private() -> None:
    desk = Desk(on_transfer(Verdict.ESCALATE))
    assert "agentcal" not in desk.ask()
    desk.answer(EDIT)
    kept = desk.state()["agentcal"]
    assert json.loads(json.dumps(kept, allow_nan=False)) == kept
    assert "agentcal" not in desk.graph.get_input_jsonschema()["properties"]
    said = kept["CalibrationMiddleware"]["gates"]
    (answered,) = [one["answers"] for one in said.values() if one["answers"]]
    assert answered["0"]["args"] == {"source": "alice", "target": "bob", "amount": 1}


def test_calls_without_ids_and_with_the_same_id_are_told_apart() -> None:
    same = {**PAY, "id": "same"}
    twice = AIMessage("", tool_calls=[same, {**TIP, "id": "same"}])
    desk = Desk(on_transfer(Verdict.ESCALATE), [twice, "Done."])
    desk.ask()
    desk.answer(REJECT, APPROVE)
    assert desk.moved == [5]
    assert is_well_formed(desk.state())


def test_without_a_policy_the_agent_has_no_nodes_of_a_gate() -> None:
    assert "CalibrationMiddleware.after_model" not in Desk(None).graph.get_graph().nodes
    gated = Desk(on_transfer(Verdict.PROCEED)).graph.get_graph().nodes
    assert "CalibrationMiddleware.after_model" in gated
