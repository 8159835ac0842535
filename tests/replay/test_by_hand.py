"""Trajectories whose every figure is worked out on paper."""

from __future__ import annotations

from typing import Any, cast

import pytest
from scipy.stats import beta

from agentcal import Intervention, ToolDeclaration, Trajectory
from agentcal._seen import Seen, mark_of
from agentcal.calibration import Calibrator
from agentcal.metrics import Estimate
from agentcal.policy import (
    Alarm,
    Always,
    CostTarget,
    Policy,
    ReviewBudget,
    RiskTarget,
    Tiers,
    Verdict,
)
from agentcal.replays import Replay, reach_of, replay
from agentcal.sequential import fit_alarm
from tests.replay.scripted import (
    ANSWER,
    CALIBRATOR,
    FINGERPRINT,
    READ,
    WRITE,
    Scripted,
    a_run,
    certified,
)

AT_60 = certified(0.6)


def runs_on_paper() -> list[Trajectory]:
    return [
        # Stopped at turn 3 of 4, after it has written; asked about twice, three calls in all.
        a_run(
            "late",
            [(READ, 0.9), (WRITE, 0.7), (f"{WRITE}+pay", 0.4), (ANSWER, 0.3)],
            success=False,
            group="g1",
            tokens=[10, 20, 30, 40],
            family="money",
        ),
        # Reads with no confidence at all, which no gate minds; its answer is held up.
        a_run("answer", [(READ, 0.2), (ANSWER, 0.5)], False, group="g1", family="money"),
        a_run("fine", [(WRITE, 0.9), (ANSWER, 0.8)], True, group="g2", family="money"),
        a_run("spoilt", [(WRITE, 0.5), (ANSWER, 0.9)], True, group="g2", family="news"),
        # Turns in circles and never comes to a gate.
        a_run("circles", [(READ, 0.1)] * 3, False, group="g3", tokens=[5, 5, 5], family="news"),
    ]


def replayed(policy: Any, runs: list[Trajectory], **settings: Any) -> Replay:
    return replay(policy, CALIBRATOR, runs, progress=False, **settings)


@pytest.fixture(scope="module")
def on_paper() -> Replay:
    return replayed(AT_60, runs_on_paper())


def value(estimate: Estimate | None) -> float:
    assert estimate is not None
    return estimate.value


def test_what_is_stopped_where(on_paper: Replay) -> None:
    row = on_paper.row()
    assert (on_paper.runs, on_paper.groups, on_paper.failed) == (5, 3, 3)
    assert (row.interrupted, row.verdicts) == (3, {"escalate": 3})
    assert value(row.failures_stopped) == pytest.approx(2 / 3)
    assert value(row.successes_interrupted) == pytest.approx(1 / 2)
    assert value(row.seen_at_stop) == 3 / 4
    assert row.rules == {"risk_target": 3}


def test_one_that_wrote_before_it_was_stopped_was_not_stopped_in_time(on_paper: Replay) -> None:
    before = on_paper.row().before_writing
    assert (value(before), before.n if before else None) == (0.0, 1)
    in_time = replayed(certified(0.8), runs_on_paper()).row().before_writing
    assert value(in_time) == 1.0


def test_what_was_saved_is_what_came_after_the_stop_in_runs_that_failed(on_paper: Replay) -> None:
    row = on_paper.row()
    assert value(row.steps_saved) == pytest.approx(1 / (4 + 2 + 3))
    assert value(row.tokens_saved) == pytest.approx(40 / (100 + 15))
    assert row.tokens_saved
    assert row.tokens_saved.n == 2, "the run without counts is not counted"


def test_questions_for_100_runs_if_nobody_goes_on_and_if_all_do(on_paper: Replay) -> None:
    row = on_paper.row()
    assert row.first_questions == pytest.approx(100 * 3 / 5)
    assert row.questions == pytest.approx(100 * (2 + 1 + 1) / 5)
    assert row.calls == pytest.approx(100 * (3 + 1 + 1) / 5)


def test_what_passes_whole_stands_beside_the_promise(on_paper: Replay) -> None:
    passed = on_paper.row().passed
    assert (passed.runs, passed.failed, value(passed.share)) == (2, 1, 2 / 5)
    # One run of a new group: g1 never passes, g2 in half of its runs and well, g3 always and badly.
    assert passed.failure_rate == pytest.approx(1 / (0.5 + 1))
    assert on_paper.promise is not None
    assert on_paper.promise.model_dump() == {
        "max_failure_rate": 0.1,
        "confidence": 0.95,
        "threshold": 0.6,
        "why_not": "",
    }


def test_the_bound_is_that_of_clopper_and_pearson_with_one_run_a_group() -> None:
    runs = [a_run(f"r{k}", [(ANSWER, 0.9)], success=k > 1) for k in range(20)]
    passed = replayed(AT_60, runs, level=0.8).row().passed
    assert (passed.runs, passed.failed, passed.confidence) == (20, 2, 0.95)
    assert passed.at_most == pytest.approx(beta.ppf(0.95, 3, 18), abs=1e-9)


def test_by_tool_and_by_kind_of_task(on_paper: Replay) -> None:
    tools = [(r.tool, r.tier, r.stopped, r.failing.value) for r in on_paper.by_tool]
    assert tools == [(WRITE, "write", 2, 0.5), (None, "answer", 1, 1.0)]
    families = {
        r.family: (r.runs, r.failed, r.interrupted, value(r.failures_stopped))
        for r in on_paper.by_family
    }
    assert families == {"money": (3, 2, 2, 1.0), "news": (2, 1, 1, 0.0)}


def test_always_asking_before_a_write_has_a_budget_of_its_own(on_paper: Replay) -> None:
    row = on_paper.row("always before writing")
    assert row.budget is None
    assert row.interrupted == 3
    assert value(row.failures_stopped) == pytest.approx(1 / 3)
    assert value(row.successes_interrupted) == 1.0
    assert row.questions == pytest.approx(100 * (2 + 1 + 1) / 5)
    assert row.calls == pytest.approx(100 * (3 + 1 + 1) / 5)
    assert value(row.before_writing) == 1.0


def test_a_limit_on_steps_stops_the_longest_where_it_is_exceeded(on_paper: Replay) -> None:
    # Three runs of 4, 3, 2 turns: one limit stops "late" and "circles", and one of those of two.
    row = on_paper.row("step count")
    assert (row.budget, row.interrupted) == (3, 3)
    share, spoilt = value(row.failures_stopped), value(row.successes_interrupted)
    assert (share, spoilt) in [(pytest.approx(2 / 3), 0.5), (1.0, 0.0)]


def test_a_limit_without_ties_is_exact() -> None:
    lengths = {"a": 6, "b": 4, "c": 3, "d": 2}
    runs = [
        a_run(name, [(READ, 0.9)] * (turns - 1) + [(ANSWER, 0.1 if name == "d" else 0.9)], False)
        for name, turns in lengths.items()
    ]
    row = replayed(AT_60, runs).row("step count")
    assert row.interrupted == 1
    # One run is to be stopped: the limit is what the longest reaches at its very last turn.
    assert value(row.seen_at_stop) == 1.0
    assert row.policy_ahead
    assert row.policy_ahead.value == 0.0


def test_runs_that_cannot_be_judged_are_left_out_and_counted() -> None:
    cut = a_run("cut", [(ANSWER, 0.1)], success=False)
    cut.interventions.append(Intervention(step=0, kind="aborted"))
    gated = a_run("gated", [(ANSWER, 0.1)], success=False, end_reason="abstained")
    open_run = a_run("open", [(ANSWER, 0.1)], success=None)
    found = replayed(AT_60, [*runs_on_paper(), cut, gated, open_run])
    assert found.runs == 5
    assert found.left_out == {"cut short": 1, "ended by a gate": 1, "no outcome": 1}
    assert "left out: 1 ended by a gate" in str(found).replace("\n", " ")


def test_a_run_that_a_person_touched_counts_and_is_told() -> None:
    touched = a_run("touched", [(WRITE, 0.9), (ANSWER, 0.9)], success=True)
    touched.interventions.append(Intervention(step=0, kind="edited"))
    found = replayed(AT_60, [*runs_on_paper(), touched])
    assert (found.runs, found.touched) == (6, 1)
    assert "in 1 somebody changed what was proposed" in str(found)


def test_a_run_without_a_turn_passes_whole() -> None:
    found = replayed(AT_60, [*runs_on_paper(), a_run("empty", [], success=False)])
    assert (found.row().passed.runs, found.row().passed.failed) == (3, 2)


def test_verdicts_are_counted_apart_and_nothing_is_asked_after_a_check() -> None:
    policy = Policy.of(Always(verdict=Verdict.VERIFY, tools=(WRITE,)), CostTarget())
    runs = [
        a_run("checked", [(WRITE, 0.99), (ANSWER, 0.3)], success=True),
        a_run("asked", [(READ, 0.5), (ANSWER, 0.3)], success=False),
    ]
    row = replayed(policy, runs).row()
    assert row.verdicts == {"verify": 1, "escalate": 1}
    assert (row.first_questions, row.questions) == (50.0, 50.0)
    assert row.rules == {"always": 1, "cost_target": 1}


def test_what_was_never_certified_stops_every_gated_step_and_says_so() -> None:
    found = replayed(RiskTarget(0.05), runs_on_paper())
    assert found.row().interrupted == 4
    assert found.row().rules == {"risk_target, not certified": 4}
    assert found.promise
    assert (found.promise.threshold, found.promise.why_not) == (None, "no certificate was made")
    assert "Not certified" in str(found)


def test_a_certificate_for_another_calibrator_or_policy_promises_nothing() -> None:
    other = cast(Calibrator, Scripted(fingerprint="f" * 16))
    found = replay(AT_60, other, runs_on_paper(), progress=False)
    assert found.promise
    assert found.promise.why_not == "the certificate was made for another calibrator"
    changed = replayed(AT_60.with_(gated=("write",)), runs_on_paper())
    assert changed.promise
    assert changed.promise.why_not == "the policy was changed after it was certified"
    for stopped in (found, changed):
        assert set(stopped.row().rules) == {"risk_target, not certified"}
        assert "Not certified" in str(stopped)


def test_a_spent_budget_abstains_and_ids_may_repeat() -> None:
    policy = AT_60.with_(budget=ReviewBudget(share=0.01, window=1))
    runs = [a_run("same", [(ANSWER, 0.3)], success=False, group=f"g{k}") for k in range(10)]
    row = replayed(policy, runs).row()
    assert row.verdicts == {"escalate": 1, "abstain": 9}
    assert row.rules == {"risk_target": 1, "review_budget": 9}


def test_where_baselines_may_stop() -> None:
    assert reach_of(AT_60) == {"answer", "write", "destructive"}
    assert reach_of(Policy.of(Alarm(0.1))) == {"answer", "write", "destructive"}
    reading = Policy.of(Always(tools=(READ,)), gated=("write",))
    assert reach_of(reading) == {"write", "destructive", "read_only"}


def test_an_alarm_stops_runs_that_read_in_circles_too() -> None:
    bound = fit_alarm(
        [[0.9, 0.8]] * 40 + [[0.4, 0.1]] * 40,
        [True] * 40 + [False] * 40,
        [f"g{k}" for k in range(80)],
        false_alarm_rate=0.1,
    )
    policy = Policy.of(Alarm(0.1, bound=bound, calibrator=FINGERPRINT))
    assert reach_of(policy) == {"answer", "write", "destructive", "read_only"}
    found = replayed(policy, runs_on_paper())
    assert {row.tool for row in found.by_tool} >= {READ}
    assert found.row().rules == {"alarm": found.row().interrupted}
    assert [row.stopped for row in found.by_tool if row.tool == READ] == [2]
    assert "agentcal, at any step" not in {row.method for row in found.rows}


def test_tools_are_what_the_policy_takes_them_for() -> None:
    tame = AT_60.with_(tiers=Tiers(tools={WRITE: "read_only", "pay": "read_only"}))
    found = replayed(tame, runs_on_paper())
    assert found.absent["always before writing"] == "no run calls a tool that writes"
    declared = [
        run.model_copy(update={"tools": [ToolDeclaration(name=READ, destructive=True)]})
        for run in runs_on_paper()
    ]
    asked = replayed(AT_60, declared).row("always before writing")
    assert asked.interrupted == 5


def test_without_baselines_there_is_the_policy_and_the_calibrator_alone() -> None:
    found = replayed(AT_60, runs_on_paper(), baselines=False)
    assert [row.method for row in found.rows] == ["policy"]
    assert [curve.method for curve in found.curves] == ["agentcal"]
    assert found.absent == {}


def test_the_json_is_the_replay(on_paper: Replay) -> None:
    assert Replay.model_validate_json(on_paper.model_dump_json()) == on_paper


def test_the_curve_of_the_calibrator(on_paper: Replay) -> None:
    # Lowest gated confidence: late .3, answer .5 and spoilt .5, fine .8; circles has none.
    curve = next(curve for curve in on_paper.curves if curve.method == "agentcal")
    points = [(p.interrupted, p.failures_stopped, p.successes_interrupted) for p in curve.points]
    assert points[0] == (0, 0, 0)
    assert points[1] == pytest.approx((1 / 5, 1 / 3, 0))
    assert points[3] == pytest.approx((3 / 5, 2 / 3, 1 / 2))
    assert points[-1] == pytest.approx((4 / 5, 2 / 3, 1))


def test_only_the_calls_in_doubt_are_asked_about() -> None:
    runs = [a_run("mixed", [(f"{READ}+{WRITE}+{READ}", 0.4), (ANSWER, 0.9)], success=False)]
    row = replayed(AT_60, runs).row()
    assert (row.questions, row.calls) == (100.0, 100.0)


def test_how_early_is_about_failures_alone() -> None:
    runs = [
        a_run("bad", [(READ, 0.9), (READ, 0.9), (READ, 0.9), (ANSWER, 0.4)], success=False),
        a_run("good", [(WRITE, 0.4), (READ, 0.9), (READ, 0.9), (ANSWER, 0.9)], success=True),
        a_run("too", [(WRITE, 0.4), (READ, 0.9), (READ, 0.9), (ANSWER, 0.9)], success=True),
    ]
    assert value(replayed(AT_60, runs).row().seen_at_stop) == 1.0


def test_runs_that_the_policy_was_certified_on_are_left_out_and_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One run is known itself and one by its group; the figures are those of the others alone."""
    runs = runs_on_paper()
    policy = AT_60.with_(seen=Seen.of([mark_of(runs[2])], ["g2"]))
    found = replayed(policy, runs)
    alone = replayed(AT_60, [runs[0], runs[1], runs[4]])
    assert found.left_out == {
        "that the policy was certified on": 1,
        "of groups that the policy was certified on": 1,
    }
    assert found.rows == alone.rows
    assert [record.message for record in caplog.records] == [
        "left out: 1 runs that the policy was certified on, such as fine",
        "left out: 1 runs of groups that the policy was certified on, such as spoilt",
    ]
