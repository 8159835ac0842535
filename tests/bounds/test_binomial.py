"""One run a group: against scipy's tests and against trying everything."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from agentcal.bounds import groups_needed, p_value, upper_bound
from agentcal.errors import ConfigError


@given(st.integers(0, 400), st.data(), st.floats(0.5, 0.999))
def test_upper_bound_is_that_of_clopper_and_pearson(n, data, confidence):
    failures = data.draw(st.integers(0, n))
    if n == 0:
        assert upper_bound(0, 0, confidence) == 1.0
        return
    test = stats.binomtest(failures, n, alternative="less")
    exact = test.proportion_ci(confidence_level=confidence, method="exact").high
    assert upper_bound(failures, n, confidence) == pytest.approx(exact, rel=1e-9)


@given(st.integers(1, 400), st.data(), st.floats(0.01, 0.99))
def test_p_value_is_that_of_the_exact_binomial_test(n, data, rate):
    failures = data.draw(st.integers(0, n))
    expected = stats.binomtest(failures, n, rate, alternative="less").pvalue
    # Below 1e-100 scipy itself has fewer digits, and nobody asks.
    assert p_value(failures, n, rate) == pytest.approx(expected, rel=1e-9, abs=1e-100)


@given(st.integers(0, 60), st.integers(1, 60), st.floats(0.02, 0.9), st.floats(0.6, 0.99))
def test_bound_and_test_agree(failures, more, rate, confidence):
    n = failures + more
    gap = upper_bound(failures, n, confidence) - rate
    if abs(gap) > 1e-9:
        assert (gap < 0) == (p_value(failures, n, rate) < 1 - confidence)


def test_known_figures():
    # 59 runs without a failure are what 5% at 95% confidence takes, and 299 for 1%.
    assert groups_needed(0.0, 0.05, 0.95) == 59
    assert groups_needed(0.0, 0.01, 0.95) == 299
    assert p_value(0, 59, 0.05) <= 0.05 < p_value(0, 58, 0.05)
    assert upper_bound(0, 100, 0.95) == pytest.approx(1 - 0.05**0.01)


def brute_force(rate: float, max_rate: float, confidence: float, power: float) -> int:
    """Every number of runs, every number of failures."""
    for n in range(1, 5000):
        allowed = [k for k in range(n) if stats.binom.cdf(k, n, max_rate) <= 1 - confidence]
        if allowed and stats.binom.cdf(max(allowed), n, rate) >= power:
            return n
    raise AssertionError


@pytest.mark.parametrize(
    ("rate", "max_rate", "confidence", "power"),
    [
        (0.0, 0.05, 0.95, 0.8),
        (0.02, 0.1, 0.95, 0.8),
        (0.05, 0.1, 0.9, 0.8),
        (0.1, 0.2, 0.95, 0.5),
        (0.3, 0.5, 0.99, 0.9),
        (0.01, 0.5, 0.8, 0.99),
    ],
)
def test_groups_needed_is_the_fewest(rate, max_rate, confidence, power):
    expected = brute_force(rate, max_rate, confidence, power)
    assert groups_needed(rate, max_rate, confidence, power) == expected


def test_no_number_of_groups_shows_what_is_not_so():
    assert groups_needed(0.05, 0.05, 0.95) is None
    assert groups_needed(0.2, 0.1, 0.95) is None
    assert groups_needed(0.1 - 1e-9, 0.1, 0.95) is None


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (lambda: upper_bound(3, 2, 0.95), "more failures than runs"),
        (lambda: upper_bound(-1, 2, 0.95), "failures"),
        (lambda: upper_bound(0, 2, 1.0), "confidence"),
        (lambda: p_value(0, 2, 0.0), "max_rate"),
        (lambda: p_value(0, 1.5, 0.1), "integer"),
        (lambda: groups_needed(-0.1, 0.1, 0.95), "rate"),
        (lambda: groups_needed(0.1, 0.2, 0.95, power=1.0), "power"),
    ],
)
def test_wrong_input_is_refused(call, why):
    with pytest.raises(ConfigError, match=why):
        call()
