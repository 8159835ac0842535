"""A place in the program that is run again: retries and resumes."""

from __future__ import annotations

import pytest

import agentcal as ac
from agentcal.calibration import Calibrator
from agentcal.recorder import Recorder, Run

from .agents import asks, call, gated, same


@pytest.fixture
def run() -> Run:
    return Recorder().start(run_id="r")


def texts(run: Run) -> list[str]:
    return [step.text for step in run.trajectory().steps]


def test_a_key_seen_before_takes_out_the_turn_and_its_results(run: Run) -> None:
    run.replied(asks(call("1"), text="first"), key="model:1")
    run.returned("1", "error", "error")
    run.replied(asks(call("1"), text="again"), key="model:1")
    assert texts(run) == ["again"]
    assert run.trajectory().steps[0].tool_calls[0].status == "missing"
    run.returned("1", "fine")
    assert run.trajectory().steps[0].tool_calls[0].result == "fine"


def test_later_turns_of_the_same_place_go_too(run: Run) -> None:
    for key in ("left#0", "right#0", "left#1", "right#1", "left#x"):
        run.replied(asks(call(key), text=key), key=key)
    run.replied(asks(text="right again"), key="right#0")
    assert texts(run) == ["left#0", "left#1", "left#x", "right again"]
    run.replied(asks(text="new"), key="right#1")
    assert texts(run) == ["left#0", "left#1", "left#x", "right again", "new"]


def test_turns_without_a_key_stay(run: Run) -> None:
    for text, key in (("a", "p#0"), ("b", None), ("c", "p#1"), ("d", None)):
        run.replied(asks(text=text), key=key)
    run.replied(asks(text="a again"), key="p#0")
    assert texts(run) == ["b", "d", "a again"]


def test_what_was_said_to_a_turn_is_said_to_it_again(run: Run) -> None:
    run.message("one")
    run.replied(asks(text="a"), key="p#0")
    run.message("two")
    run.replied(asks(text="b"), key="p#1")
    run.message("answer")
    run.replied(asks(text="a again"), key="p#0")
    run.message("two")  # some tell it again, some do not
    run.replied(asks(text="b again"), key="p#1")
    said = [[m.text for m in step.inputs] for step in run.trajectory().steps]
    assert said == [["one", "answer"], ["two"]]


def test_interventions_go_to_the_turn_that_took_the_place(run: Run) -> None:
    run.replied(asks(text="a"), key="p#0")
    run.replied(asks(text="b"), key="q#0")
    run.intervened("edited")
    run.replied(asks(text="c"), key="p#1")
    run.intervened("approved")
    run.replied(asks(text="a again"), key="p#0")
    kinds = [(i.step, i.kind) for i in run.trajectory().interventions]
    assert kinds == [(0, "edited"), (1, "approved")]


def test_late_results_keep_their_place_among_the_turns_that_stay(run: Run) -> None:
    run.replied(asks(call("l"), text="left"), key="left#0")
    run.replied(asks(call("r"), text="right"), key="right#0")
    run.replied(asks(text="other"), key="other#0")
    run.returned("l", "x")
    run.replied(asks(call("r"), text="right again"), key="right#0")
    steps = run.trajectory().steps
    assert [step.text for step in steps] == ["left", "other", "right again"]
    assert steps[0].tool_calls[0].returned_after == 1
    run.replied(asks(text="other again"), key="other#0")
    assert run.trajectory().steps[0].tool_calls[0].returned_after is None
    run.returned("r", "x")
    assert run.trajectory().steps[1].tool_calls[0].returned_after == 2


def test_the_decision_point_is_that_of_the_run_as_it_stands_now(run: Run) -> None:
    for n in range(4):
        run.replied(asks(call(f"{n}"), text=f"I try {n}"), key=f"p#{n}")
        run.decision()
        run.returned(f"{n}", "error", "error")
    run.replied(asks(call("new"), text="I try anew"), key="p#1")
    point = run.decision()
    assert point is not None
    assert point.turn == 2
    assert same(point, gated(run.trajectory())[-1])


def test_a_step_may_be_run_again_while_it_has_results_of_its_own(run: Run) -> None:
    done = ac.ToolCall(id="1", name="search", result="known", status="ok")
    run.replied(ac.Step(tool_calls=[done]), key="p")
    run.replied(ac.Step(text="next"))
    assert same(run.decision(), gated(run.trajectory())[-1])


def test_a_second_result_changes_what_later_turns_have_seen(run: Run) -> None:
    run.replied(asks(call("1")))
    run.returned("1", "no such file", "error")
    run.replied(asks(text="hm"))
    before = run.decision()
    run.returned("1", "found r-77")
    assert same(run.decision(), gated(run.trajectory())[-1])
    assert not same(run.decision(), before)


def test_a_place_that_starts_again_takes_out_all_that_lies_under_it(run: Run) -> None:
    under = ["t#0", "t:a.0/x@1#0", "t!c#1", "t/u#0", "t"]
    beside = ["t@1#0", "t.1#0", "s/t#0", "tt#0", None]
    for key in (*under, *beside):
        run.replied(asks(call(str(key)), text=str(key)), key=key)
    run.returned("t/u#0", "done")
    gone = run.again("t")
    assert [step.text for step in gone or ()] == under
    assert [c.result for step in gone or () for c in step.tool_calls if c.id == "t/u#0"] == ["done"]
    assert texts(run) == [str(key) for key in beside]
    assert run.again("t") == []
    assert texts(run) == [str(key) for key in beside]


def test_a_place_that_starts_again_may_do_less(run: Run) -> None:
    run.message("said")
    run.replied(asks(call("1"), text="a"), key="node/a#0")
    run.replied(asks(text="b"), key="node/b#0")
    run.intervened("approved")
    run.again("node")
    run.replied(asks(text="a again"), key="node/a#0")
    got = run.trajectory()
    assert [[m.text for m in step.inputs] for step in got.steps] == [["said"]]
    assert [(i.step, i.kind) for i in got.interventions] == [(0, "approved")]
    assert same(run.decision(), gated(got)[-1])


def test_what_was_done_about_a_turn_that_does_not_come_back_stays_in_the_run(run: Run) -> None:
    run.replied(asks(text="first"))
    run.replied(asks(text="void"), key="node#0")
    run.intervened("edited")
    run.again("node")
    assert [(i.step, i.kind) for i in run.trajectory().interventions] == [(0, "edited")]
    alone = Recorder().start()
    alone.replied(asks(text="void"), key="node#0")
    alone.intervened("edited")
    alone.again("node")
    assert alone.trajectory().interventions == []


def test_after_turns_were_withdrawn_there_is_no_confidence_until_the_next(
    calibrator: Calibrator,
) -> None:
    run = Recorder(calibrator).start(run_id="r")
    run.replied(asks(text="a"), key="p#0")
    first = run.replied(asks(text="b"), key="q#0")
    assert run.again("nowhere") == []
    assert run.confidence == first is not None
    run.again("q")
    assert run.confidence is None
    assert run.replied(asks(text="c"), key="q#0") is not None


def test_inputs_that_come_again_take_the_place_of_the_old_ones(run: Run) -> None:
    def told(text: str) -> ac.Step:
        return ac.Step(inputs=[ac.Message(role="user", text=text)])

    run.replied(told("and now?"), key="p#0")
    run.replied(told("and now, at the second try?"), key="p#0")
    run.replied(told("on"), key="p#1")
    run.message("by the way")
    run.replied(told("on, again"), key="p#1")
    said = [[m.text for m in step.inputs] for step in run.trajectory().steps]
    assert said == [["and now, at the second try?"], ["by the way", "on, again"]]
