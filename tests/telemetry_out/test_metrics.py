"""Counters and histograms, and that no attribute of theirs grows with the number of runs."""

from __future__ import annotations

from typing import Any

from tests.telemetry_out.conftest import Watched, two_turns

FEW = {
    "agentcal.decision.kind",
    "agentcal.decision.label",
    "gen_ai.operation.name",
    "gen_ai.request.model",
    "gen_ai.token.type",
}


def by(points: list[Any], *names: str) -> dict[tuple[Any, ...], Any]:
    return {tuple(point.attributes.get(name) for name in names): point for point in points}


def test_decisions_confidences_durations_and_tokens(watched: Watched) -> None:
    with watched.recorder(0.5, 0.75) as recorder:
        two_turns(recorder).ended()
    metrics = watched.to.metrics
    decisions = by(metrics["agentcal.decisions"], "agentcal.decision.kind")
    assert {kind: point.value for kind, point in decisions.items()} == {
        ("tool_turn",): 1,
        ("answer_turn",): 1,
    }
    confidences = by(metrics["agentcal.confidence"], "agentcal.decision.kind")
    assert confidences["tool_turn",].sum == 0.5
    assert confidences["answer_turn",].sum == 0.75
    (durations,) = metrics["gen_ai.client.operation.duration"]
    assert (durations.count, durations.sum) == (2, 0.375)
    tokens = by(metrics["gen_ai.client.token.usage"], "gen_ai.token.type")
    assert {kind: point.sum for kind, point in tokens.items()} == {("input",): 100, ("output",): 7}


def test_a_missing_score_counts_as_a_decision_not_as_a_confidence(watched: Watched) -> None:
    with watched.recorder(0.5) as recorder:
        two_turns(recorder).ended()
    metrics = watched.to.metrics
    labels = by(metrics["agentcal.decisions"], "agentcal.decision.label")
    assert set(labels) == {("supported",), ("unavailable",)}
    assert sum(point.count for point in metrics["agentcal.confidence"]) == 1


def test_attributes_have_few_values(watched: Watched) -> None:
    with watched.recorder(0.5, 0.75) as recorder:
        for k in range(20):
            two_turns(recorder, run_id=f"r{k}").ended()
    for points in watched.to.metrics.values():
        assert len(points) <= 4
        assert {name for point in points for name in point.attributes} <= FEW


def test_client_metrics_are_left_to_who_makes_the_spans(watched: Watched) -> None:
    with watched.recorder(0.5, 0.75, spans="never") as recorder:
        two_turns(recorder).ended()
    assert set(watched.to.metrics) == {
        "agentcal.decisions",
        "agentcal.confidence",
        "agentcal.scoring.duration",
    }


def test_how_long_scoring_took_is_measured_also_where_it_failed(watched: Watched) -> None:
    with watched.recorder(0.5) as recorder:  # the second turn finds the calibrator broken
        two_turns(recorder).ended()
    took = by(watched.to.metrics["agentcal.scoring.duration"], "agentcal.decision.label")
    assert {label: point.count for label, point in took.items()} == {
        ("supported",): 1,
        ("unavailable",): 1,
    }
    assert all(0 < point.sum < 60 for point in took.values())


def test_without_a_calibrator_only_the_client_metrics_are_left(watched: Watched) -> None:
    with watched.recorder() as recorder:
        two_turns(recorder).ended()
    assert set(watched.to.metrics) == {
        "gen_ai.client.operation.duration",
        "gen_ai.client.token.usage",
    }


def test_observers_of_one_process_add_up(watched: Watched) -> None:
    for k in range(3):
        with watched.recorder(0.5, 0.75) as recorder:
            two_turns(recorder, run_id=f"r{k}").ended()
    metrics = watched.to.metrics
    assert sum(point.value for point in metrics["agentcal.decisions"]) == 6
    assert sum(point.count for point in metrics["agentcal.confidence"]) == 6
