"""The ablation on the bundled runs: nothing leaks from what is held out, and no family is lost."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from rich.progress import Progress

import agentcal as ac
from benchmarks import ablation, ablation_table
from benchmarks.ablation import Subject, ablate, of_family, prepare
from benchmarks.ablation_learner import Mask, differs, log_odds, varies
from benchmarks.family_cost import microseconds
from benchmarks.pages import DOCS, figures
from benchmarks.protocols import Protocol, Runs, task_of

SOME = ("structure", "agents", "logprobs")


def halves(runs: Runs) -> Iterator[tuple[str, Mask]]:
    """Two held-out halves that share no task."""
    tasks = sorted({task_of(run) for run in runs})
    first = np.array([task_of(run) in tasks[::2] for run in runs])
    yield "first", first
    yield "second", ~first


SAMPLE = Protocol("sample", lambda _: ac.sample_runs(), halves, task_of)


@pytest.fixture(scope="module")
def runs() -> Runs:
    return ac.sample_runs()[::4]


@pytest.fixture(scope="module")
def subject(runs: Runs) -> Subject:
    return prepare(SAMPLE, runs)


@pytest.fixture(scope="module")
def rows(subject: Subject) -> list[ablation_table.Row]:
    finished = dataclasses.replace(subject, seen={"final": subject.seen["final"]})
    with Progress(disable=True) as bar:
        return ablate(finished, bar, SOME)


def final_of(subject: Subject, part: int) -> tuple[Mask, Mask]:
    held = subject.part == part
    return ~held, subject.seen["final"] & held[subject.table.run]


def test_half_way_is_the_decision_point_that_the_protocols_name(
    runs: Runs, subject: Subject
) -> None:
    rows = np.flatnonzero(subject.seen["50%"])
    assert len(rows) == sum(bool(run.steps) for run in runs)
    for row in rows:
        run = runs[subject.table.run[row]]
        assert subject.table.turn[row] == max(1, -(-len(run.steps) // 2))
        *points, _ = ac.decision_points(run)
        expected = points[subject.table.turn[row] - 1].vector
        np.testing.assert_array_equal(subject.table.X[row], expected)


def test_every_family_is_alone_and_left_out_unless_it_has_nothing_to_see(
    rows: list[ablation_table.Row],
) -> None:
    assert [(row["role"], row["family"]) for row in rows] == [
        ("base rate", None),
        ("all", None),
        *[("all, other seed", None)] * len(ablation.OTHER_SEEDS),
        ("alone", "structure"),
        ("without", "structure"),
        ("alone", "logprobs"),
        ("without", "logprobs"),
    ]


def test_the_families_of_rare_runs_are_also_left_out_together() -> None:
    everything = np.ones(len(ablation.OWNER), dtype=bool)
    *_, last = ablation.column_sets(ablation.FAMILY_NAMES, everything)
    assert (last.role, last.family) == ("without", ablation.TOGETHER)
    left = set(ablation.OWNER[last.use])
    assert left == set(ablation.FAMILY_NAMES) - set(ablation.RARE)
    assert last.use.sum() + sum(of_family(name).sum() for name in ablation.RARE) == len(last.use)


def test_differences_are_paired_log_losses_with_an_interval(
    rows: list[ablation_table.Row],
) -> None:
    at = {(row["role"], row["family"]): row for row in rows}
    for row in rows:
        role = row["role"]
        if role == "base rate":
            assert "difference" not in row
            continue
        against = at["base rate" if role in ("all", "alone") else "all", None]
        assert row["difference"] == pytest.approx(row["log_loss"] - against["log_loss"])
        assert row["low"] < row["difference"] < row["high"]
    assert at["alone", "logprobs"]["difference"] < -0.05
    # Leaving one of two families out is the other one alone.
    assert at["without", "logprobs"]["log_loss"] == pytest.approx(
        at["alone", "structure"]["log_loss"]
    )


def test_outcomes_of_held_out_runs_do_not_reach_their_scores(subject: Subject) -> None:
    train, wanted = final_of(subject, 0)
    flipped = dataclasses.replace(subject.table, y=np.where(train, subject.table.y, 0.0))
    use = of_family("structure")
    np.testing.assert_array_equal(
        log_odds(flipped, train, wanted, use), log_odds(subject.table, train, wanted, use)
    )


def test_features_of_held_out_runs_reach_no_other_score(subject: Subject) -> None:
    train, wanted = final_of(subject, 0)
    probe = np.flatnonzero(wanted)[0]
    X = subject.table.X.copy()
    held = ~train[subject.table.run]
    held[probe] = False
    X[held] = 7.0
    use = of_family("structure")
    moved = log_odds(dataclasses.replace(subject.table, X=X), train, wanted, use)
    assert moved[probe] == log_odds(subject.table, train, wanted, use)[probe]


def test_what_is_left_out_is_not_looked_at(subject: Subject) -> None:
    train, wanted = final_of(subject, 0)
    use = of_family("structure")
    noise = np.random.default_rng(0).normal(size=subject.table.X.shape)
    X = np.where(use[: noise.shape[1]], subject.table.X, noise)
    np.testing.assert_array_equal(
        log_odds(dataclasses.replace(subject.table, X=X), train, wanted, use),
        log_odds(subject.table, train, wanted, use),
    )


def test_only_wanted_rows_are_scored_and_nothing_to_see_is_the_base_rate(subject: Subject) -> None:
    train, wanted = final_of(subject, 0)
    z = log_odds(subject.table, train, wanted, of_family("agents"))
    assert np.isfinite(z[wanted]).all()
    assert np.isnan(z[~wanted]).all()
    learnt = (subject.table.kind == 2) & train[subject.table.run]
    y, weight = subject.table.labels[learnt], 1 / np.sqrt(subject.table.turn[learnt])
    wins = np.average(y, weights=weight) * len(y)
    np.testing.assert_allclose(z[wanted], np.log((wins + 1) / (len(y) - wins + 1)))


def test_a_column_varies_by_value_or_by_going_missing() -> None:
    nan = np.nan
    X = np.array([[1.0, 1.0, nan, nan, 1.0], [1.0, 2.0, nan, 1.0, nan]])
    assert varies(X).tolist() == [False, True, False, True, True]
    assert differs(X).tolist() == [False, True, False, False, False]


def test_runs_that_do_not_count_are_refused(runs: Runs) -> None:
    unlabelled = [runs[0].model_copy(update={"outcome": None}), *runs[1:]]
    with pytest.raises(SystemExit, match="every run must count"):
        prepare(SAMPLE, unlabelled)


def test_the_cost_of_every_family_is_known(runs: Runs) -> None:
    cost = microseconds(runs[:8])
    assert list(cost) == list(ablation.FAMILY_NAMES)
    assert cost["logprobs"] > cost["agents"]
    assert microseconds([runs[0].model_copy(update={"steps": []})]) == {}


def test_a_protocol_is_written_beside_those_of_other_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ablation.json"
    ablation.write(path, "tau-tasks", {"rows": [1]})
    ablation.write(path, "dojo-tasks", {"rows": [2]})
    ablation.write(path, "tau-tasks", {"rows": [3]})
    found = json.loads(path.read_text(encoding="utf-8"))["protocols"]
    assert found == {"dojo-tasks": {"rows": [2]}, "tau-tasks": {"rows": [3]}}
    monkeypatch.setattr(ablation, "fingerprint", lambda: "other features")
    ablation.write(path, "tau-tasks", {"rows": [4]})
    assert list(json.loads(path.read_text(encoding="utf-8"))["protocols"]) == ["tau-tasks"]


def test_stopping_keeps_what_was_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(protocol: Protocol, *_: object) -> dict[str, object]:
        if protocol.name == "local-tasks":
            raise KeyboardInterrupt
        return {"seconds": 1, "rows": []}

    monkeypatch.setattr(ablation, "_run", run)
    empty = tuple(dataclasses.replace(p, load=lambda _: []) for p in ablation.PROTOCOLS)
    monkeypatch.setattr(ablation, "PROTOCOLS", empty)
    path = tmp_path / "ablation.json"
    arguments = ["--data", str(tmp_path), "--json", str(path)]
    arguments += ["--protocol", "tau-tasks", "--protocol", "local-tasks"]
    with pytest.raises(SystemExit) as stopped:
        ablation.main(arguments)
    assert stopped.value.code == 130
    assert list(json.loads(path.read_text(encoding="utf-8"))["protocols"]) == ["tau-tasks"]
    assert "what was finished" in capsys.readouterr().err


def entry(role: str, low: float, high: float) -> ablation_table.Row:
    return {"role": role, "low": low, "high": high, "difference": (low + high) / 2}


def test_helping_means_less_loss_with_the_family_and_more_than_chance_does() -> None:
    for role, sign in (("alone", -1), ("without", 1)):
        low, high = sorted((0.1 * sign, 0.2 * sign))
        assert ablation_table.helps(entry(role, low, high), 0.1)
        assert not ablation_table.harms(entry(role, low, high), 0.1)
        assert ablation_table.harms(entry(role, -high, -low), 0.1)
        assert not ablation_table.helps(entry(role, -high, -low), 0.1)
        for test in (ablation_table.helps, ablation_table.harms):
            assert not test(entry(role, -0.1, 0.2), 0.0)
            assert not test(entry(role, low, high), 0.16)


def test_chance_is_the_most_that_another_seed_changed() -> None:
    rows = [entry("all, other seed", x, x) | {"seen": "final"} for x in (0.01, -0.03, 0.02)]
    rows += [entry("without", 0.5, 0.5) | {"seen": "final"}]
    results = {"protocols": {"tau-tasks": {"rows": rows}}}
    assert ablation_table.chance(results, "tau-tasks", "final") == 0.03


def test_every_family_and_every_protocol_is_on_the_page() -> None:
    results = figures("ablation")
    page = (DOCS / "features.md").read_text(encoding="utf-8")
    families = list(ablation.FAMILY_NAMES)
    assert re.findall(r"^### `(\w+)`$", page, re.M) == families
    assert list(results["conditions"]["columns"]) == families
    assert set(results["protocols"]) == set(ablation.ABLATED)
    for name, found in results["protocols"].items():
        for seen in ablation_table.SEEN:
            live = found["live_columns"][seen]
            for family in families:
                row = ablation_table.find(results, name, seen, "without", family)
                assert (row is not None) or not live[family]
