"""The test on group means: exact where that is known, valid where it is enumerated."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from agentcal.bounds import GroupedRate, more_groups, upper_bound
from agentcal.bounds._tail import tail
from agentcal.errors import ConfigError, NotEnoughData
from tests.bounds.worlds import distinct_groups


def one_a_group(failures: int, counted: int, runs: int) -> GroupedRate:
    counts, happens = np.arange(runs) < counted, np.arange(runs) < failures
    return GroupedRate.of_runs(counts, happens, distinct_groups(runs))


@given(st.integers(1, 300), st.data(), st.floats(0.01, 0.99))
def test_with_one_run_a_group_it_is_the_exact_binomial_test(counted, data, rate):
    failures = data.draw(st.integers(0, counted))
    found = one_a_group(failures, counted, counted + 7).p_value(rate)
    assert found == pytest.approx(stats.binom.cdf(failures, counted, rate), rel=1e-10, abs=1e-12)


@given(st.integers(1, 200), st.data(), st.floats(0.6, 0.995))
def test_and_its_bounds_are_those_of_clopper_and_pearson(counted, data, confidence):
    failures = data.draw(st.integers(0, counted))
    rate = one_a_group(failures, counted, counted + 3)
    assert rate.upper(confidence) == pytest.approx(
        upper_bound(failures, counted, confidence), abs=1e-9
    )
    assert rate.lower(confidence) == pytest.approx(
        1 - upper_bound(counted - failures, counted, confidence), abs=1e-9
    )


@given(st.integers(0, 40), st.integers(1, 40))
def test_for_pairs_it_is_the_exact_test_of_mcnemar(better, worse):
    # The mean of differences -1, 0, 1 is tested against 0 through (1 + difference) / 2.
    difference = np.repeat([1.0, 0.0, -1.0], [better, 5, worse])
    found = GroupedRate(np.ones_like(difference), (1 + difference) / 2).p_value(0.5)
    assert found == pytest.approx(stats.binom.cdf(better, better + worse, 0.5), abs=1e-10)


@given(
    st.lists(st.floats(-1, 1).filter(lambda x: abs(x) > 0.01), min_size=2, max_size=6, unique=True)
)
def test_tail_is_that_of_the_sum_of_exponentials(values):
    # Partial fractions: P(sum w E >= 0) is a sum over the positive weights, if all are distinct.
    weights = [*values, 0.77]
    gaps = [abs(a - b) for a, b in itertools.combinations(weights, 2)]
    if min(gaps) < 0.05:
        return
    exact = sum(math.prod(w / (w - v) for v in weights if v != w) for w in weights if w > 0)
    assert tail(np.array(values), 0.77) == pytest.approx(exact, abs=1e-8)


def test_tail_with_copies_is_the_tail_of_the_copied():
    values = np.array([-0.1, 0.4, -0.2, -0.15])
    assert tail(values, 0.9, 7.0) == pytest.approx(tail(np.tile(values, 7), 0.9), rel=1e-9)


def test_tail_agrees_with_drawing():
    rng = np.random.default_rng(0)
    for n in (1, 3, 30):
        values = rng.uniform(-0.3, 0.2, n)
        drawn = rng.exponential(size=(200_000, n)) @ values + 0.7 * rng.exponential(size=200_000)
        assert tail(values, 0.7) == pytest.approx((drawn >= 0).mean(), abs=0.006)


def rejections(support: np.ndarray, chance: np.ndarray, groups: int, top: float) -> np.ndarray:
    """Every outcome of ``groups`` draws: its p-value and its probability, in rising order."""
    cells = list(itertools.product(range(support.size), repeat=groups))
    p = np.array([tail(support[list(cell)], top) for cell in cells])
    mass = np.array([chance[list(cell)].prod() for cell in cells])
    order = np.argsort(p)
    return np.stack([p[order], np.cumsum(mass[order])])


def test_it_rejects_no_more_often_than_it_says_in_any_small_world():
    """All outcomes enumerated, no simulation: the failure rate is exactly at the limit."""
    rng = np.random.default_rng(0)
    closest = 1.0
    for _ in range(40):
        limit, groups = rng.choice([0.05, 0.1, 0.3, 0.5]), int(rng.integers(1, 6))
        support = np.sort(np.append(rng.uniform(-limit, 1 - limit, 1), [-limit, 1 - limit]))
        chance = rng.dirichlet(np.full(3, 0.5))
        mean = float(support @ chance)
        extreme = 2 if mean < 0 else 0
        mixed = mean / (mean - support[extreme])
        chance *= 1 - mixed
        chance[extreme] += mixed
        assert support @ chance == pytest.approx(0, abs=1e-12)
        p, often = rejections(support, chance, groups, 1 - limit)
        assert (often <= p + 1e-9).all()
        closest = min(closest, float((p - often).min()))
    assert closest == pytest.approx(0, abs=1e-6)  # so it gives nothing away


def test_taking_runs_for_groups_would_reject_too_often():
    """That the enumeration above can fail: ten runs of each task, all alike, counted as ten."""
    p, often = rejections(np.repeat([-0.3, 0.7], 1), np.array([0.7, 0.3]), 4, 0.7)
    assert (often <= p + 1e-9).all()
    cells = itertools.product([-0.3, 0.7], repeat=4)
    naive = [
        (tail(np.repeat(cell, 10), 0.7), math.prod(0.7 if x < 0 else 0.3 for x in cell))
        for cell in cells
    ]
    assert sum(mass for value, mass in naive if value <= 0.05) > 0.2


@settings(max_examples=50)
@given(st.integers(2, 12), st.randoms(use_true_random=False), st.floats(0.55, 0.99))
def test_bounds_are_where_the_test_turns(groups, random, confidence):
    base = np.array([random.choice([0.0, 0.25, 0.5, 1.0]) for _ in range(groups)])
    hits = base * np.array([random.choice([0.0, 0.5, 1.0]) for _ in range(groups)])
    rate = GroupedRate(base, hits)
    upper = rate.upper(confidence)
    assert 0 <= rate.lower(confidence) <= upper <= 1
    if upper < 1:
        assert rate.p_value(upper) == pytest.approx(1 - confidence, abs=1e-6)
        assert rate.lower(confidence) <= rate.value <= upper


def test_where_no_run_counts_nothing_is_known():
    rate = GroupedRate(np.zeros(5), np.zeros(5))
    assert math.isnan(rate.value)
    assert (rate.lower(0.9), rate.upper(0.9), rate.p_value(0.1)) == (0.0, 1.0, 1.0)


def test_every_group_weighs_the_same():
    group = ["a"] * 9 + ["b"]
    rate = GroupedRate.of_runs([True] * 10, [False] * 9 + [True], group)
    assert rate.value == 0.5
    assert rate.groups == 2


def test_an_estimate_says_how_many_groups_it_rests_on():
    estimate = GroupedRate(np.array([0.0, 1.0, 0.5, 1.0]), np.array([0.0, 1.0, 0.0, 0.0])).estimate(
        0.9
    )
    assert (estimate.n, estimate.groups, estimate.level) == (3, 4, 0.9)
    assert estimate.low < estimate.value == 0.4 < estimate.high


def test_more_groups_is_none_where_the_rate_is_not_low():
    assert more_groups([one_a_group(10, 50, 50)], 0.2, 0.95) is None
    assert more_groups([], 0.2, 0.95) is None
    assert more_groups([GroupedRate(np.zeros(4), np.zeros(4))], 0.2, 0.95) is None


def test_more_groups_needs_fewer_where_more_is_seen():
    close, clear = one_a_group(8, 50, 50), one_a_group(1, 50, 50)
    few, many = (more_groups([rate], 0.2, 0.95) for rate in (clear, close))
    assert few < 60
    assert many > 300
    assert more_groups([close, clear], 0.2, 0.95) == few


@pytest.mark.parametrize(
    ("call", "error", "why"),
    [
        (lambda: GroupedRate(np.array([0.5]), np.array([0.6])), ConfigError, "shares"),
        (lambda: GroupedRate(np.array([1.1]), np.array([0.6])), ConfigError, "shares"),
        (lambda: GroupedRate(np.array([np.nan]), np.array([0.1])), ConfigError, "shares"),
        (lambda: GroupedRate(np.ones(2), np.ones(3)), ConfigError, "one entry a group"),
        (lambda: GroupedRate(np.ones(0), np.ones(0)), NotEnoughData, "no group"),
        (lambda: GroupedRate.of_runs([1, 2], [0, 0], [0, 1]), ConfigError, "counts"),
        (lambda: GroupedRate.of_runs([1, 1], [0], [0, 1]), ConfigError, "happens"),
        (lambda: GroupedRate.of_runs([1, 1], [0, 1], [0]), ConfigError, "groups"),
        (lambda: one_a_group(1, 2, 3).upper(0.0), ConfigError, "confidence"),
    ],
)
def test_wrong_input_is_refused(call, error, why):
    with pytest.raises(error, match=why):
        call()
