"""Decisions of a gate and answers of people: one event each, on the right span."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

import agentcal as ac
from agentcal.policy import Gate, GatedTurn, Policy, ProposedCall, RiskTarget
from agentcal.recorder import Recorder, Review, Run
from tests.recorder.gates import AT, decided
from tests.telemetry_out.conftest import CANARY, Watched, asks
from tests.telemetry_out.test_foreign import THEIRS, span_of

SCORE = ac.Confidence(0.41, 0.3, 0.5, 0.1, 0.9, True, "tool_turn", 1, "f1")


def events(watched: Watched, name: str) -> list[Any]:
    """Log records of evaluations of that name."""
    records = [event.log_record for event in watched.to.events]
    return [r for r in records if r.attributes["gen_ai.evaluation.name"] == name]


def on_spans(watched: Watched) -> list[tuple[str, str, str]]:
    """Span events: the span, which evaluation, its label."""
    return [
        (
            span.name.partition(" ")[0],
            event.attributes["gen_ai.evaluation.name"],
            event.attributes["gen_ai.evaluation.score.label"],
        )
        for span in watched.to.spans
        for event in span.events
        if event.name == "gen_ai.evaluation.result"
    ]


def begin(recorder: Recorder, *tools: str) -> Run:
    run = recorder.start(run_id="r", conversation="c", agent="clerk")
    run.replied(asks(*(tools or ("pay",))))
    return run


def test_a_decision_says_what_it_rests_on(watched: Watched) -> None:
    with watched.recorder() as recorder:
        run = begin(recorder)
        facts = {"confidence": SCORE, "certificate": "c0ffee"}
        run.decided(decided("escalate", arguments={"to": CANARY}, **facts))
        run.ended()
    (event,) = events(watched, "agentcal.decision")
    key = event.attributes["agentcal.decision.key"]
    assert key.startswith("r/1/0/")
    assert dict(event.attributes) == {
        "gen_ai.evaluation.name": "agentcal.decision",
        "gen_ai.evaluation.score.label": "escalate",
        "gen_ai.evaluation.score.value": 0.41,
        "gen_ai.evaluation.explanation": "escalate 0",
        "gen_ai.conversation.id": "c",
        "gen_ai.tool.name": "pay",
        "agentcal.run.id": "r",
        "agentcal.turn": 1,
        "agentcal.call.position": 0,
        "agentcal.decision.key": key,
        "agentcal.decision.by": "risk_target",
        "agentcal.decision.mode": "enforce",
        "agentcal.decision.tier": "write",
        "agentcal.decision.threshold": 0.8,
        "agentcal.decision.certificate": "c0ffee",
        "agentcal.decision.policy": "0123456789abcdef",
        "agentcal.calibrator.fingerprint": "f1",
    }
    assert event.timestamp == int(AT.timestamp() * 1e9)


@pytest.mark.parametrize("score", [None, replace(SCORE, value=float("nan"))])
def test_a_decision_without_a_score_has_no_value(watched: Watched, score: Any) -> None:
    with watched.recorder() as recorder:
        run = begin(recorder)
        run.decided(decided("abstain", confidence=score, threshold=None))
        run.ended("abstained")
    (event,) = events(watched, "agentcal.decision")
    missing = {"score.value", "decision.threshold", "decision.certificate"}
    assert not [name for name in event.attributes for end in missing if name.endswith(end)]
    (root,) = watched.named("invoke_agent")
    assert root.attributes["agentcal.run.end_reason"] == "abstained"
    assert root.status.is_unset, "to abstain is no error"


def test_a_call_that_runs_has_its_decision_on_its_own_span(watched: Watched) -> None:
    with watched.recorder() as recorder:
        run = begin(recorder, "look", "pay", "mail")
        run.decided(decided("proceed", "escalate", "proceed"))
        run.called("c2")
        run.returned("c2", "sent")
        run.called("c0")
        run.returned("c0", "found")
        run.returned("c1", "not run", "rejected")
        run.ended()
    tools = {span.name: span.context.span_id for span in watched.named("execute_tool")}
    (chat,) = watched.named("chat")
    said = events(watched, "agentcal.decision")
    assert {e.attributes["agentcal.call.position"]: e.span_id for e in said} == {
        0: tools["execute_tool look"],
        1: chat.context.span_id,
        2: tools["execute_tool mail"],
    }
    assert len(said) == 3
    assert {e.trace_id for e in said} == {chat.context.trace_id}


def test_what_was_let_through_and_never_ran_is_told_at_the_end(watched: Watched) -> None:
    with watched.recorder() as recorder:
        run = begin(recorder, "look", "pay")
        run.decided(decided("proceed", "abstain", mode="shadow"))
        run.returned("c1", "unknown tool", "rejected")
        assert [
            e.attributes["agentcal.call.position"] for e in events(watched, "agentcal.decision")
        ] == [1]
        run.interrupted()
    (chat,) = watched.named("chat")
    said = events(watched, "agentcal.decision")
    assert [(e.attributes["agentcal.call.position"], e.span_id) for e in said] == [
        (1, chat.context.span_id),
        (0, chat.context.span_id),
    ]


def test_calls_that_a_gate_stopped_have_no_span(watched: Watched) -> None:
    with watched.recorder() as recorder:
        run = begin(recorder, "look", "pay", "mail")
        question = decided("proceed", "escalate", "escalate")
        run.decided(question)
        run.reviewed(Review(question.decisions[1], "approved"))
        run.reviewed(Review(question.decisions[2], "responded"))
        run.returned("c0", "found")
        run.returned("c1", "paid")
        run.returned("c2", "he knows already")
        run.replied(asks("look", "pay"))
        run.decided(decided("proceed", "abstain", turn=2))
        for call_id in ("c0", "c1"):
            run.returned(call_id, "not run", "error")
        run.ended("abstained")
    names = [span.name for span in watched.named("execute_tool")]
    assert names == ["execute_tool look", "execute_tool pay"]
    assert len(events(watched, "agentcal.decision")) == 5


def test_a_turn_that_is_taken_again_keeps_both_decisions(watched: Watched) -> None:
    with watched.recorder() as recorder:
        run = recorder.start(run_id="r")
        for text in ("one", "two"):
            run.replied(asks("pay", text=text), key="node#0")
            run.decided(decided("proceed", arguments={"to": text}))
        run.called("c0")
        run.returned("c0", "paid")
        run.ended()
    said = events(watched, "agentcal.decision")
    (tool,) = watched.named("execute_tool")
    assert len({e.attributes["agentcal.decision.key"] for e in said}) == 2
    assert said[-1].span_id == tool.context.span_id != said[0].span_id


def test_an_answer_is_judged_on_the_turn_that_gave_it(watched: Watched) -> None:
    with watched.recorder() as recorder:
        run = recorder.start(run_id="r")
        run.replied(ac.Step(text="done"))
        run.decided(decided("proceed", tool=None, tier="answer"))
        run.ended()
    (event,), (chat,) = events(watched, "agentcal.decision"), watched.named("chat")
    assert event.span_id == chat.context.span_id
    assert "gen_ai.tool.name" not in event.attributes
    assert "agentcal.call.position" not in event.attributes


def answered(recorder: Recorder, **review: Any) -> None:
    run = begin(recorder)
    question = decided("escalate")
    run.decided(question)
    run.interrupted()
    again = recorder.resume("c")
    assert again is not None
    again.reviewed(Review(question.decisions[0], **review))
    again.called("c0")
    again.returned("c0", "paid")
    again.ended()


def test_a_review_says_who_answered_what_and_when(watched: Watched) -> None:
    with watched.recorder(content=False) as recorder:
        answered(recorder, answer="approved", by="ann", detail=CANARY, waited_s=90)
    (event,) = events(watched, "agentcal.review")
    (asked,) = events(watched, "agentcal.decision")
    _, second = watched.named("invoke_agent")
    assert event.span_id == second.context.span_id, "the part of the run in which the answer came"
    assert dict(event.attributes) == {
        "gen_ai.evaluation.name": "agentcal.review",
        "gen_ai.evaluation.score.label": "approved",
        "gen_ai.conversation.id": "c",
        "gen_ai.tool.name": "pay",
        "agentcal.run.id": "r",
        "agentcal.turn": 1,
        "agentcal.call.position": 0,
        "agentcal.decision.key": asked.attributes["agentcal.decision.key"],
        "agentcal.decision.tier": "write",
        "agentcal.review.by": "ann",
        "agentcal.review.waited": 90,
    }


@pytest.mark.parametrize("content", [False, True])
def test_what_the_reviewer_wrote_is_content(watched: Watched, content: bool) -> None:
    with watched.recorder(content=content) as recorder:
        answered(recorder, answer="rejected", by="ann", detail=CANARY, waited_s=90)
    _, root = watched.named("invoke_agent")
    entries = [dict(e.attributes) for e in root.events if e.name == "agentcal.intervention"]
    words = {"agentcal.intervention.detail": CANARY} if content else {}
    assert entries[1] == words | {
        "agentcal.intervention.kind": "rejected",
        "agentcal.turn": 1,
        "agentcal.intervention.by": "ann",
        "agentcal.intervention.waited": 90,
    }
    assert CANARY not in json.dumps([dict(e.log_record.attributes) for e in watched.to.events])


def test_what_a_gate_did_by_itself_is_no_content(watched: Watched) -> None:
    with watched.recorder(content=False) as recorder:
        run = begin(recorder)
        run.decided(decided("verify"))
        run.ended()
    (root,) = watched.named("invoke_agent")
    (entry,) = [dict(e.attributes) for e in root.events]
    assert entry["agentcal.intervention.detail"] == "verify 0"


def test_without_a_logger_the_events_are_on_what_is_still_open(watched: Watched) -> None:
    with watched.recorder(logger_provider=None) as recorder:
        run = begin(recorder, "look", "pay")
        run.decided(decided("proceed", "escalate"))
        run.reviewed(Review(decided("escalate").decisions[0], "approved"))
        run.called("c0")
        run.returned("c0", "found")
        run.ended()
    assert watched.to.events == []
    assert sorted(on_spans(watched)) == [
        ("execute_tool", "agentcal.decision", "proceed"),
        ("invoke_agent", "agentcal.decision", "escalate"),
        ("invoke_agent", "agentcal.review", "approved"),
    ]


@pytest.mark.parametrize("logs", [True, False])
def test_where_another_traces_the_events_are_on_their_span(watched: Watched, logs: bool) -> None:
    settings = {} if logs else {"logger_provider": None}
    with watched.recorder(**settings) as recorder, span_of(watched, *THEIRS[0]) as theirs:
        answered(recorder, answer="approved")
    assert [span.name for span in watched.to.spans] == ["theirs"]
    if logs:
        said = [*events(watched, "agentcal.decision"), *events(watched, "agentcal.review")]
        assert [e.span_id for e in said] == [theirs.get_span_context().span_id] * 2
    else:
        assert [name for _, name, _ in on_spans(watched)] == [
            "agentcal.decision",
            "agentcal.review",
        ]


def test_metrics_count_verdicts_and_waits(watched: Watched) -> None:
    with watched.recorder() as recorder:
        answered(recorder, answer="approved", waited_s=90)
        answered(recorder, answer="rejected", waited_s=10)
        answered(recorder, answer="rejected")
        run = begin(recorder, "look", "pay")
        run.decided(decided("proceed", "proceed", mode="shadow", by="alarm"))
        counted = watched.to.metrics["agentcal.verdicts"]  # before the tools have run
    verdicts = {tuple(sorted(point.attributes.items())): point.value for point in counted}
    assert verdicts == {
        (
            ("agentcal.decision.by", "risk_target"),
            ("agentcal.decision.mode", "enforce"),
            ("agentcal.decision.verdict", "escalate"),
        ): 3,
        (
            ("agentcal.decision.by", "alarm"),
            ("agentcal.decision.mode", "shadow"),
            ("agentcal.decision.verdict", "proceed"),
        ): 2,
    }
    metrics = watched.to.metrics
    reviews = {p.attributes["agentcal.review.answer"]: p.value for p in metrics["agentcal.reviews"]}
    assert reviews == {"approved": 1, "rejected": 2}
    waits = {
        point.attributes["agentcal.review.answer"]: (point.count, point.sum)
        for point in metrics["agentcal.review.duration"]
    }
    assert waits == {"approved": (1, 90), "rejected": (1, 10)}


def test_runs_that_are_over_leave_nothing(watched: Watched) -> None:
    observer = watched.observer()
    with Recorder(observers=[observer]) as recorder:
        run = begin(recorder, "look", "pay")
        run.decided(decided("proceed", "escalate"))
        seen = observer._runs.get("r")
        assert seen is not None
        run.called("c0")
        run.returned("c0", "found")
        assert seen.held == {}
        run.ended()
        assert len(observer._runs) == 0
    assert recorder.stats.errors == 0


def test_a_real_gate_is_quoted_exactly(watched: Watched, calibrator: ac.Calibrator) -> None:
    gate = Gate(Policy.of(RiskTarget(0.05)))
    with Recorder(calibrator, observers=[watched.observer()]) as recorder:
        run = begin(recorder)
        turn = GatedTurn(
            run_id=run.run_id,
            turn=1,
            confidence=run.confidence,
            calls=(ProposedCall("pay", {"to": CANARY}, "c0"),),
        )
        decision = gate.decide(turn)
        run.decided(decision)
        run.called("c0")
        run.returned("c0", "paid")
        run.ended()
    (event,) = events(watched, "agentcal.decision")
    (one,) = decision.decisions
    assert run.trajectory().interventions == [], "shadow"
    assert event.attributes["gen_ai.evaluation.explanation"] == one.reason
    assert event.attributes["gen_ai.evaluation.score.value"] == one.confidence.value  # type: ignore[union-attr]
    assert event.attributes["agentcal.decision.key"] == one.key
    assert event.attributes["agentcal.decision.mode"] == "shadow"
    assert CANARY not in str(dict(event.attributes))
