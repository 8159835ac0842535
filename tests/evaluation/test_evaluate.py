"""Evaluation with a calibrator whose every number is known beforehand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from rich.console import Console
from sklearn.metrics import brier_score_loss, roc_auc_score

from agentcal import Intervention, NotEnoughData, Outcome, Step, ToolCall, Trajectory
from agentcal.calibration import Calibrator, Confidence, Seen
from agentcal.errors import ConfigError
from agentcal.evaluation import SEEN, Evaluation, evaluate, score_runs

NOTHING = Seen.of([], [])


@dataclass(frozen=True)
class Oracle:
    """Says what ``metadata["says"]`` lists: one number a turn, then the one for the whole run."""

    fingerprint: str = "0123456789abcdef"
    group: str = "task"
    seen: Seen = NOTHING

    @property
    def settings(self) -> Any:
        return SimpleNamespace(group=self.group, success_at=1.0)

    @property
    def report(self) -> Any:
        return SimpleNamespace(success_rate=0.4)

    def score(self, run: Trajectory) -> Sequence[Confidence]:
        says = run.metadata["says"]
        assert isinstance(says, list)
        assert len(says) == len(run.steps) + 1
        kinds = ["tool_turn" if step.tool_calls else "answer_turn" for step in run.steps]
        return [
            Confidence(
                value=value,
                low=0.0,
                high=1.0,
                thinness=0.0,
                support=0.5,
                supported=value < 0.97,
                kind=kind,
                turn=min(turn, len(run.steps)),
                fingerprint=self.fingerprint,
            )
            for turn, (value, kind) in enumerate(zip(says, [*kinds, "finished"], strict=True), 1)
        ]


ORACLE = cast(Calibrator, Oracle())


def a_run(
    number: int, says: list[float], success: float | None, stated: Sequence[float | None] = ()
) -> Trajectory:
    turns = len(says) - 1
    steps = [
        Step(
            text=f"turn {k}",
            tool_calls=[ToolCall(name="look", result="x", status="ok")] if k < turns - 1 else [],
            stated_confidence=stated[k] if k < len(stated) else None,
        )
        for k in range(turns)
    ]
    return Trajectory(
        run_id=f"r{number}",
        group=f"g{number // 2}",
        task="t",
        steps=steps,
        outcome=None if success is None else Outcome(value=success),
        metadata={"says": says},
    )


def many_runs(n: int = 80, seed: int = 0) -> list[Trajectory]:
    rng = np.random.default_rng(seed)
    runs = []
    for number in range(n):
        p = float(rng.uniform(0.05, 0.95))
        turns = int(rng.integers(1, 8))
        says = [*(0.5 + (p - 0.5) * k / turns for k in range(turns)), p]
        stated = [None] * (turns - 1) + [0.9 if number % 3 else None]
        runs.append(a_run(number, says, float(rng.random() < p), stated))
    return runs


@pytest.fixture(scope="module")
def usual() -> Evaluation:
    return evaluated(many_runs())


def evaluated(runs: list[Trajectory], **settings: Any) -> Evaluation:
    return evaluate(ORACLE, runs, progress=False, **settings)


def test_scores_agree_with_scikit_learn(usual: Evaluation) -> None:
    runs = many_runs()
    y = [run.outcome.value for run in runs if run.outcome]
    p = [run.metadata["says"][-1] for run in runs]  # type: ignore[index]
    metrics = usual.row("final").metrics
    assert metrics.brier is not None
    assert metrics.auroc is not None
    assert metrics.brier.value == pytest.approx(brier_score_loss(y, p))
    assert metrics.auroc.value == pytest.approx(roc_auc_score(y, p))
    assert metrics.groups == 40


@pytest.mark.parametrize(
    ("turns", "expected"), [(1, (1, 1, 1)), (2, (1, 1, 2)), (4, (1, 2, 3)), (5, (2, 3, 4))]
)
def test_a_share_of_a_run_is_its_decision_point_rounded_up(
    turns: int, expected: tuple[int, int, int]
) -> None:
    says = [k / 10 for k in range(1, turns + 1)]
    scored = score_runs(ORACLE, [a_run(0, [*says, 0.99], 1.0)])
    seen = [scored.predictions(share).p[0] for share in ("25%", "50%", "75%")]
    assert seen == pytest.approx([k / 10 for k in expected])
    assert scored.predictions("final").p.tolist() == [0.99]


def test_a_run_without_turns_counts_at_the_end_alone() -> None:
    runs = [*many_runs(), a_run(99, [0.2], 0.0)]
    evaluation = evaluated(runs, baselines=False)
    sizes = {seen: evaluation.row(seen).metrics.n for seen in SEEN}  # type: ignore[arg-type]
    assert sizes == {"final": 81, "25%": 80, "50%": 80, "75%": 80}


def test_the_base_rate_is_that_of_the_training_runs(usual: Evaluation) -> None:
    row = usual.row("25%", "base rate").metrics
    rate = row.success_rate
    assert row.brier is not None
    assert row.brier.value == pytest.approx(rate * 0.6**2 + (1 - rate) * 0.4**2)


def test_stated_confidence_is_scored_where_it_was_stated_and_when(usual: Evaluation) -> None:
    runs = many_runs()
    spoke = [run for run in runs if run.stated_confidence is not None]
    stated = usual.row("final", "stated confidence").metrics
    matched = usual.row("final", "agentcal, if stated").metrics
    assert stated.n == matched.n == len(spoke) < len(runs)
    assert stated.brier is not None
    success = np.array([run.outcome.value for run in spoke if run.outcome])
    assert stated.brier.value == pytest.approx(np.mean((0.9 - success) ** 2))
    # Only runs of one turn had said anything a quarter into the run; 20 of them make a row.
    early = [run for run in spoke if len(run.steps) == 1]
    assert len(early) < 20
    with pytest.raises(KeyError, match="base rate"):
        usual.row("25%", "stated confidence")


def test_what_was_stated_last_holds_until_something_else_is() -> None:
    run = a_run(0, [0.1, 0.1, 0.1, 0.1, 0.1], 1.0, [None, 0.3, None, 0.8])
    (scored,) = score_runs(ORACLE, [run]).runs
    assert scored.stated == (None, 0.3, 0.3, 0.8, 0.8)


def test_the_trajectory_score_is_the_mean_of_its_definition(usual: Evaluation) -> None:
    runs = many_runs()
    top = bottom = 0.0
    for run in runs:
        says = run.metadata["says"]
        assert isinstance(says, list)
        assert run.outcome
        top += sum((p - run.outcome.value) ** 2 / k for k, p in enumerate(says[:-1], 1))
        bottom += sum(1 / k for k in range(1, len(says)))
    own, base = usual.trajectory
    assert own.method == "agentcal"
    assert own.score.value == pytest.approx(top / bottom)
    assert own.score.low is not None
    assert own.score.low < own.score.value
    assert base.method == "base rate"


def test_calibration_by_turn_counts_runs_that_are_still_alive() -> None:
    runs = many_runs(200)
    turns = {t.turn: t.n for t in evaluated(runs, baselines=False).by_turn}
    assert turns[1] == 200
    assert turns == {k: n for k in turns if (n := sum(len(r.steps) >= k for r in runs))}
    assert min(turns.values()) >= 20


def test_unlabelled_and_interrupted_runs_are_left_out_and_counted() -> None:
    stopped = a_run(200, [0.5, 0.5, 0.5], 0.0)
    stopped.interventions.append(Intervention(step=1, kind="aborted"))
    gated = a_run(202, [0.5, 0.5, 0.5], 1.0)
    gated.end_reason = "abstained"
    others = [a_run(201, [0.5, 0.5], None), stopped, gated]
    evaluation = evaluated([*many_runs(), *others], baselines=False)
    assert evaluation.left_out == {"no outcome": 1, "cut short": 1, "ended by a gate": 1}
    assert evaluation.runs == 80
    assert "left out: 1 no outcome" in str(evaluation)


def test_success_is_declared_once_by_the_calibrator_unless_told_otherwise() -> None:
    runs = [a_run(k, [0.5, 0.5], [0.0, 0.5, 1.0][k % 3]) for k in range(60)]
    rates = [score_runs(ORACLE, runs, success_at=at).predictions().y.mean() for at in (None, 0.5)]
    assert rates == pytest.approx([1 / 3, 2 / 3])
    assert evaluated(runs, success_at=0.5, baselines=False).success_at == 0.5


def test_nothing_to_evaluate_on_says_why() -> None:
    with pytest.raises(NotEnoughData, match="2 no outcome"):
        evaluated([a_run(k, [0.5, 0.5], None) for k in range(2)])
    with pytest.raises(NotEnoughData, match="no run"):
        evaluated([])


def test_one_class_has_a_brier_score_and_no_auroc() -> None:
    evaluation = evaluated([a_run(k, [0.5, 0.7], 1.0) for k in range(30)], baselines=False)
    metrics = evaluation.row().metrics
    assert metrics.auroc is None
    assert metrics.brier is not None
    assert metrics.brier.value == pytest.approx(0.09)
    assert "-" in str(evaluation)


def test_a_single_group_has_values_and_no_intervals() -> None:
    runs = many_runs(30)
    for run in runs:
        run.group = "one"
    evaluation = evaluated(runs, baselines=False)
    brier = evaluation.row().metrics.brier
    assert brier is not None
    assert brier.low is None
    assert evaluation.trajectory[0].score.low is None
    assert math.isfinite(evaluation.trajectory[0].score.value)


def test_groups_can_be_named_otherwise() -> None:
    runs = many_runs()
    by_run = evaluated(runs, group=lambda run: run.run_id, baselines=False)
    assert by_run.groups == 80
    with pytest.raises(ConfigError, match="names no agent"):
        evaluated(runs, group="agent")


def test_a_group_function_is_asked_for_again() -> None:
    custom = Oracle(group="custom")
    with pytest.raises(ConfigError, match="group="):
        evaluate(cast(Calibrator, custom), many_runs(), progress=False)


def test_without_baselines_there_is_one_method() -> None:
    evaluation = evaluated(many_runs(), baselines=False)
    assert {row.method for row in evaluation.rows} == {"agentcal"}
    assert [t.method for t in evaluation.trajectory] == ["agentcal"]


def test_unfamiliar_runs_are_counted() -> None:
    runs = [a_run(k, [0.5, 0.98 if k < 10 else 0.5], float(k % 2)) for k in range(40)]
    assert evaluated(runs, baselines=False).unfamiliar == pytest.approx(0.25)


def test_an_evaluation_is_plain_json_and_the_same_every_time(usual: Evaluation) -> None:
    text = usual.model_dump_json()
    assert Evaluation.model_validate_json(text) == usual
    assert evaluated(many_runs()).model_dump_json() == text


def test_it_prints_a_table_that_names_every_method_and_share(usual: Evaluation) -> None:
    text = str(usual)
    for word in ("agentcal", "base rate", "stated confidence", "final", "25%", "50%", "75%"):
        assert word in text
    brier = usual.row().metrics.brier
    assert brier is not None
    assert brier.low is not None
    assert f"{brier.value:.3f}"[1:] in text
    assert f"[{brier.low:.3f}".replace("[0", "[") in text
    assert max(map(len, text.splitlines())) <= 120


def test_a_narrow_terminal_cuts_no_number_short(usual: Evaluation) -> None:
    text = StringIO()
    Console(file=text, width=80).print(usual)
    assert "…" not in text.getvalue()
    assert max(map(len, text.getvalue().splitlines())) <= 80
    assert "AURC" in str(usual)
    assert "AURC" not in text.getvalue()


def test_flat_rows_have_the_columns_of_a_benchmark(usual: Evaluation) -> None:
    flat = usual.row("50%").flat()
    for name in ("brier", "auroc", "log_loss", "ce", "aurc"):
        assert {name, f"{name}_low", f"{name}_high"} <= flat.keys()
    assert (flat["seen"], flat["method"], flat["n"], flat["groups"]) == ("50%", "agentcal", 80, 40)


@pytest.mark.parametrize("level", [0.0, 1.0, 95])
def test_a_level_outside_its_range_is_refused(level: float) -> None:
    with pytest.raises(ConfigError, match="level"):
        evaluated(many_runs(), level=level)
