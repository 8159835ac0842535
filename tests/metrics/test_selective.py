from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentcal.errors import ConfigError
from agentcal.metrics import aurc, eaurc, risk_at_coverage, risk_coverage_curve

rows = st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=1, max_size=40)


def split(drawn):
    p, y = (np.array(column) for column in zip(*drawn, strict=True))
    return p / 6, y.astype(float)


def risks(p, y, tie_breaker):
    order = np.lexsort((tie_breaker, -p))
    return np.cumsum(1 - y[order]) / np.arange(1, p.size + 1)


def test_ties_are_the_average_over_random_orders():
    rng = np.random.default_rng(0)
    p = rng.integers(0, 4, 30) / 4
    y = (rng.random(30) < p).astype(float)
    drawn = np.array([risks(p, y, rng.random(30)) for _ in range(20_000)])
    curve = risk_coverage_curve(p, y)
    assert curve.risk == pytest.approx(drawn.mean(axis=0), abs=0.01)
    assert aurc(p, y) == pytest.approx(drawn.mean(), abs=0.002)


@given(rows)
def test_area_is_the_mean_of_the_curve(drawn):
    p, y = split(drawn)
    curve = risk_coverage_curve(p, y)
    assert aurc(p, y) == pytest.approx(curve.risk.mean(), abs=1e-9)
    assert curve.risk[-1] == pytest.approx(1 - y.mean())
    assert (np.diff(curve.threshold) <= 0).all()


@given(rows)
def test_excess_is_against_the_best_order(drawn):
    p, y = split(drawn)
    best = risks(y, y, np.zeros(y.size)).mean()
    assert eaurc(p, y) == pytest.approx(aurc(p, y) - best, abs=1e-9)
    assert eaurc(y, y) == pytest.approx(0, abs=1e-12)


@given(rows, st.randoms())
def test_order_and_monotone_transforms_do_not_matter(drawn, random):
    p, y = split(drawn)
    order = list(range(y.size))
    random.shuffle(order)
    assert aurc(p[order] ** 2, y[order]) == pytest.approx(aurc(p, y), abs=1e-9)


def test_weights_count_copies(sample):
    p, y = sample.p.round(1), sample.y
    copies = np.random.default_rng(0).integers(0, 4, p.size)
    expected = aurc(np.repeat(p, copies), np.repeat(y, copies))
    assert aurc(p, y, weight=copies) == pytest.approx(expected, abs=1e-9)


def test_risk_at_coverage_reads_the_curve():
    p = np.array([0.9, 0.8, 0.7, 0.6, 0.5])
    y = np.array([1, 0, 1, 0, 0])
    assert risk_at_coverage(p, y, 0.2) == 0
    assert risk_at_coverage(p, y, 0.21) == pytest.approx(1 / 2)
    assert risk_at_coverage(p, y, 0.6) == pytest.approx(1 / 3)
    assert risk_at_coverage(p, y, 1) == pytest.approx(3 / 5)
    # 0.3 * 10 is above 3 in floating point.
    assert risk_at_coverage(np.linspace(1, 0, 10), [1, 1, 1, 0, 0, 0, 0, 0, 0, 0], 0.3) == 0
    for coverage in (0, 1.5, float("nan")):
        with pytest.raises(ConfigError, match="coverage"):
            risk_at_coverage(p, y, coverage)
