"""Every stage must earn its place by nested cross-validation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from agentcal.calibration._choice import SCALES, Admission, Recipe, choose
from agentcal.calibration._numeric import log_losses, sigmoid
from agentcal.calibration._stages import Candidates, Rows, cross_fit

from .worlds import draw, rows_of, vectors

DRAWS = 6


def a_world(seed: int, truth: str, n: int = 300) -> tuple[Rows, Candidates]:
    rng = np.random.default_rng(seed)
    v = rng.normal(size=(n, 3))
    z = {
        "noise": 0 * v[:, 0],
        "interaction": 3 * np.sign(v[:, 0] * v[:, 1]),
        "linear": 1.5 * v[:, 0] + v[:, 1],
    }[truth]
    rows = rows_of(vectors(v), draw(z, rng), folds=3, seed=seed)
    return rows, cross_fit(rows, seed=0, workers=1)


def chosen(
    rows: Rows, candidates: Candidates, weight: np.ndarray | None = None
) -> tuple[Recipe, dict[str, Admission]]:
    weight = rows.weight if weight is None else weight
    choice = choose(candidates, rows.y, weight, rows.group, rows.fold)
    return choice.recipe, {admission.stage: admission for admission in choice.admissions}


def is_base_rate(recipe: Recipe, candidates: Candidates) -> bool:
    return bool((recipe.logits(candidates) == candidates.base).all())


def uses_trees(recipe: Recipe, candidates: Candidates) -> bool:
    other = replace(candidates, trees=candidates.trees + 1)
    return bool((recipe.logits(candidates) != recipe.logits(other)).any())


def gain(admission: Admission) -> float:
    return admission.without - admission.with_it


def test_on_noise_the_base_rate_stands_and_little_is_ever_gained() -> None:
    stands = 0
    for seed in range(DRAWS):
        rows, candidates = a_world(seed, "noise")
        recipe, admissions = chosen(rows, candidates)
        stands += is_base_rate(recipe, candidates)
        assert max(map(gain, admissions.values())) < 0.01
    assert stands >= DRAWS - 2


@pytest.mark.parametrize("seed", range(2))
def test_trees_are_admitted_where_features_interact(seed: int) -> None:
    rows, candidates = a_world(seed, "interaction")
    recipe, admissions = chosen(rows, candidates)
    assert admissions["trees"].admitted
    assert gain(admissions["trees"]) > 0.1
    assert uses_trees(recipe, candidates)


def test_trees_are_mostly_refused_where_the_truth_is_linear() -> None:
    refused = 0
    for seed in range(DRAWS):
        rows, candidates = a_world(seed, "linear")
        recipe, admissions = chosen(rows, candidates)
        refused += not uses_trees(recipe, candidates)
        assert admissions["ridge"].admitted
        assert gain(admissions["trees"]) < 0.01
    assert refused >= 3


def test_the_luckiest_of_many_settings_does_not_earn_a_place() -> None:
    rows, candidates = a_world(0, "noise")
    base = log_losses(candidates.base, rows.y).mean()
    naive = admitted = 0
    for seed in range(12):
        useless = 0.3 * np.random.default_rng(seed).normal(size=candidates.trees.shape)
        lucky = replace(candidates, ridge=useless[:, : candidates.ridge.shape[1]], trees=useless)
        naive += min(log_losses(s * z, rows.y).mean() for z in useless.T for s in SCALES) < base
        admitted += not is_base_rate(chosen(rows, lucky)[0], lucky)
    assert naive >= 9
    assert admitted <= naive / 4


def knowing(rows: Rows, candidates: Candidates, z: np.ndarray) -> Candidates:
    """The candidates of ``rows`` with ridges and trees that all say ``z``."""
    return replace(
        candidates,
        ridge=np.repeat(z[:, None], candidates.ridge.shape[1], axis=1),
        trees=np.repeat(z[:, None], candidates.trees.shape[1], axis=1),
    )


def test_a_stage_that_knows_more_is_taken_and_one_that_adds_nothing_is_not() -> None:
    rows, candidates = a_world(0, "noise")
    both = knowing(rows, candidates, 2 * rows.y - 1)
    recipe, admissions = chosen(rows, both)
    assert admissions["ridge"].admitted
    assert not admissions["trees"].admitted
    assert log_losses(recipe.logits(both), rows.y).mean() == pytest.approx(np.log1p(np.exp(-1)))


def test_weights_decide_which_rows_of_a_group_count() -> None:
    rows, candidates = a_world(0, "noise")
    rows = replace(rows, group=np.arange(len(rows.y)) // 2, fold=np.arange(len(rows.y)) // 2 % 3)
    half = np.arange(len(rows.y)) % 2 == 0
    torn = knowing(rows, candidates, np.where(half, 2 * rows.y - 1, 1 - 2 * rows.y))
    heavy = np.where(half, 1.0, 0.01)
    assert not is_base_rate(chosen(rows, torn, heavy)[0], torn)
    assert is_base_rate(chosen(rows, torn, 1.01 - heavy)[0], torn)


def brier_of_a_group(z: np.ndarray, rows: Rows, among: np.ndarray) -> float:
    """The mean over groups of the weighted Brier score of each, of the rows in ``among``."""
    scores = []
    for name in set(rows.group[among].tolist()):
        mine = rows.group == name
        scores.append(np.average((sigmoid(z) - rows.y)[mine] ** 2, weights=rows.weight[mine]))
    return float(np.mean(scores))


def test_a_nested_score_is_that_of_choosing_without_the_fold_and_counts_each_group_once() -> None:
    rows, candidates = a_world(1, "noise")
    rng = np.random.default_rng(1)
    group = (50 * rng.random(len(rows.y)) ** 2).astype(np.int64)
    rows = replace(rows, group=group, fold=group % 3, weight=rng.uniform(0.2, 1, len(rows.y)))
    _, admissions = chosen(rows, candidates)
    options = [
        candidates.base + scale * (ridge - candidates.base)
        for ridge in candidates.ridge.T
        for scale in SCALES
    ]
    scores = []
    for number in range(3):
        held = rows.fold == number
        best = min(options, key=lambda z: brier_of_a_group(z, rows, ~held))
        groups = len(set(group[held].tolist()))
        scores.append((groups, brier_of_a_group(best, rows, held)))
    total = sum(groups * score for groups, score in scores) / sum(groups for groups, _ in scores)
    assert admissions["ridge"].with_it == pytest.approx(total)
    base = brier_of_a_group(candidates.base, rows, rows.fold >= 0)
    assert admissions["ridge"].without == pytest.approx(base)


def strangers(rng: np.random.Generator) -> tuple[Rows, Candidates]:
    """Nine groups whose outcomes the trees know, and one with twice the rows where they err."""
    group = np.r_[np.repeat(np.arange(9), 60), np.repeat(9, 120)]
    y = (np.arange(len(group)) % 2).astype(np.float64)
    rows = replace(rows_of(vectors(rng.normal(size=(len(y), 1))), y), group=group, fold=group % 5)
    base, unsure = np.zeros(len(y)), (2 * y - 1) + rng.normal(0, 3, len(y))
    sure = np.where(group == 9, 4 * (1 - 2 * y), 3 * (2 * y - 1)) + rng.normal(0, 1, len(y))
    ridge = np.repeat(np.where(group == 9, 0, 0.3 * unsure)[:, None], 5, axis=1)
    return rows, Candidates(base, None, ridge, np.repeat(sure[:, None], 6, axis=1))


def test_one_strange_group_does_not_veto_what_all_others_gain() -> None:
    for seed in range(3):
        rows, candidates = strangers(np.random.default_rng(seed))
        trees, ridge = candidates.trees[:, 0], candidates.ridge[:, 0]
        assert log_losses(trees, rows.y).mean() > log_losses(ridge, rows.y).mean()
        recipe, admissions = chosen(rows, candidates)
        assert admissions["trees"].admitted
        assert uses_trees(recipe, candidates)


def test_where_half_of_the_groups_are_strange_a_stage_is_refused() -> None:
    rows, candidates = strangers(np.random.default_rng(0))
    wrong = (rows.group % 2 == 1)[:, None]
    torn = replace(candidates, trees=np.where(wrong, -1, 1) * np.abs(candidates.trees))
    torn = replace(torn, trees=torn.trees * (2 * rows.y - 1)[:, None], ridge=torn.trees[:, :5] * 0)
    recipe, _ = chosen(rows, torn)
    assert is_base_rate(recipe, torn)


def test_candidates_never_see_the_fold_that_they_score() -> None:
    rows, candidates = a_world(2, "linear")
    held = rows.fold == 0
    lied = replace(rows, y=np.where(held, 1 - rows.y, rows.y))
    again = cross_fit(lied, seed=0, workers=1)
    np.testing.assert_array_equal(again.base[held], candidates.base[held])
    np.testing.assert_array_equal(again.ridge[held], candidates.ridge[held])
    np.testing.assert_array_equal(again.trees[held], candidates.trees[held])
    assert (again.ridge[~held] != candidates.ridge[~held]).any()
