"""Unfamiliar rows: found as often as promised, less sure, and pulled only where that helped."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kstest

from agentcal.calibration._curve import wilson
from agentcal.calibration._folds import assign_folds
from agentcal.calibration._head import Head
from agentcal.calibration._numeric import sigmoid1
from agentcal.calibration._support import Support
from agentcal.calibration._workspace import Workspace

from .worlds import PLAIN_COLUMNS, draw, rows_of, vectors

WIDTH = 12


def population(rng: np.random.Generator, n: int) -> np.ndarray:
    """Correlated columns with heavy tails."""
    mixing = np.random.default_rng(99).normal(size=(WIDTH, WIDTH)) / np.sqrt(WIDTH)
    return np.asarray(rng.standard_t(5, size=(n, WIDTH)) @ mixing)


def fitted(rng: np.random.Generator, groups: int, size: int = 1) -> Support:
    group = np.repeat(np.arange(groups), size)
    fold = assign_folds(np.arange(groups * size) % 2.0, group, 5, 0)
    return Support.fit(population(rng, groups * size), group, fold)


@pytest.mark.parametrize("groups", [80, 400, 1500])
def test_support_of_fresh_rows_is_about_uniform(groups: int) -> None:
    rng = np.random.default_rng(groups)
    support = fitted(rng, groups).of(population(rng, 3000))
    assert kstest(support, "uniform").statistic < 0.02 + 1.9 / np.sqrt(groups)


def test_about_one_fresh_row_in_a_hundred_is_flagged() -> None:
    flagged = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        support = fitted(rng, 500)
        assert support.floor == 0.01
        flagged.append((support.of(population(rng, 2000)) <= support.floor).mean())
    assert 0.004 < np.mean(flagged) < 0.016


def test_with_few_groups_only_what_is_beyond_all_of_them_is_flagged() -> None:
    rng = np.random.default_rng(0)
    support = fitted(rng, 40)
    assert support.floor == pytest.approx(1.5 / 41)
    fresh = population(rng, 3000)
    beyond = support.distance(fresh) > max(support.distances)
    np.testing.assert_array_equal(support.of(fresh) <= support.floor, beyond)
    assert 0 < beyond.mean() < 0.1


def test_many_rows_in_a_group_count_as_one_together() -> None:
    rng = np.random.default_rng(1)
    support = fitted(rng, 300, size=6)
    fresh = support.of(population(rng, 3000))
    assert 0.001 < (fresh <= support.floor).mean() < 0.02
    assert kstest(fresh, "uniform").statistic < 0.08


def test_a_large_group_does_not_outweigh_the_small_ones() -> None:
    rng = np.random.default_rng(7)
    group = np.concatenate([np.arange(100), np.full(400, 100)])
    matrix = population(rng, 500)
    matrix[100:] *= 3
    support = Support.fit(matrix, group, np.where(group == 100, 0, group % 4))
    far_for_most = support.of(3 * population(rng, 1000))
    assert np.median(far_for_most) < 0.2


def of_row(support: Support, row: np.ndarray) -> tuple[float, float]:
    """Support and trust of one row, as a live score computes them."""
    longer = np.append(row, 1.0)
    return support.at(support.distance_of(float(longer @ longer), longer @ support.weights()))


def test_ten_times_as_far_is_unsupported_and_trusted_ever_less() -> None:
    rng = np.random.default_rng(2)
    support = fitted(rng, 300)
    rows = population(rng, 50)
    far = 10 * rows + 10
    assert (support.of(far) <= support.floor).all()
    trust = [of_row(support, times * rows[0])[1] for times in (1, 10, 20, 40)]
    assert trust[0] == 1.0
    assert trust == sorted(trust, reverse=True)
    assert trust[-1] < 0.01


def test_one_row_is_supported_as_in_the_matrix() -> None:
    rng = np.random.default_rng(3)
    support = fitted(rng, 200)
    rows = np.vstack([population(rng, 100), 10 * population(rng, 5)])
    np.testing.assert_allclose([of_row(support, row)[0] for row in rows], support.of(rows))


def test_distances_are_taken_out_of_fold() -> None:
    rng = np.random.default_rng(4)
    matrix = rng.normal(size=(40, 30))
    group = np.arange(40)
    support = Support.fit(matrix, group, assign_folds(group % 2.0, group, 5, 0))
    assert np.mean(support.distances) > 1.2 * support.distance(matrix).mean()


def test_support_survives_json() -> None:
    support = fitted(np.random.default_rng(5), 60)
    assert Support.model_validate_json(support.model_dump_json()) == support


def test_columns_that_never_vary_do_not_break_it() -> None:
    group = np.arange(20)
    support = Support.fit(np.zeros((20, 1)), group, group % 4)
    assert support.of(np.zeros((1, 1)))[0] == 1.0
    assert support.of(np.ones((1, 1)))[0] <= support.floor
    assert of_row(support, np.zeros(1)) == (1.0, 1.0)
    assert of_row(support, np.ones(1))[1] < 1e-6


@pytest.fixture(scope="module")
def skilled() -> tuple[Head, np.ndarray]:
    rng = np.random.default_rng(6)
    X = vectors(rng.normal(size=(300, 3)))
    y = draw(-1.0 + 2 * X[:, PLAIN_COLUMNS[0]], rng)
    head, _ = Head.fit(rows_of(X, y, folds=3), seed=0, workers=1)
    return head, X


def far_from(X: np.ndarray) -> np.ndarray:
    x = X[0].copy()
    x[PLAIN_COLUMNS[:3]] = 0.8, -3.9, 3.9
    return x


def uncalibrated(head: Head, x: np.ndarray) -> float:
    return Workspace(head.blend, head.support)(x, {})[0]


def test_a_far_row_is_unsupported_and_its_interval_wider(skilled: tuple[Head, np.ndarray]) -> None:
    head, X = skilled
    far = head.score(far_from(X), {})
    assert far.support <= head.support.floor
    z = uncalibrated(head, far_from(X))
    z += head.pull * (head.blend.base - z)
    calibrated, _, like = head.curves.at(z)
    low, high = wilson(sigmoid1(calibrated), like)
    assert far.value == pytest.approx(sigmoid1(calibrated))
    assert far.high - far.low > 1.5 * (high - low)
    assert far.low < low <= high < far.high


def test_an_unfamiliar_value_moves_to_the_base_rate_only_as_far_as_it_is_pulled(
    skilled: tuple[Head, np.ndarray],
) -> None:
    head, X = skilled
    x = far_from(X)
    free, half, full = (
        head.model_copy(update={"pull": pull}).score(x, {}).value for pull in (0.0, 0.5, 1.0)
    )
    assert free > half > full
    assert full == pytest.approx(sigmoid1(head.curves.at(head.blend.base)[0]))
    assert free == pytest.approx(sigmoid1(head.curves.at(uncalibrated(head, x))[0]))


def test_familiar_rows_are_never_pulled(skilled: tuple[Head, np.ndarray]) -> None:
    head, X = skilled
    pulled = head.model_copy(update={"pull": 1.0})
    free = head.model_copy(update={"pull": 0.0})
    familiar = [x for x in X if head.score(x, {}).support > head.support.floor]
    assert len(familiar) > 250
    assert [pulled.score(x, {}) for x in familiar] == [free.score(x, {}) for x in familiar]
