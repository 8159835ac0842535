"""``fit`` on too little, on the wrong thing, and on what it has to leave out."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from agentcal import (
    ConfigError,
    Intervention,
    NotEnoughData,
    Outcome,
    Step,
    ToolCall,
    Trajectory,
    decision_points,
    fit,
)
from agentcal.calibration import Calibrator
from agentcal.calibration._table import build_table
from agentcal.errors import AgentcalError
from agentcal.trajectory import WAITING, InterventionKind

from .worlds import many_runs


def quick(runs: Any, **settings: Any) -> Calibrator:
    return fit(runs, **{"nested": False, "folds": 2, "workers": 1, "progress": False} | settings)


def bare(number: int, *, won: bool, group: str | None = None, turns: int = 1) -> Trajectory:
    call = ToolCall(name="look", result="x", status="ok")
    return Trajectory(
        run_id=f"r{number}",
        group=group or f"g{number}",
        task="t",
        steps=[Step(text="a", tool_calls=[call]) for _ in range(turns)],
        outcome=Outcome(value=float(won)),
    )


RUNS = many_runs(20)


@pytest.mark.parametrize("n", [0, 1, 3, 9])
def test_fewer_than_ten_runs_are_too_few(n: int) -> None:
    with pytest.raises(NotEnoughData, match=rf"^{n} labelled runs .*at least 10"):
        quick(RUNS[:n])


@pytest.mark.parametrize(("value", "what"), [(1.0, "succeeded"), (0.0, "failed")])
def test_one_outcome_alone_teaches_nothing(value: float, what: str) -> None:
    same = [run.model_copy(update={"outcome": Outcome(value=value)}) for run in RUNS]
    with pytest.raises(NotEnoughData, match=rf"all of them {what} at success_at=1.0"):
        quick(same)


def test_a_single_group_cannot_be_held_out() -> None:
    same = [run.model_copy(update={"group": "the only one"}) for run in RUNS]
    with pytest.raises(NotEnoughData, match=r"in a single group.*at least 2"):
        quick(same)


def test_runs_without_a_group_are_grouped_by_their_task() -> None:
    runs = [run.model_copy(update={"group": None}) for run in RUNS]
    tasks = len({run.task for run in RUNS})
    assert len(build_table(runs).groups) == tasks == 10


def test_runs_without_an_outcome_are_left_out_and_counted() -> None:
    unlabelled = [run.model_copy(update={"outcome": None}) for run in RUNS]
    with pytest.raises(NotEnoughData, match=r"0 labelled runs .*20 no outcome"):
        quick(unlabelled)
    assert quick([*RUNS, *unlabelled]).report.left_out == {"no outcome": 20}


def test_runs_that_were_cut_short_are_left_out_and_counted() -> None:
    aborted = [
        run.model_copy(update={"interventions": [Intervention(step=0, kind="aborted")]})
        for run in many_runs(3, seed=5)
    ]
    approved = RUNS[0].model_copy(update={"interventions": [Intervention(step=0, kind="approved")]})
    report = quick([approved, *RUNS[1:], *aborted]).report
    assert (report.left_out, report.changed) == ({"cut short": 3}, 0)
    assert report.runs == len(RUNS)
    assert "left out: 3 runs (cut short)" in str(report)


def test_runs_that_a_gate_ended_or_left_waiting_teach_nothing() -> None:
    ended, aborted, waiting, timed_out = many_runs(4, seed=6)
    ended.end_reason = "abstained"
    aborted.interventions = [Intervention(step=0, kind="aborted", by="agentcal")]
    waiting.end_reason, waiting.metadata = "interrupted", {WAITING: 1}
    timed_out.end_reason = "interrupted"
    fitted = quick([*RUNS, ended, aborted, waiting, timed_out])
    assert fitted.report.left_out == {"ended by a gate": 2, "a gate asked, nobody answered": 1}
    assert fitted.report.runs == len(RUNS) + 1
    assert "left out: 2 runs (ended by a gate)" in str(fitted.report)
    alone = quick([*RUNS, timed_out])
    assert fitted.heads == alone.heads, "what a gate ended is as if it had never been"


def test_runs_that_somebody_changed_stay_and_are_counted() -> None:
    kinds: tuple[InterventionKind, ...] = ("edited", "rejected", "responded", "verified")
    changed = [
        run.model_copy(update={"interventions": [Intervention(step=0, kind=kind)] * 2})
        for run, kind in zip(RUNS, (*kinds, "approved", "resumed"), strict=False)
    ]
    fitted = quick([*changed, *RUNS[len(changed) :]])
    assert (fitted.report.left_out, fitted.report.changed) == ({}, 4)
    assert "changed by somebody, and judged as they then went: 4 runs" in str(fitted.report)
    assert fitted.heads == quick(RUNS).heads


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"group": "suite"}, "group='suite': use 'task', 'family', 'agent', 'model'"),
        ({"success_at": 0.0}, r"success_at=0\.0: must lie in \(0, 1\]"),
        ({"success_at": -1.0}, r"success_at=-1\.0"),
        ({"success_at": 1.01}, r"success_at=1\.01"),
        ({"success_at": float("nan")}, "success_at=nan"),
        ({"folds": 1}, "folds=1: .*at least 2"),
        ({"folds": 0}, "folds=0"),
        ({"categoricals": ["suite"]}, "categoricals='suite': declare 'agent', 'model' or 'family'"),
    ],
)
def test_settings_outside_their_range_are_named(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        quick(RUNS, **settings)


def test_grouping_by_a_field_that_a_run_lacks_names_the_run() -> None:
    nameless = [*RUNS[:12], RUNS[12].model_copy(update={"agent": None})]
    with pytest.raises(ConfigError, match="group='agent', but run 'r12' names no agent"):
        quick(nameless, group="agent")


def test_groups_may_be_the_agent_or_any_function_of_a_run() -> None:
    assert build_table(RUNS, group="agent").groups == ["ann", "bob"]
    assert build_table(RUNS, group=lambda run: run.run_id[-1]).groups == list("0123456789")


def test_success_is_declared_once() -> None:
    halves = [run.model_copy(update={"outcome": Outcome(value=0.5)}) for run in RUNS]
    assert build_table(halves, success_at=0.5).y.tolist() == [1.0] * 20
    assert build_table(halves, success_at=0.51).y.tolist() == [0.0] * 20


def test_a_kind_without_rows_borrows_and_is_degraded() -> None:
    runs = [bare(i, won=bool(i % 2), turns=1 + i % 3) for i in range(30)]
    calibrator = quick(runs)
    assert calibrator.status == "DEGRADED"
    borrowed = [head.name for head in calibrator.report.heads if head.borrowed]
    assert borrowed == ["observable/answer_turn"]
    assert any("observable/answer_turn had too few rows" in note for note in calibrator.notes)
    point = next(decision_points(runs[0]))
    assert 0 < calibrator.predict(point._replace(kind="answer_turn")).value < 1


def test_few_groups_are_degraded_and_say_how_many_would_do() -> None:
    calibrator = quick(RUNS)
    assert calibrator.status == "DEGRADED"
    assert any(re.search("only 10 groups.*30 or more", note) for note in calibrator.notes)


def test_the_same_run_given_twice_stays_in_one_fold() -> None:
    twice = [*RUNS, *RUNS]
    calibrator = quick(twice)
    assert calibrator.report.runs == 40
    assert calibrator.report.groups == quick(RUNS).report.groups


def mean_value(calibrator: Calibrator, runs: list[Trajectory]) -> float:
    return float(np.mean([calibrator.score(run)[-1].value for run in runs]))


@pytest.mark.parametrize(
    "runs",
    [
        [bare(i, won=i < 9) for i in range(20)],
        [bare(i, won=i < 9, turns=0) for i in range(20)],
        [bare(0, won=i < 9, group=f"g{i}") for i in range(20)],
    ],
    ids=["identical", "without turns", "one id"],
)
def test_runs_that_differ_in_nothing_get_the_base_rate(runs: list[Trajectory]) -> None:
    calibrator = quick(runs)
    assert any("every score is the base rate" in note for note in calibrator.notes)
    scored = calibrator.score(runs[0])
    for confidence in scored:
        assert confidence.value == pytest.approx(0.45, abs=0.05)
        assert confidence.low < 0.45 < confidence.high
        assert confidence.supported


@pytest.mark.parametrize(
    "runs",
    [
        [bare(i, won=bool(i // 2 % 2), group=f"g{i % 2}", turns=1 + i % 3) for i in range(20)],
        [bare(i, won=bool(i % 2), group=f"g{i % 2}", turns=1 + i % 3) for i in range(20)],
        [bare(i, won=i == 3, turns=1 + i % 3) for i in range(20)],
    ],
    ids=["two groups", "two groups of one outcome each", "one success"],
)
def test_hardly_enough_gives_a_degraded_calibrator_near_the_base_rate(
    runs: list[Trajectory],
) -> None:
    calibrator = quick(runs, folds=5)
    assert calibrator.status == "DEGRADED"
    rate = calibrator.report.success_rate
    assert mean_value(calibrator, runs) == pytest.approx(rate, abs=0.15)


def test_two_groups_can_be_measured_too() -> None:
    runs = [bare(i, won=bool(i // 2 % 2), group=f"g{i % 2}", turns=1 + i % 3) for i in range(20)]
    assert quick(runs, nested=True).report.groups == 2


def test_hostile_names_are_only_names() -> None:
    runs = [run.model_copy(update={"agent": f"{run.agent}'\n\"\x00🤖"}) for run in RUNS]
    calibrator = quick(runs, categoricals=["agent"])
    assert Calibrator.model_validate_json(calibrator.model_dump_json()).score(
        runs[0]
    ) == calibrator.score(runs[0])


def test_fitting_is_quiet_and_deterministic(capfd: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        first, again, other = (quick(RUNS, seed=seed) for seed in (1, 1, 2))
    assert first.fingerprint == again.fingerprint != other.fingerprint
    assert capfd.readouterr() == ("", "")


def test_the_number_of_threads_changes_nothing() -> None:
    assert quick(RUNS, workers=1).fingerprint == quick(RUNS, workers=4).fingerprint


@pytest.mark.parametrize("make", [lambda: iter(RUNS), lambda: (run for run in RUNS)])
def test_runs_may_come_from_an_iterator(make: Callable[[], Any]) -> None:
    assert quick(make()).report.runs == len(RUNS)


def test_every_complaint_is_agentcals_own() -> None:
    assert issubclass(NotEnoughData, AgentcalError)
    assert issubclass(ConfigError, AgentcalError)
