"""What ``fit`` says about itself."""

from __future__ import annotations

import pytest

from agentcal.calibration import FitReport
from agentcal.calibration._table import KINDS

from .conftest import Fitted


def test_the_report_survives_json(mixed: Fitted) -> None:
    report = mixed.calibrator.report
    assert FitReport.model_validate_json(report.model_dump_json()) == report


def test_every_kind_is_measured_on_unseen_groups_next_to_the_base_rate(mixed: Fitted) -> None:
    found = {(score.kind, score.method) for score in mixed.calibrator.report.scores}
    methods = ("agentcal", "base rate", "with log-probs", "without log-probs")
    assert found == {(kind, method) for kind in KINDS for method in methods}


def test_without_logprobs_there_is_nothing_to_leave_out(observed: Fitted) -> None:
    assert observed.calibrator.report.signals == ["observable"]
    assert observed.calibrator.report.scores == []


def test_every_head_says_what_it_is_made_of_and_why(mixed: Fitted) -> None:
    report = mixed.calibrator.report
    assert {head.name for head in report.heads} == set(mixed.calibrator.heads)
    for head in report.heads:
        stages = [stage.stage for stage in head.stages]
        assert stages[-3:] == ["ridge", "trees", "reference"]
        for stage in head.stages:
            assert not stage.admitted or stage.with_it < stage.without
        if "LightGBM" in head.made_of:
            assert head.stages[-1].admitted


def test_counts_are_those_of_the_runs(mixed: Fitted) -> None:
    report = mixed.calibrator.report
    assert report.runs == len(mixed.runs)
    assert report.groups == len({run.group for run in mixed.runs})
    wins = sum(run.outcome.value for run in mixed.runs if run.outcome)
    assert report.success_rate == pytest.approx(wins / len(mixed.runs))
    finished = next(head for head in report.heads if head.name == "observable/finished")
    assert finished.rows == len(mixed.runs)


def test_printed_it_reads_as_a_table(mixed: Fitted) -> None:
    text = str(mixed.calibrator.report)
    assert f"{len(mixed.runs)} runs in" in text
    assert "On groups never seen" in text
    for kind in KINDS:
        assert sum(line.strip().startswith(kind) for line in text.splitlines()) == 4
    assert "Made of:" in text
    assert "nan" not in text
    assert "None" not in text


def test_intervals_hold_their_values(mixed: Fitted) -> None:
    for score in mixed.calibrator.report.scores:
        for metric in (score.summary.brier, score.summary.log_loss):
            assert metric is not None
            assert metric.low is not None
            assert metric.high is not None
            assert metric.low <= metric.value <= metric.high


def test_the_status_says_what_it_rests_on(mixed: Fitted, observed: Fitted) -> None:
    for calibrator in (mixed.calibrator, observed.calibrator):
        assert calibrator.status == ("DEGRADED" if calibrator.notes else "VALID")
        assert calibrator.report.notes == calibrator.notes
