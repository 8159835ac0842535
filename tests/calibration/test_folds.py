"""Folds and weights: whole groups, the same every time, and blind to the future."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentcal.calibration._folds import assign_folds
from agentcal.calibration._table import trained_on, turn_weight


@st.composite
def grouped_runs(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    n = draw(st.integers(4, 60))
    group = np.array(draw(st.lists(st.integers(0, 12), min_size=n, max_size=n)))
    group[:2] = 0, 1
    y = np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n)), dtype=np.float64)
    y[:2] = 0.0, 1.0
    return y, group


@settings(max_examples=60)
@given(grouped_runs(), st.integers(2, 8), st.integers(0, 3))
def test_groups_never_straddle_and_folds_never_outnumber_them(
    runs: tuple[np.ndarray, np.ndarray], folds: int, seed: int
) -> None:
    y, group = runs
    fold = assign_folds(y, group, folds, seed)
    for code in np.unique(group):
        assert len(np.unique(fold[group == code])) == 1
    assert fold.min() >= 0
    assert fold.max() < min(folds, len(np.unique(group)))
    assert len(np.unique(fold)) > 1


def test_more_folds_than_runs_of_either_outcome_are_cut_down() -> None:
    y = np.array([0.0, 1.0] * 4)
    fold = assign_folds(y, np.arange(8), 8, 0)
    assert len(np.unique(fold)) == 4


def test_folds_are_the_same_for_the_same_seed_and_others_for_another() -> None:
    y, group = np.arange(60) % 2.0, np.arange(60) // 3
    first = assign_folds(y, group, 5, 1)
    np.testing.assert_array_equal(first, assign_folds(y, group, 5, 1))
    assert (first != assign_folds(y, group, 5, 2)).any()


def test_folds_are_stratified_by_outcome() -> None:
    rng = np.random.default_rng(0)
    y = (rng.random(200) < 0.2).astype(np.float64)
    fold = assign_folds(y, np.arange(200), 5, 0)
    wins = np.bincount(fold, y)
    assert wins.max() - wins.min() <= 1


def test_weight_and_use_of_a_row_are_functions_of_its_turn_alone() -> None:
    assert list(inspect.signature(trained_on).parameters) == ["kind", "turn"]
    assert list(inspect.signature(turn_weight).parameters) == ["turn"]
    np.testing.assert_allclose(turn_weight(np.array([0, 1, 4, 100])), [1.0, 1.0, 0.5, 0.1])


@pytest.mark.parametrize("kind", ["tool_turn", "answer_turn"])
def test_early_turns_all_teach_and_late_ones_ever_more_seldom(kind: str) -> None:
    used = [turn for turn in range(1, 2000) if trained_on(kind, turn)]
    assert used[:16] == list(range(1, 17))
    late = np.array(used[16:])
    ratios = late[1:] / late[:-1]
    assert ratios.min() > 1.15
    assert ratios.max() < 1.35
    assert len(used) < 40


def test_the_finished_row_always_teaches() -> None:
    assert all(trained_on("finished", turn) for turn in (0, 17, 1999))
