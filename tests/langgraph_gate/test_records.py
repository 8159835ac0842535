"""What a recorder is told of a gate at work, and what a policy is told of the run."""

from __future__ import annotations

from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command

import agentcal as ac
from agentcal.policy import (
    Always,
    Costs,
    CostTarget,
    Decision,
    Gate,
    GatedTurn,
    MemoryLedger,
    Policy,
    ReviewBudget,
    TurnDecision,
    Verdict,
)
from agentcal.recorder import QuietObserver, Recorder, Review, RunInfo
from agentcal.sinks import MemorySink
from agentcal.testing import (
    Ledger,
    ScriptedChatModel,
    calls,
    ledger_tools,
    nested_graph,
    react_graph,
)
from agentcal_langgraph import calibrated, decisions_in
from tests.langgraph_gate.gates import (
    LOOKS,
    Desk,
    Says,
    about_answers,
    always,
    asked_of,
    last,
    pays,
)

APPROVE, REJECT = {"type": "approve"}, {"type": "reject"}
ASKED = {"messages": [("user", "pay bob")]}


class Told(QuietObserver):
    """What an observer is told, in order."""

    def __init__(self) -> None:
        self.events: list[Any] = []

    def replied(
        self, run: RunInfo, turn: int, step: ac.Step, confidence: ac.Confidence | None
    ) -> None:
        self.events.append(("replied", turn))

    def decided(self, run: RunInfo, decision: TurnDecision) -> None:
        self.events.append(
            ("decided", decision.turn, [d.verdict.value for d in decision.decisions])
        )

    def reviewed(self, run: RunInfo, review: Review) -> None:
        self.events.append(("reviewed", review.decision.key, review.answer, review.by))

    def called(self, run: RunInfo, turn: int, position: int, call: ac.ToolCall) -> None:
        self.events.append(("called", turn, position))


def _told(script: Any, policy: Policy, *answers: Any) -> tuple[list[Any], list[TurnDecision]]:
    told = Told()
    recorder = Recorder(Says(0.5), observers=[told])
    tools = ledger_tools(Ledger({"alice": 1000, "bob": 20}))
    graph = react_graph(ScriptedChatModel(script=script), tools, checkpointer=InMemorySaver())
    gated = calibrated(graph, policy=policy, recorder=recorder)
    config: Any = {"configurable": {"thread_id": "t"}}
    gated.invoke(ASKED, config)
    for answer in answers:
        gated.invoke(Command(resume=answer), config)
    assert recorder.stats.errors == 0
    return told.events, decisions_in(gated.get_state(config).values)


def test_a_decision_is_told_once_after_the_reply_and_before_anything_happens() -> None:
    proposed = calls(pays(5), pays(7), LOOKS)
    answer = {"decisions": [APPROVE, REJECT]}
    events, decided = _told([proposed, "done"], always("escalate"), "rubbish", answer)
    keys = [decision.key for decision in decided[0].decisions]
    assert events[:4] == [
        ("replied", 1),
        ("decided", 1, ["escalate", "escalate", "proceed"]),
        ("reviewed", keys[0], "approved", "human"),
        ("reviewed", keys[1], "rejected", "human"),
    ]
    assert sorted(events[4:6]) == [("called", 1, 0), ("called", 1, 2)]
    assert events[6:] == [("replied", 2), ("decided", 2, ["proceed"])]


def test_in_shadow_it_is_told_as_well() -> None:
    events, _ = _told([calls(pays(5)), "done"], always("abstain").shadow())
    assert [e[0] for e in events] == ["replied", "decided", "called", "replied", "decided"]


def test_an_answer_to_somebody_elses_question_is_still_an_intervention() -> None:
    from langchain.agents import create_agent  # noqa: PLC0415 - for this test alone
    from langchain.agents.middleware import HumanInTheLoopMiddleware  # noqa: PLC0415

    def build(model: Any, tools: Any, *, checkpointer: Any) -> Any:
        hitl = HumanInTheLoopMiddleware({"transfer": True})
        return create_agent(model, tools, middleware=[hitl], checkpointer=checkpointer)

    desk = Desk(always("escalate"), [calls(pays(5)), "done"], build=build)
    desk.run()
    desk.run(Command(resume={"decisions": [APPROVE]}))
    desk.run(Command(resume={"decisions": [REJECT]}))
    kinds = [(i.kind, i.by) for i in desk.recorded().interventions if i.kind != "resumed"]
    assert kinds == [("approved", ""), ("rejected", "human")]
    assert desk.paid == []


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[GatedTurn]:
    """All turns that any gate is asked about."""
    turns: list[GatedTurn] = []

    def decide(self: Gate, turn: GatedTurn) -> TurnDecision:
        turns.append(turn)
        return original(self, turn)

    original = Gate.decide
    monkeypatch.setattr(Gate, "decide", decide)
    return turns


def test_a_policy_is_told_of_the_whole_run(asked: list[GatedTurn]) -> None:
    script = [calls(LOOKS), calls(LOOKS, pays(5)), "done"]
    desk = Desk(always("escalate"), script, scores=(0.3, 0.5, 0.7))
    desk.run()
    desk.run(Command(resume={"decisions": [APPROVE]}))
    run = desk.recorded()
    assert [t.turn for t in asked] == [1, 2, 3]
    assert {t.run_id for t in asked} == {run.run_id}
    assert [[c.value if c else None for c in t.trail] for t in asked] == [[], [0.3], [0.3, 0.5]]
    assert [[c.name for c in t.calls] for t in asked] == [
        ["get_balance"],
        ["get_balance", "transfer"],
        [],
    ]
    assert [t.answer for t in asked] == ["", "", "done"]
    assert asked[1].calls[1].declared is not None
    assert asked[1].calls[1].declared.destructive
    assert (asked[0].agent, asked[0].model) == ("react", "scripted")


def test_the_trail_leads_through_all_graphs_of_a_run(asked: list[GatedTurn]) -> None:
    desk = Desk(
        about_answers("escalate").shadow(),
        ["a plan", calls(LOOKS), "worked", "reviewed"],
        build=nested_graph,
        scores=(0.1, 0.2, 0.3, 0.4),
    )
    desk.run()
    trails = [[c.value if c else None for c in t.trail] for t in asked]
    run = desk.recorded()
    assert (
        {(t.agent, t.model) for t in asked} == {(run.agent, run.model)} == {("nested", "scripted")}
    )
    assert [t.turn for t in asked] == [2, 3, 4]
    assert trails == [[0.1], [0.1, 0.2], [0.1, 0.2, 0.3]]


def test_checks_are_counted_across_a_run(asked: list[GatedTurn]) -> None:
    script = [calls(pays(5)), calls(pays(6)), calls(pays(7)), "done"]
    policy = always("verify", max_checks=2, after_checks=Verdict.ABSTAIN)
    desk = Desk(policy, script)
    assert "not sure enough" in last(desk.run())
    assert [t.checks for t in asked] == [0, 1, 2]


def test_and_across_the_graphs_of_a_run(asked: list[GatedTurn]) -> None:
    def build(model: Any, tools: Any, *, checkpointer: Any) -> Any:
        builder = StateGraph(MessagesState)
        for name in ("first", "second"):
            builder.add_node(name, react_graph(model, tools, name=name))
        builder.add_edge(START, "first")
        builder.add_edge("first", "second")
        return builder.compile(checkpointer=checkpointer)

    script = [calls(pays(5)), "that is all", calls(pays(6)), "done"]
    desk = Desk(always("verify", after_checks=Verdict.ABSTAIN), script, build=build)
    assert "not sure enough" in last(desk.run())
    assert [(t.checks, len(t.calls)) for t in asked] == [(0, 1), (1, 0), (1, 1)]


def test_a_review_budget_is_kept(asked: list[GatedTurn]) -> None:
    budget = ReviewBudget(0.01)
    policy = Policy.of(Always(tools=("transfer",)), budget, mode="enforce")
    script = [calls(pays(5)), calls(pays(7)), "done"]
    desk = Desk(policy, script, ledger=MemoryLedger())
    assert len(asked_of(desk.run())) == 1
    found = desk.run(Command(resume={"decisions": [APPROVE]}))
    assert desk.paid == [5]
    assert "not sure enough" in last(found)
    verdicts = [d.decisions[0].by for d in decisions_in(desk.state())]
    assert verdicts == ["always", "review_budget"]


def test_decisions_are_plain_json_that_reads_back_the_same() -> None:
    _, decided = _told([calls(pays(5)), "done"], always("escalate"))
    (decision,) = decided[0].decisions
    assert Decision.model_validate_json(decision.model_dump_json()) == decision
    assert decision.calibrator == Says().fingerprint


def test_a_run_that_was_handed_to_people_is_one_record_over_two_processes() -> None:
    sink, saver = MemorySink(), InMemorySaver()
    script = [calls(pays(5)), "done"]
    first = Desk(always("escalate"), script, saver=saver, scores=(0.2,))
    first.run()
    second = Desk(always("escalate"), script, saver=saver, scores=(0.9,))
    second.recorder.close()
    recorder = Recorder(Says(0.9), sinks=[sink])
    graph = calibrated(second.plain, policy=always("abstain"), recorder=recorder)
    config: Any = {"configurable": {"thread_id": "t"}}
    before = decisions_in(first.state())
    graph.invoke(Command(resume={"decisions": [APPROVE]}), config)
    assert second.paid == [5]
    after = decisions_in(graph.get_state(config).values)
    assert after[0] == before[0]
    recorder.close()
    (run,) = sink.runs
    assert len(run.steps) == 2
    assert any("the first turns were not watched" in gap for gap in run.gaps)


@pytest.mark.long
def test_a_fitted_calibrator_and_a_policy_by_cost() -> None:
    calibrator = ac.fit(ac.sample_runs()[::6], folds=2, nested=False, workers=1, progress=False)
    costs = Costs(abstained=10_000.0)
    policy = Policy.of(CostTarget(costs), mode="enforce", gated=("destructive",))
    script = [calls(LOOKS), calls(pays(5)), "done"]
    desk = Desk(policy, script, calibrator=calibrator)
    found = desk.run()
    (asked,) = asked_of(found)
    decisions = decisions_in(desk.state())
    assert all(d.confidence is not None for d in decisions)
    assert decisions[-1].decisions[0].calibrator == calibrator.fingerprint
    assert f"{decisions[-1].confidence}" in asked["description"]
    assert last(desk.run(Command(resume={"decisions": [APPROVE]}))) == "done"
    run = desk.recorded()
    points = [p for p in ac.decision_points(run) if p.kind != "finished"]
    offline = [calibrator.predict(p, agent=run.agent, model=run.model).value for p in points]
    frozen = [d.confidence.value for d in decisions_in(desk.state()) if d.confidence]
    assert frozen == offline
    withdrawn = Desk(policy, script, calibrator=calibrator.void("made from the wrong runs"))
    assert "no confidence" in asked_of(withdrawn.run())[0]["description"].lower()
    assert withdrawn.paid == []
