from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from relplot import smECE

from agentcal.errors import ConfigError, NotEnoughData
from agentcal.metrics import calibration_error, ece, smooth_calibration_error

rows = st.lists(
    st.tuples(st.integers(0, 20), st.booleans(), st.integers(0, 5)), min_size=4, max_size=60
)


def split(drawn):
    p, y, group = (np.array(column) for column in zip(*drawn, strict=True))
    return p / 20, y.astype(float), group


def midrank_bins(p, bins):
    """Bin by the middle of the ranks that a value occupies, written as plainly as possible."""
    middles = [(np.sum(p < value) + np.sum(p == value) / 2) / p.size for value in p]
    return np.array([min(int(middle * bins), bins - 1) for middle in middles])


def pairs_oracle(p, y, group, bins, weight=None):
    """Mean of residual products over ordered pairs from different groups, by two loops."""
    weight = np.ones(p.size) if weight is None else weight
    bin_of, residual = midrank_bins(p, bins), p - y
    total = mass = 0.0
    for b in np.unique(bin_of):
        inside = np.flatnonzero(bin_of == b)
        pairs = [(i, j) for i, j in permutations(inside, 2) if group[i] != group[j]]
        below = sum(weight[i] * weight[j] for i, j in pairs)
        if below:
            above = sum(weight[i] * weight[j] * residual[i] * residual[j] for i, j in pairs)
            total += weight[inside].sum() * above / below
            mass += weight[inside].sum()
    return np.sqrt(max(0.0, total / mass)) if mass else None


@given(rows, st.integers(1, 5))
def test_calibration_error_is_the_pairwise_estimator(drawn, bins):
    p, y, group = split(drawn)
    expected = pairs_oracle(p, y, group, bins)
    if expected is None:
        with pytest.raises(NotEnoughData, match="two groups"):
            calibration_error(p, y, group=group, bins=bins)
    else:
        found = calibration_error(p, y, group=group, bins=bins)
        assert found == pytest.approx(expected, abs=1e-7)


def test_calibration_error_with_weights(sample):
    p, y, group = sample.p[:80], sample.y[:80] * 0, sample.group[:80]
    weight = np.random.default_rng(2).uniform(0, 2, 80)
    expected = pairs_oracle(p, y, group, 4, weight)
    assert expected > 0.1
    assert calibration_error(p, y, group=group, weight=weight, bins=4) == pytest.approx(expected)


def test_singleton_groups_give_the_estimator_of_kumar_et_al():
    # Section 5 of arXiv 1909.10155: (conf - acc)^2 - acc (1 - acc) / (n_b - 1), constant in a bin.
    p = np.repeat([0.2, 0.5, 0.9], [40, 60, 20])
    y = np.r_[np.ones(20), np.zeros(20), np.ones(25), np.zeros(35), np.ones(10), np.zeros(10)]
    squared = 0.0
    for value in np.unique(p):
        inside = y[p == value]
        acc, n = inside.mean(), inside.size
        squared += n / p.size * ((value - acc) ** 2 - acc * (1 - acc) / (n - 1))
    assert calibration_error(p, y, bins=6) == pytest.approx(np.sqrt(squared))


def test_same_group_pairs_do_not_count():
    # Three lucky tasks and an unlucky one, 50 runs each: as 200 runs a clear error of a quarter,
    # as four tasks no evidence of any.
    group = np.repeat(np.arange(4), 50)
    y = np.repeat([1, 1, 1, 0], 50)
    p = np.full(200, 0.5)
    assert calibration_error(p, y, bins=1) == pytest.approx(0.25, abs=0.01)
    assert calibration_error(p, y, group=group, bins=1) == pytest.approx(0, abs=1e-7)


def test_debiasing_removes_what_the_plain_error_shows_for_a_perfect_predictor(make):
    drawn = [make(seed, groups=40, size=5) for seed in range(40)]
    plain = np.mean([ece(s.p, s.y, bins=15) for s in drawn])
    squared = [calibration_error(s.p, s.y, group=s.group, bins=15) for s in drawn]
    assert plain > 0.07
    assert np.median(squared) < 0.04


@given(rows, st.randoms())
def test_calibration_metrics_ignore_the_order_and_names_of_rows_and_groups(drawn, random):
    p, y, group = split(drawn)
    order = list(range(y.size))
    random.shuffle(order)
    names = np.array(["f", "e", "d", "c", "b", "a"])[group]
    assert ece(p[order], y[order]) == pytest.approx(ece(p, y), abs=1e-12)
    found = smooth_calibration_error(p[order], y[order])
    assert found == pytest.approx(smooth_calibration_error(p, y), abs=1e-9)
    if np.unique(group).size > 1:
        expected = calibration_error(p, y, group=group, bins=1)
        found = calibration_error(p[order], y[order], group=names[order], bins=1)
        assert found == pytest.approx(expected, abs=1e-7)


@given(rows, st.integers(1, 5))
def test_repeating_every_row_inside_its_group_changes_nothing(drawn, bins):
    p, y, group = split(drawn)
    if pairs_oracle(p, y, group, bins) is None:
        return
    twice = calibration_error(np.tile(p, 2), np.tile(y, 2), group=np.tile(group, 2), bins=bins)
    assert twice == pytest.approx(calibration_error(p, y, group=group, bins=bins), abs=1e-7)


def test_ece_is_the_textbook_sum():
    p = np.array([0.05, 0.08, 0.55, 0.52, 0.99, 1.0])
    y = np.array([0, 1, 1, 1, 1, 0])
    by_hand = (abs(0.13 - 1) + abs(1.07 - 2) + abs(1.99 - 1)) / 6
    assert ece(p, y) == pytest.approx(by_hand)
    assert ece(p, y, bins=1) == pytest.approx(abs(p.mean() - y.mean()))


def smooth_oracle(p, y, sigma, points=4001):
    """The integral of the definition with images of every row behind both mirrors."""
    t = (np.arange(points) + 0.5) / points
    images = [shift + sign * p for shift in (-4, -2, 0, 2, 4) for sign in (1, -1)]
    kernel = sum(np.exp(-0.5 * ((t[:, None] - f) / sigma) ** 2) for f in images)
    density = kernel / (sigma * np.sqrt(2 * np.pi))
    return np.abs(density @ (p - y)).mean() / p.size


@pytest.mark.parametrize("overconfidence", [1.0, 2.0, 4.0, -2.0])
def test_smooth_error_is_the_fixed_point_of_the_definition(make, overconfidence):
    p, y, _ = make(3, groups=30, overconfidence=overconfidence)
    value = smooth_calibration_error(p, y)
    assert smooth_oracle(p, y, value) == pytest.approx(value, abs=5e-4)


@pytest.mark.parametrize("n", [50, 400, 5000])
@pytest.mark.parametrize("overconfidence", [1.0, 1.5, 3.0])
def test_smooth_error_agrees_with_relplot(make, n, overconfidence):
    p, y, _ = make(n, groups=n, size=1, overconfidence=overconfidence)
    # relplot mirrors all grid nodes but the outermost and so loses half of the mass at 0 and 1,
    # a few per cent of the value in these samples; the definition above has no such loss.
    p = p.clip(0.01, 0.99)
    assert smooth_calibration_error(p, y) == pytest.approx(smECE(p, y), abs=1.5e-3)


def test_smooth_error_of_certain_predictions():
    assert smooth_calibration_error([0.0, 1.0, 1.0], [0, 1, 1]) == pytest.approx(0, abs=1e-9)
    # All mass in one mirror: the reflected kernel loses none of it, whatever its width.
    assert smooth_calibration_error([1.0, 1.0], [0, 0]) == pytest.approx(1, abs=1e-3)


def test_weights_count_as_copies(sample):
    p, y, _ = sample
    copies = np.random.default_rng(0).integers(0, 3, p.size)
    for metric in (ece, smooth_calibration_error):
        expected = metric(np.repeat(p, copies), np.repeat(y, copies))
        assert metric(p, y, weight=copies) == pytest.approx(expected, abs=1e-9)


def test_bad_settings_are_refused():
    with pytest.raises(ConfigError, match="bins must be an integer of at least 1, got 0"):
        calibration_error([0.1, 0.2], [0, 1], bins=0)
    with pytest.raises(ConfigError, match=r"got 2\.5"):
        ece([0.1, 0.2], [0, 1], bins=2.5)
    with pytest.raises(NotEnoughData, match="two groups in one bin; got 2 rows in 1 groups"):
        calibration_error([0.1, 0.2], [0, 1], group=["t", "t"])
