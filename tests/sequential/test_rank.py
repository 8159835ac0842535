"""The order statistic, against the binomial distribution by brute force."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from agentcal.sequential._rank import least, rank

RATES = (0.01, 0.05, 0.1, 0.2, 0.5, 0.9)
LEVELS = (0.5, 0.9, 0.95, 0.99)


def slack(k: int, n: int, rate: float, confidence: float) -> float:
    """What is left of the level if the k-th smallest of n is taken; below 0 it is too low."""
    return float(1 - confidence - binom.sf(k - 1, n, 1 - rate))


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("confidence", LEVELS)
def test_it_is_the_lowest_that_the_binomial_allows(rate: float, confidence: float) -> None:
    sizes = [n for n in (*range(1, 80), 100, 363, 725, 3000) if n >= least(rate, confidence)]
    for n in sizes:
        k = rank(n, rate, confidence)
        assert slack(k, n, rate, confidence) >= -1e-12, n
        assert k == 1 or slack(k - 1, n, rate, confidence) < 1e-12, n


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("confidence", LEVELS)
def test_fewer_than_the_least_never_do(rate: float, confidence: float) -> None:
    enough = least(rate, confidence)
    assert slack(enough, enough, rate, confidence) >= -1e-12
    assert enough == 1 or slack(enough - 1, enough - 1, rate, confidence) < 1e-12


def test_known_numbers() -> None:
    # 59 runs without a false alarm: below 5% with 95% confidence.
    assert least(0.05, 0.95) == 59
    assert [rank(n, 0.05, 0.95) for n in (59, 92, 93)] == [59, 92, 92]


@given(st.floats(0.001, 0.999), st.floats(0.001, 0.999))
def test_the_least_is_the_logarithm(rate: float, confidence: float) -> None:
    exact = math.log(1 - confidence) / math.log(1 - rate)
    assert least(rate, confidence) == pytest.approx(max(1, math.ceil(exact)), abs=1)


def test_the_share_beyond_it_is_exceeded_as_often_as_said() -> None:
    """Of uniform values the share beyond the k-th smallest is known; ties only make it rarer."""
    rng, n, rate, confidence = np.random.default_rng(0), 200, 0.1, 0.9
    values = np.sort(rng.random((20_000, n)), axis=1)[:, rank(n, rate, confidence) - 1]
    often = np.mean(1 - values > rate)
    assert often == pytest.approx(binom.sf(rank(n, rate, confidence) - 1, n, 1 - rate), abs=0.007)
    assert often < 0.1
    tied = np.ceil(np.sort(rng.random((20_000, n)), axis=1) * 7)[:, rank(n, rate, confidence) - 1]
    assert np.mean(1 - tied / 7 > rate) <= 0.107
