"""What a gate decides and what people answer becomes part of the run."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

import agentcal as ac
from agentcal.calibration import Calibrator
from agentcal.recorder import Answer, Recorder, Review, Run, SqlitePending
from agentcal.trajectory import WAITING, InterventionKind

from .agents import asks, call
from .gates import decided


def entries(run: Run) -> list[tuple[int, str, str, str]]:
    return [(i.step, i.kind, i.by, i.detail) for i in run.trajectory().interventions]


def test_what_an_enforcing_gate_does_by_itself_is_an_intervention() -> None:
    run = Recorder().start(run_id="r")
    run.replied(asks(call("1"), call("2")))
    run.decided(decided("proceed", "verify"))
    run.replied(asks(call("3"), call("4"), call("5")))
    run.decided(decided("verify", "abstain", "abstain", turn=2))
    assert entries(run) == [
        (0, "verified", "agentcal", "verify 1"),
        (1, "aborted", "agentcal", "abstain 1"),
    ]
    whole = run.ended("abstained")
    assert whole is not None
    assert (whole.end_reason, whole.gaps) == ("abstained", [])


@pytest.mark.parametrize("verdict", ["proceed", "verify", "escalate", "abstain"])
def test_a_shadow_gate_and_a_question_leave_the_run_as_it_is(verdict: str) -> None:
    run = Recorder().start(run_id="r")
    run.replied(asks(call("1")))
    run.decided(decided(verdict, mode="shadow"))
    run.decided(decided("proceed"))
    run.decided(decided("escalate"))
    assert entries(run) == []


@pytest.mark.parametrize("answer", get_args(Answer))
def test_every_answer_is_an_intervention_on_the_turn_that_was_asked_about(answer: Answer) -> None:
    assert answer in get_args(InterventionKind)
    run = Recorder().start(run_id="r")
    run.replied(asks(call("1")))
    run.replied(asks(call("2")))
    asked = decided("escalate", run_id="a/b/2/c").decisions[0]
    run.reviewed(Review(asked, answer, by="ann", detail="not to bob", waited_s=61.5))
    (entry,) = run.trajectory().interventions
    assert entry == ac.Intervention(
        step=0, kind=answer, by="ann", detail="not to bob", waited_s=61.5
    )


@pytest.mark.parametrize("waited_s", [None, -1.0, float("nan"), float("inf")])
def test_a_wait_that_no_clock_measured_is_missing(waited_s: float | None) -> None:
    recorder = Recorder()
    run = recorder.start(run_id="r")
    run.replied(asks(call("1")))
    run.reviewed(Review(decided("escalate").decisions[0], "approved", waited_s=waited_s))
    assert [i.waited_s for i in run.trajectory().interventions] == [None]
    assert recorder.stats.errors == 0


def test_a_question_is_answered_in_another_process(tmp_path: Path) -> None:
    first = Recorder(pending=SqlitePending(tmp_path / "pending.db"))
    run = first.start(run_id="r", conversation="c")
    run.replied(asks(call("1")))
    question = decided("escalate")
    run.decided(question)
    run.interrupted("may I?")
    run.reviewed(Review(question.decisions[0], "approved"))  # closed: nobody hears it
    first.close()
    frozen = type(question).model_validate_json(question.model_dump_json())
    again = Recorder(pending=SqlitePending(tmp_path / "pending.db")).resume("c")
    assert again is not None
    again.reviewed(Review(frozen.decisions[0], "rejected", detail="no", waited_s=3600))
    again.returned("1", "not run", "rejected")
    again.replied(asks(call("2")))
    again.decided(decided("abstain", turn=2))
    assert [(i.step, i.kind, i.waited_s) for i in again.trajectory().interventions] == [
        (0, "resumed", None),
        (0, "rejected", 3600),
        (1, "aborted", None),
    ]


def test_a_run_says_that_a_gate_waits_in_it_until_somebody_answers() -> None:
    recorder = Recorder()
    run = recorder.start(run_id="r", conversation="c")
    run.replied(asks(call("1"), call("2")))
    run.decided(decided("escalate", mode="shadow"))
    assert run.trajectory().metadata == {}
    run.decided(decided("escalate", "verify"))
    run.interrupted()
    again = recorder.resume("c")
    assert again is not None
    again.interrupted()  # the answer made no sense
    again = recorder.resume("c")
    assert again is not None
    assert again.trajectory().metadata == {WAITING: 1}
    again.reviewed(Review(decided("escalate").decisions[0], "approved"))
    assert again.trajectory().metadata == {}
    again.decided(decided("escalate"))
    again.replied(asks(text="a stronger model replied"))
    assert again.trajectory().metadata == {}
    again.decided(decided("escalate", "abstain", turn=2))
    assert again.trajectory().metadata == {}


def test_a_review_of_a_turn_that_is_run_again_goes_to_the_turn_that_takes_its_place() -> None:
    run = Recorder().start(run_id="r")
    run.replied(asks(call("1")), key="n#0")
    run.replied(asks(call("2")), key="m#0")
    run.again("m")
    run.reviewed(Review(decided("escalate", turn=2).decisions[0], "approved"))
    assert [i.step for i in run.trajectory().interventions] == [0]
    run.replied(asks(call("2")), key="m#0")
    assert [i.step for i in run.trajectory().interventions] == [1]


def test_a_record_without_turns_says_what_it_lacks() -> None:
    run = Recorder().start(run_id="r")
    run.reviewed(Review(decided("escalate").decisions[0], "approved"))
    run.decided(decided("abstain"))
    whole = run.ended("abstained")
    assert whole is not None
    assert whole.interventions == []
    assert whole.gaps == ["an intervention before the first turn (2 times)"]


def test_decisions_and_reviews_change_no_score(calibrator: Calibrator) -> None:
    recorder = Recorder(calibrator)
    run, plain = (recorder.start(run_id="r", task="Pay bob.") for _ in range(2))
    for one in (run, plain):
        one.replied(asks(call("1")))
    run.decided(decided("verify"))
    run.reviewed(Review(decided("escalate").decisions[0], "approved"))
    for one in (run, plain):
        one.returned("1", "paid")
        one.replied(asks(text="Done."))
    assert run.confidence == plain.confidence is not None
