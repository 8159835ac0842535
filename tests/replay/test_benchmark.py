"""The benchmark puts folds together without mixing them up, and its page says what it found."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import agentcal as ac
from agentcal.policy import Policy, RiskTarget
from benchmarks import replay, replay_table
from benchmarks.pages import between
from benchmarks.protocols import Protocol, Runs, task_of
from tests.replay.scripted import ANSWER, CALIBRATOR, READ, WRITE, a_run, certified


def some_runs() -> Runs:
    rng = np.random.default_rng(5)
    runs = []
    for k in range(60):
        p = float(rng.uniform(0.05, 0.95))
        turns = [(READ, p)] * int(rng.integers(0, 3)) + [(WRITE, p), (ANSWER, p)]
        runs.append(a_run(f"r{k}", turns, bool(rng.random() < p), group=f"g{k // 3}"))
    return runs


def halves(runs: Runs) -> Iterator[tuple[str, Any]]:
    second = np.arange(len(runs)) >= len(runs) // 2
    yield "first", ~second
    yield "second", second


PROTOCOL = Protocol("tau-tasks", lambda _: some_runs(), halves, task_of)


class Seen:
    """What the fit and the certificates were given, fold by fold."""

    def __init__(self) -> None:
        self.fitted: list[set[str]] = []
        self.certified: list[set[str]] = []

    def fit(self, runs: Runs, **settings: Any) -> Any:
        self.fitted.append({task_of(run) for run in runs})
        return CALIBRATOR

    def certify(self, rule: Any, calibrator: Any, runs: Runs, **settings: Any) -> Policy:
        self.certified.append({task_of(run) for run in runs})
        loose = isinstance(rule, RiskTarget) and rule.max_failure_rate == 0.2
        first = len(self.fitted) == 1
        return certified(0.6) if loose and first else Policy.of(rule)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Seen:
    watched = Seen()
    monkeypatch.setattr(ac, "fit", watched.fit)
    monkeypatch.setattr(ac, "certify", watched.certify)
    monkeypatch.setattr(replay, "PROTOCOLS", (PROTOCOL,))
    return watched


@pytest.fixture
def results(seen: Seen, tmp_path: Path) -> dict[str, Any]:
    target = tmp_path / "replay.json"
    replay.main(["--data", str(tmp_path), "--json", str(target), "--protocol", "tau-tasks"])
    found: dict[str, Any] = json.loads(target.read_text(encoding="utf-8"))
    return found


def rows_of(results: dict[str, Any], policy: str, over: str = "all folds") -> dict[str, Any]:
    (found,) = [
        entry
        for entry in results["tau-tasks"]["policies"]
        if (entry["policy"], entry["over"]) == (policy, over)
    ]
    return {row["method"]: row for row in found["rows"]}


def test_nothing_is_fitted_certified_and_replayed_on_the_same_tasks(
    results: dict[str, Any], seen: Seen
) -> None:
    runs, per_fold = some_runs(), len(seen.certified) // 2
    for number, (_, held) in enumerate(halves(runs)):
        test = {task_of(run) for run, out in zip(runs, held, strict=True) if out}
        fitted = seen.fitted[number]
        for to_certify in seen.certified[number * per_fold : (number + 1) * per_fold]:
            assert not fitted & to_certify
            assert not (fitted | to_certify) & test
            assert len(fitted | to_certify | test) == 20
        assert len(fitted) == 5


def test_every_run_is_replayed_once_and_budgets_match(results: dict[str, Any]) -> None:
    assert results["tau-tasks"]["runs"] == 60
    for entry in results["tau-tasks"]["policies"]:
        policy, *others = entry["rows"]
        for row in others:
            assert row["budget"] == row["interrupted"] == policy["interrupted"]
    for share in (0.05, 0.1, 0.2):
        row = rows_of(results, f"least sure {share:.0%}")["policy"]
        assert row["interrupted"] == 2 * round(30 * share)


def test_folds_with_a_promise_are_told_apart(results: dict[str, Any]) -> None:
    everywhere = rows_of(results, "RiskTarget(0.20)")["policy"]
    promised = rows_of(results, "RiskTarget(0.20)", "folds with a promise")["policy"]
    assert promised["interrupted"] + promised["passed"]["runs"] == 30
    assert everywhere["interrupted"] == promised["interrupted"] + 30
    assert promised["rules"] == {"risk_target": promised["interrupted"]}
    assert rows_of(results, "RiskTarget(0.05)")["policy"]["interrupted"] == 60


def test_the_pages_are_written_again_from_the_figures(
    results: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("replay.md", "README.md"):
        (tmp_path / name).write_text("<!-- replay:begin -->\nold\n<!-- replay:end -->\n", "utf-8")
    monkeypatch.setattr(replay_table, "figures", {"replay": results}.__getitem__)
    monkeypatch.setattr(replay_table, "DOCS", tmp_path)
    monkeypatch.setattr(replay_table, "README", tmp_path / "README.md")
    monkeypatch.setattr(replay_table, "IMAGES", tmp_path)
    replay_table.main()
    text = between(tmp_path / "replay.md", "replay")
    assert text.startswith("### tau-tasks")
    assert between(tmp_path / "README.md", "replay") == replay_table.excerpt(results).strip()
    assert (tmp_path / "replay-tau-tasks.png").read_bytes().startswith(b"\x89PNG")
    assert "No row *stated confidence*: 0 of 60 runs state a confidence" in text
    row = rows_of(results, "CostTarget()")["step count"]
    assert f"| step count | {row['interrupted']} of 60" in text
