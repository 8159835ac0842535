"""``calibrated_when``: HumanInTheLoopMiddleware asks where the frozen verdict says so."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from langchain.agents.middleware import HumanInTheLoopMiddleware, ToolCallRequest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from agentcal.policy import Costs, CostTarget, Policy, Verdict
from agentcal.testing import Ledger, calls
from agentcal_langchain import CalibrationMiddleware, calibrated_when, confidence_in
from tests.langchain.agents import ACCOUNTS, MODES, agent, on
from tests.langchain_gate.desk import (
    APPROVE,
    ASK,
    PAY,
    REJECT,
    TIP,
    WAYS,
    Desk,
    Steady,
    gates,
    ledger_tools,
    on_transfer,
    results,
)

EVERY: list[Any] = ["approve", "edit", "reject", "respond"]
SURE, UNSURE = Steady(0.99), Steady(0.3)
# Sure enough, it costs less to go on than to ask.
BY_COST = Policy.of(CostTarget(costs=Costs(wrong={"destructive": 100.0})))


def people(when: Any, mode: dict[str, Any]) -> HumanInTheLoopMiddleware:
    return HumanInTheLoopMiddleware(
        {"transfer": {"allowed_decisions": EVERY, "when": when}}, **mode
    )


class Building:
    """The same agent on the same threads, built by processes with other calibrators."""

    def __init__(self, mode: dict[str, Any], when: Any = calibrated_when) -> None:
        self.saver, self.book = InMemorySaver(), Ledger(ACCOUNTS)
        self.mode, self.when = mode, when

    def agent(self, calibrator: Any, policy: Policy = BY_COST, *, last: bool = False) -> Any:
        gate = CalibrationMiddleware(calibrator, policy)
        stack = (
            [people(self.when, self.mode), gate] if last else [gate, people(self.when, self.mode)]
        )
        script = [calls(PAY), "Done."]
        return agent(stack, script, ledger_tools(self.book), checkpointer=self.saver)

    def answered(self, graph: Any, decision: Any, way: str) -> None:
        (asked,) = graph.get_state(on("t-1")).interrupts
        per_call = asked.value.get("type") == "tool_approval"
        resume = {asked.id: decision if per_call else {"decisions": [decision]}}
        WAYS[way](graph, Command(resume=resume), on("t-1"))


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("last", [False, True])
def test_it_asks_where_the_frozen_verdict_is_to_escalate(
    last: bool, mode: dict[str, Any], way: str
) -> None:
    for calibrator, moved in ((SURE, [30]), (UNSURE, [])):
        building = Building(mode)
        graph = building.agent(calibrator, last=last)
        WAYS[way](graph, ASK, on("t-1"))
        assert [entry.amount for entry in building.book.entries] == moved
        assert len(graph.get_state(on("t-1")).interrupts) == (0 if moved else 1)


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
@pytest.mark.parametrize("mode", MODES)
def test_a_call_that_was_rejected_does_not_run_when_another_calibrator_resumes(
    mode: dict[str, Any], way: str
) -> None:
    building = Building(mode)
    WAYS[way](building.agent(UNSURE), ASK, on("t-1"))
    building.answered(building.agent(SURE), REJECT, way)
    assert building.book.entries == []


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
@pytest.mark.parametrize("mode", MODES)
def test_a_predicate_that_looks_at_the_score_of_today_lets_it_run(
    mode: dict[str, Any], way: str
) -> None:
    """The hazard itself, so that the test above can fail."""
    today = [0.3]
    building = Building(mode, when=lambda request: today[0] < 0.5)
    WAYS[way](building.agent(UNSURE), ASK, on("t-1"))
    today[0] = 0.99
    building.answered(building.agent(SURE), REJECT, way)
    assert [entry.amount for entry in building.book.entries] == [30]


@pytest.mark.parametrize("mode", MODES)
def test_without_a_verdict_it_asks(mode: dict[str, Any]) -> None:
    book = Ledger(ACCOUNTS)
    stack = [people(calibrated_when, mode)]
    graph = agent(stack, [calls(PAY), "Done."], ledger_tools(book), checkpointer=InMemorySaver())
    graph.invoke(ASK, on("t-1"))
    assert (book.entries, len(graph.get_state(on("t-1")).interrupts)) == ([], 1)
    other = partial(calibrated_when, name="another")
    gate = CalibrationMiddleware(SURE, BY_COST)  # type: ignore[arg-type]
    stack = [gate, people(other, mode)]
    graph = agent(stack, [calls(PAY), "Done."], ledger_tools(book), checkpointer=InMemorySaver())
    graph.invoke(ASK, on("t-1"))
    assert (book.entries, len(graph.get_state(on("t-1")).interrupts)) == ([], 1)


@pytest.mark.parametrize("mode", MODES)
def test_by_name(mode: dict[str, Any]) -> None:
    book = Ledger(ACCOUNTS)
    gate = CalibrationMiddleware(SURE, BY_COST, name="second opinion")  # type: ignore[arg-type]
    stack = [gate, people(partial(calibrated_when, name="second opinion"), mode)]
    graph = agent(stack, [calls(PAY), "Done."], ledger_tools(book), checkpointer=InMemorySaver())
    graph.invoke(ASK, on("t-1"))
    assert [entry.amount for entry in book.entries] == [30]


@pytest.mark.parametrize("mode", MODES)
def test_beside_a_gate_that_asks_itself_people_are_asked_once(mode: dict[str, Any]) -> None:
    policy = on_transfer(Verdict.ESCALATE)
    for decision, moved in ((APPROVE, [30]), (REJECT, [])):
        building = Building(mode)
        graph = building.agent(UNSURE, policy, last=True)
        graph.invoke(ASK, on("t-1"))
        building.answered(graph, decision, "invoke")
        assert graph.get_state(on("t-1")).interrupts == ()
        assert [entry.amount for entry in building.book.entries] == moved


def request(state: Any, call: Any) -> ToolCallRequest:
    return ToolCallRequest(tool_call=call, tool=None, state=state, runtime=None)  # type: ignore[arg-type]


VERDICTS = [
    (Verdict.PROCEED, False),
    (Verdict.VERIFY, True),
    (Verdict.ESCALATE, True),
    (Verdict.ABSTAIN, True),
]


@pytest.mark.parametrize(("verdict", "asks"), VERDICTS)
def test_verdicts(verdict: Verdict, asks: bool) -> None:
    desk = Desk(on_transfer(verdict, mode="shadow"), [calls(PAY, TIP), "Done."])
    desk.graph.interrupt_before_nodes = ["tools"]
    desk.ask()
    state = desk.state()
    pay, tip = state["messages"][-1].tool_calls
    assert calibrated_when(request(state, pay)) is asks
    assert calibrated_when(request(state, tip)) is asks
    assert confidence_in(state) is not None
    assert calibrated_when(request(state, {**pay, "id": "another"})) is True
    newer = {**state, "messages": [*state["messages"], state["messages"][-1].model_copy()]}
    newer["messages"][-1].id = "another"
    assert calibrated_when(request(newer, pay)) is True
    assert calibrated_when(request([], pay)) is True
    assert calibrated_when(request({"messages": []}, pay)) is True


DAMAGE: list[Any] = [
    None,
    "x",
    {},
    {"gates": 3},
    {"gates": {"m": 1}},
    {"gates": {"m": {"ids": 3}}},
]


@pytest.mark.parametrize("damaged", DAMAGE, ids=str)
def test_a_damaged_verdict_is_none(damaged: Any) -> None:
    desk = Desk(on_transfer(Verdict.PROCEED), [calls(PAY), "Done."])
    desk.ask()
    state = dict(desk.state())
    state["messages"] = state["messages"][:2]
    (pay,) = state["messages"][1].tool_calls
    assert calibrated_when(request(state, pay)) is False
    entry = damaged
    if isinstance(damaged, dict) and isinstance(damaged.get("gates"), dict):
        entry = {"gates": {state["messages"][1].id: damaged["gates"]["m"]}}
    state["agentcal"] = {"CalibrationMiddleware": entry}
    assert calibrated_when(request(state, pay)) is True


@pytest.mark.parametrize("field", ["decision", "ids", "given", "found", "answers", "seen_to"])
def test_each_part_of_a_verdict_counts(field: str) -> None:
    desk = Desk(on_transfer(Verdict.PROCEED), [calls(PAY), "Done."])
    desk.ask()
    state = desk.state()
    (pay,) = state["messages"][1].tool_calls
    now = {**state, "messages": state["messages"][:2]}
    assert calibrated_when(request(now, pay)) is False
    gates(state)[0][field] = 7
    assert calibrated_when(request(now, pay)) is True


def test_it_does_not_look_at_results() -> None:
    desk = Desk(on_transfer(Verdict.PROCEED), [calls(PAY), "Done."])
    desk.ask()
    assert [status for status, _ in results(desk.state())] == ["success"]
