"""The benchmark of alarms: its draws, its baselines and its page."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from agentcal.sequential._rank import rank
from benchmarks import alarms, alarms_methods
from benchmarks.alarms_data import DATA, Scored, held_out, load
from benchmarks.alarms_methods import MEAN, SURE, Fitted, e_values, lowest, ours, promise
from benchmarks.pages import figures


def scored(count: int, seed: int = 0) -> Scored:
    """Scores in steps of a twentieth, as in the files."""
    rng = np.random.default_rng(seed)
    solved = rng.random(count) < 0.6
    scores = [
        np.clip(rng.normal(0.7 if s else 0.45, 0.15, rng.integers(1, 8)), 0, 1).round(2).tolist()
        for s in solved
    ]
    return Scored([f"p{k}" for k in range(count)], scores, solved)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "evaluator").mkdir()
    for name, file in DATA.items():
        runs = scored(260, seed=len(name))
        lines = ["uq_problem_idx,num_steps,judge_probability,solved"]
        for problem, values, solved in zip(runs.problems, runs.scores, runs.solved, strict=True):
            lines += [f"{problem},{t},{v},{solved}" for t, v in enumerate(values, 1)]
        with gzip.open(tmp_path / "evaluator" / file, "wt", encoding="utf-8") as text:
            text.write("\n".join(lines) + "\n")
    return tmp_path


def test_what_was_written_is_read(data: Path) -> None:
    found, expected = load(data, "GSM8K"), scored(260, seed=len("GSM8K"))
    assert (found.problems, found.scores) == (expected.problems, expected.scores)
    np.testing.assert_array_equal(found.solved, expected.solved)
    assert found.rows == sum(map(len, expected.scores))


def test_a_missing_step_is_not_passed_over(data: Path) -> None:
    file = data / "evaluator" / DATA["GSM8K"]
    with gzip.open(file, "wt", encoding="utf-8") as text:
        text.write("uq_problem_idx,num_steps,judge_probability,solved\na,2,0.5,True\n")
    with pytest.raises(ValueError, match="a: a step is missing"):
        load(data, "GSM8K")


def test_about_half_of_the_problems_are_held_out_whatever_they_scored() -> None:
    runs = scored(1000)
    held = held_out(runs)
    assert 430 < len(held.problems) < 570
    turned = Scored(runs.problems, runs.scores[::-1], ~runs.solved)
    assert held_out(turned).problems == held.problems


def test_first_steps_beyond_the_threshold() -> None:
    runs = Scored(list("abc"), [[1.0, 5.0, 9.0], [1.0], [4.0, 4.0]], np.array([False, True, False]))
    fitted = Fitted(
        "m", SURE, 0.1, 3.0, lambda some: [np.array(v) for v in some.scores], lambda _: 0
    )
    assert alarms.firsts(fitted, runs).tolist() == [2, 0, 1]
    seen = alarms.measure(fitted, runs, runs)
    assert (seen.false_alarm, seen.power, seen.early) == (0.0, 1.0, 1.0)
    assert seen.seen == pytest.approx((2 / 3 + 1 / 2) / 2)


def test_draws_are_summarised_with_how_often_the_rate_is_exceeded() -> None:
    draws = [alarms.Seen(0.0, p, 0.1, s, r) for p, s, r in ((0.2, 0.5, 0.09), (0.4, np.nan, 0.11))]
    row = alarms.summary(0.1, draws)
    assert row["power"] == pytest.approx(0.3)
    assert (row["exceeded"], row["seen"], row["false_alarm_high"]) == (1, 0.5, 0.0)
    assert 0.2 < row["power_low"] < row["power_high"] < 0.4


def test_the_lowest_score_is_bounded_by_the_same_order_statistic() -> None:
    runs = scored(400)
    won = sorted(-min(s) for s, y in zip(runs.scores, runs.solved, strict=True) if y)
    for fitted in lowest(runs, 0):
        assert fitted.threshold == won[rank(len(won), fitted.alpha, 0.95) - 1]
        first = alarms.firsts(fitted, runs)
        for values, step in zip(runs.scores, first, strict=True):
            low = [-v > fitted.threshold for v in values]
            assert step == (low.index(True) + 1 if any(low) else 0)


def test_ours_is_what_users_get() -> None:
    runs, test = scored(400), scored(80, seed=1)
    found = list(ours(runs, 0))
    assert [(f.kind, f.alpha) for f in found] == [
        (k, a) for k in (SURE, MEAN) for a in (0.05, 0.1, 0.2)
    ]
    fitted = found[1]
    bound = alarms_methods.alarms.fit_alarm(
        runs.scores, runs.solved.tolist(), runs.problems, false_alarm_rate=0.1
    )
    assert fitted.threshold == bound.threshold
    expected = [bound.first(values) or 0 for values in test.scores]
    assert alarms.firsts(fitted, test).tolist() == expected
    assert fitted.speed(test) > 0


def test_the_promises() -> None:
    assert promise(SURE, 0.1) == (0.1, 0.95)
    assert promise(MEAN, 0.1) == pytest.approx((0.09, 0.99))


def fake_e_valuator(runs: Scored, steps: int) -> SimpleNamespace:
    """What e-valuator 1.0 keeps after its fit: a scaler and a logistic a step."""
    model = SimpleNamespace(step_models_split={}, step_scalers_split={}, step_base_probs_split={})
    share = float(runs.solved.mean())
    for step in range(1, steps + 1):
        which = [i for i, values in enumerate(runs.scores) if len(values) >= step]
        X = np.array([runs.scores[i][:step] for i in which])
        scaler = model.step_scalers_split[step] = StandardScaler().fit(X)
        logistic = LogisticRegression(max_iter=200).fit(scaler.transform(X), runs.solved[which])
        model.step_models_split[step] = logistic
        model.step_base_probs_split[step] = {"p0": 1 - share, "p1": share}
    return model


def test_e_values_are_ratios_of_odds_and_stay_where_there_is_no_model() -> None:
    runs = scored(200)
    model = fake_e_valuator(runs, steps=4)
    for values, found in zip(runs.scores, e_values(model, runs), strict=True):
        last = 1.0
        for step in range(1, len(values) + 1):
            if step in model.step_models_split:
                scaled = model.step_scalers_split[step].transform([values[:step]])
                p0, p1 = model.step_models_split[step].predict_proba(scaled)[0]
                base = model.step_base_probs_split[step]
                last = p0 / p1 * base["p1"] / base["p0"]
            assert found[step - 1] == pytest.approx(last)


def test_e_values_are_those_of_the_package() -> None:
    package = pytest.importorskip("evaluator", reason="needs pip install e-valuator")
    runs, test = scored(400), scored(50, seed=1)
    model = package.EValuator(alphas=[0.1])
    model.fit(alarms_methods.frame(runs))
    theirs = model.apply(alarms_methods.frame(test))["PAC_e_val"].to_numpy()
    np.testing.assert_allclose(np.concatenate(e_values(model, test)), theirs)


def test_it_runs_from_the_command_line_without_e_valuator(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(alarms, "available", lambda: ["agentcal", "lowest score"])
    monkeypatch.setattr(alarms, "CALIBRATE", 100)
    # The smaller rates take more than these few runs.
    monkeypatch.setattr(alarms_methods, "ALPHAS", (0.2,))
    out = tmp_path / "rows.json"
    alarms.main(["--data", str(data), "--json", str(out), "--seeds", "2"])
    rows = json.loads(out.read_text(encoding="utf-8"))
    assert [(row["data"], row["method"]) for row in rows] == [
        (name, method) for name in DATA for method in ("agentcal", "agentcal", "lowest score")
    ]
    wanted = {"data", "alpha", "method", "false_alarm", "power", "rows_per_second"}
    assert all(wanted <= set(row) and row["seeds"] == 2 for row in rows)
    printed = capsys.readouterr()
    assert "its rows are left out" in printed.err
    assert "### HotpotQA" in printed.out


def test_more_power_under_the_same_promise_at_a_hundred_times_the_speed() -> None:
    """What the committed figures show on HotpotQA."""
    at = {
        (r["method"].split()[0], r["promise"], r["alpha"]): r
        for r in figures("alarms")
        if r["data"] == "HotpotQA"
    }
    if not any(method == "e-valuator" for method, _, _ in at):
        pytest.skip("the figures were made without e-valuator: see python -m benchmarks.alarms")
    for kind in (SURE, MEAN):
        for alpha in (0.05, 0.1, 0.2):
            mine, theirs = at["agentcal", kind, alpha], at["e-valuator", kind, alpha]
            assert mine["false_alarm"] < alpha
            assert mine["power"] > theirs["power"]
            assert mine["rows_per_second"] > 100 * theirs["rows_per_second"]
