"""Whatever is missing or broken, the gate does what was chosen beforehand, and says so."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from langchain.agents import create_agent
from langgraph.checkpoint.memory import InMemorySaver

from agentcal import AgentcalError, Confidence, ConfigError
from agentcal.policy import Always, MemoryLedger, Policy, ReviewBudget, RiskTarget, Verdict
from agentcal.recorder import Recorder
from agentcal.testing import Ledger, ScriptedChatModel, calls
from agentcal_langchain import CalibrationMiddleware
from tests.langchain.agents import ACCOUNTS, Broken, agent, on
from tests.langchain_gate.desk import (
    APPROVE,
    ASK,
    PAY,
    SCRIPT,
    TIP,
    WAYS,
    Desk,
    Steady,
    gates,
    last_words,
    ledger_tools,
    on_transfer,
    results,
)

NEVER = Always(verdict=Verdict.ESCALATE, tools=("another",))


class Odd(Steady):
    """Gives something that is no probability."""

    def predict(self, point: Any, **known: Any) -> Confidence:
        found = super().predict(point)
        return Confidence(self.value, *[getattr(found, f) for f in FIELDS])


FIELDS = ("low", "high", "thinness", "support", "supported", "kind", "turn", "fingerprint")

UNSCORED: dict[str, Any] = {
    "the calibrator raises": Broken(),
    "not a number": Odd(float("nan")),
    "more than one": Odd(1.5),
}


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("calibrator", UNSCORED)
@pytest.mark.parametrize("chosen", [Verdict.ESCALATE, Verdict.ABSTAIN, Verdict.VERIFY])
def test_without_a_score_what_was_chosen_beforehand_happens(
    chosen: Verdict, calibrator: str, asynchronous: bool
) -> None:
    policy = Policy.of(NEVER, mode="enforce", without_score=chosen)
    desk = Desk(policy, calibrator=UNSCORED[calibrator])
    WAYS["ainvoke" if asynchronous else "invoke"](desk.graph, ASK, on("t-1"))
    assert desk.moved == []
    reason = gates(desk.state())[1]["decision"]["decisions"][0]["reason"]
    raises = calibrator == "the calibrator raises"
    told = "no confidence: the turn could not be scored" if raises else "no usable confidence"
    assert reason.startswith(told)
    asked = [one["action_requests"][0]["name"] for one in desk.waiting()]
    expected = {Verdict.ESCALATE: ["transfer"], Verdict.VERIFY: ["answer"], Verdict.ABSTAIN: []}
    assert asked == expected[chosen]


def test_without_a_calibrator(caplog: Any) -> None:
    recorder = Recorder()
    book = Ledger(ACCOUNTS)
    gate = CalibrationMiddleware(recorder=recorder, policy=Policy.of(NEVER, mode="enforce"))
    graph = agent([gate], SCRIPT, ledger_tools(book), checkpointer=InMemorySaver())
    graph.invoke(ASK, on("t-1"))
    (asked,) = graph.get_state(on("t-1")).interrupts
    assert "No confidence is available." in asked.value["action_requests"][0]["description"]
    assert book.entries == []


def test_a_policy_that_is_not_certified_asks() -> None:
    desk = Desk(Policy.of(RiskTarget(max_failure_rate=0.05), mode="enforce"))
    desk.ask()
    assert "not certified" in desk.waiting()[0]["action_requests"][0]["description"]


class Failing:
    """A ledger of which the disk is full."""

    def grant(self, budget: Any, requests: Any) -> Any:
        raise OSError("disk full")


def test_a_ledger_that_breaks_lets_nothing_pass(caplog: Any) -> None:
    policy = on_transfer(Verdict.ESCALATE).with_(budget=ReviewBudget(share=0.5))
    desk = Desk(policy, ledger=Failing())
    with caplog.at_level(logging.ERROR, logger="agentcal"):
        desk.ask()
    assert desk.moved == []
    assert "OSError" in caplog.text


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_budget_that_is_spent_asks_nobody(asynchronous: bool) -> None:
    policy = on_transfer(Verdict.ESCALATE).with_(budget=ReviewBudget(share=0.01))
    desk = Desk(policy, [calls(PAY, TIP), "Done."], ledger=MemoryLedger())
    WAYS["ainvoke" if asynchronous else "invoke"](desk.graph, ASK, on("t-1"))
    assert desk.moved == []
    assert desk.waiting() == []
    assert "the review budget is spent" in results(desk.state())[0][1]


def process(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any, **more: Any) -> None:
        raise KeyError("secret of a user")

    monkeypatch.setattr(where, broken)


PARTS = [
    "agentcal_langchain._finder.get_config",
    "agentcal_langgraph.building.Watch.asked",
    "agentcal_langgraph.building.Watch.replied",
    "agentcal_langchain._judge.gated_turn",
    "agentcal_langchain._judge.with_ids",
    "agentcal_langchain._own.facts_of",
    "agentcal_langchain._frozen.Frozen.record",
]


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("mode", ["enforce", "shadow"])
@pytest.mark.parametrize("part", PARTS)
def test_an_error_of_ours_stops_the_call_and_in_shadow_nothing(
    part: str, mode: Any, asynchronous: bool, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    desk = Desk(on_transfer(Verdict.PROCEED, mode=mode))
    process(part, monkeypatch)
    with caplog.at_level(logging.ERROR, logger="agentcal"):
        try:
            WAYS["ainvoke" if asynchronous else "invoke"](desk.graph, ASK, on("t-1"))
        except KeyError:
            assert mode == "enforce"
    assert desk.moved == ([] if mode == "enforce" else [30])
    assert "secret" not in caplog.text
    assert "KeyError" in caplog.text


def test_a_reply_without_a_decision_is_asked_about_and_runs_if_approved(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk = Desk(on_transfer(Verdict.PROCEED))
    with monkeypatch.context() as patch:
        process("agentcal_langchain._judge.gated_turn", patch)
        desk.ask()
    (asked,) = desk.waiting()
    assert "nothing was decided about this" in asked["action_requests"][0]["description"]
    desk.answer(APPROVE)
    assert desk.moved == [30]
    assert last_words(desk.state()) == "Paid."


def damaged(desk: Desk, change: Any) -> None:
    """The gate's own entry in the state, as somebody has left it."""
    kept = desk.state()["agentcal"]
    for one in kept["CalibrationMiddleware"]["gates"].values():
        change(one)
    desk.graph.update_state(on("t-1"), {"agentcal": kept}, as_node="model")


CHANGES: dict[str, Any] = {
    "no ids": lambda one: one.update(ids=[]),
    "another verdict": lambda one: one["decision"]["decisions"][0].update(verdict="yes"),
    "no decision": lambda one: one.update(decision={}),
    "answers": lambda one: one.update(answers={"0": {"type": "approve"}}),
    "flags": lambda one: one.update(seen_to="no"),
    "another key": lambda one: one["decision"]["decisions"][0].update(key="a/1/0/b"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_state_that_was_damaged_while_it_waited(change: str, caplog: Any) -> None:
    desk = Desk(on_transfer(Verdict.ESCALATE), [calls(PAY), "Paid."])
    desk.ask()
    damaged(desk, CHANGES[change])
    with caplog.at_level(logging.ERROR, logger="agentcal"):
        desk.ask(None)
    assert desk.moved == []
    (asked,) = desk.waiting()
    assert "nothing was decided about this" in asked["action_requests"][0]["description"]
    assert change == "another key" or "damaged" in caplog.text


@pytest.mark.parametrize("asynchronous", [False, True])
def test_no_checkpointer_and_a_policy_that_may_ask_is_refused_before_the_model_is_asked(
    asynchronous: bool,
) -> None:
    asked: list[Any] = []

    def script(text: str) -> list[Any]:
        asked.append(text)
        return SCRIPT

    gate = CalibrationMiddleware(Steady(), on_transfer(Verdict.ESCALATE))  # type: ignore[arg-type]
    graph = create_agent(ScriptedChatModel(script=script), ledger_tools(), middleware=[gate])
    way = WAYS["ainvoke" if asynchronous else "invoke"]
    with pytest.raises(ConfigError, match=r"create_agent\(\.\.\., checkpointer=\.\.\.\)"):
        way(graph, ASK, on("t-1"))
    assert asked == []


NOT_ASKING: dict[str, Any] = {"without_score": Verdict.ABSTAIN, "after_checks": Verdict.ABSTAIN}


@pytest.mark.parametrize(
    "policy",
    [
        on_transfer(Verdict.ESCALATE, mode="shadow"),
        on_transfer(Verdict.ABSTAIN, **NOT_ASKING),
    ],
)
def test_no_checkpointer_is_needed_where_nobody_is_asked(policy: Policy) -> None:
    book = Ledger(ACCOUNTS)
    gate = CalibrationMiddleware(Steady(), policy)  # type: ignore[arg-type]
    agent([gate], SCRIPT, ledger_tools(book)).invoke(ASK)
    assert [entry.amount for entry in book.entries] == ([30] if policy.mode == "shadow" else [])


def test_settings() -> None:
    policy: Any = on_transfer(Verdict.PROCEED)
    steady: Any = Steady()
    for wrong in ({"verifier": print}, {"escalate_to": print}, {"ledger": MemoryLedger()}):
        with pytest.raises(ConfigError, match="need a policy"):
            CalibrationMiddleware(steady, **wrong)
    with pytest.raises(ConfigError, match="a calibrator or a recorder"):
        CalibrationMiddleware(policy=policy)
    with pytest.raises(AgentcalError):
        CalibrationMiddleware(steady, "always ask")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="escalate_to"):
        CalibrationMiddleware(steady, policy, escalate_to="somebody")  # type: ignore[arg-type]

    class Mine(CalibrationMiddleware):
        pass

    assert Mine(steady).name == "CalibrationMiddleware"
    with pytest.raises(ConfigError, match="Mine"):
        Mine(steady, policy)


def test_a_single_rule_is_a_policy_in_shadow() -> None:
    rule: Any = Always(verdict=Verdict.ABSTAIN, tools=("transfer",))
    desk = Desk(rule)
    desk.ask()
    assert desk.moved == [30]
    assert gates(desk.state())[1]["decision"]["decisions"][0]["mode"] == "shadow"
