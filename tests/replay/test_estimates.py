"""Intervals against resampling whole groups by hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from agentcal.bounds import GroupedRate
from agentcal.replays._estimates import Over

Floats = np.ndarray
GROUPS, LEVEL = 40, 0.9


@pytest.fixture(scope="module")
def runs() -> dict[str, Floats]:
    rng = np.random.default_rng(7)
    group = np.repeat(np.arange(GROUPS), rng.integers(1, 8, GROUPS))
    bad = rng.random(GROUPS)[group] > rng.random(group.size)
    return {
        "group": group,
        "failed": bad,
        "stopped": rng.random(group.size) < 0.2 + 0.5 * bad,
        "other": rng.random(group.size) < 0.4,
        "share": rng.random(group.size),
        "weight": rng.integers(0, 30, group.size).astype(float) * bad,
    }


def by_hand(runs: dict[str, Floats], among: Floats, statistic: Callable[[Floats], float]) -> Floats:
    """Quantiles of ``statistic`` over drawn rows: groups with any row, as often as there are."""
    rows = np.flatnonzero(among)
    members = [rows[runs["group"][rows] == g] for g in np.unique(runs["group"][rows])]
    rng, values = np.random.default_rng(11), []
    for _ in range(4000):
        drawn = rng.integers(0, len(members), len(members))
        values.append(statistic(np.concatenate([members[g] for g in drawn])))
    return np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])


def test_a_share_among_some_runs(runs: dict[str, Floats]) -> None:
    found = Over(runs["group"], LEVEL, 0).share(runs["stopped"], runs["failed"])
    assert found is not None
    assert found.value == pytest.approx(runs["stopped"][runs["failed"]].mean())
    ends = by_hand(runs, runs["failed"], lambda rows: float(runs["stopped"][rows].mean()))
    assert [found.low, found.high] == pytest.approx(ends, abs=0.02)
    assert found.n == runs["failed"].sum()
    assert found.groups == len(set(runs["group"][runs["failed"]]))


def test_a_mean_by_weight(runs: dict[str, Floats]) -> None:
    found = Over(runs["group"], LEVEL, 0).mean(runs["share"], runs["weight"])
    assert found is not None
    mean = lambda rows: float(np.average(runs["share"][rows], weights=runs["weight"][rows]))  # noqa: E731
    used = runs["weight"] > 0
    assert found.value == pytest.approx(mean(np.flatnonzero(used)))
    assert [found.low, found.high] == pytest.approx(by_hand(runs, used, mean), abs=0.02)


def test_a_median(runs: dict[str, Floats]) -> None:
    found = Over(runs["group"], LEVEL, 0).median(runs["share"], runs["failed"])
    assert found is not None

    def median(rows: Floats) -> float:
        return float(np.quantile(runs["share"][rows], 0.5, method="inverted_cdf"))

    assert found.value == median(np.flatnonzero(runs["failed"]))
    ends = by_hand(runs, runs["failed"], median)
    assert [found.low, found.high] == pytest.approx(ends, abs=0.03)


def test_a_paired_difference(runs: dict[str, Floats]) -> None:
    over = Over(runs["group"], LEVEL, 0)
    found = over.difference(runs["stopped"], runs["other"], runs["failed"])
    assert found is not None
    gap = runs["stopped"].astype(float) - runs["other"]
    assert found.value == pytest.approx(gap[runs["failed"]].mean())
    ends = by_hand(runs, runs["failed"], lambda rows: float(gap[rows].mean()))
    assert [found.low, found.high] == pytest.approx(ends, abs=0.03)


def test_the_difference_may_be_below_zero(runs: dict[str, Floats]) -> None:
    over = Over(runs["group"], LEVEL, 0)
    there = over.difference(runs["stopped"], runs["other"], runs["failed"])
    back = over.difference(runs["other"], runs["stopped"], runs["failed"])
    assert there is not None
    assert back is not None
    assert (back.value, back.low) == pytest.approx((-there.value, -(there.high or 0)))


@pytest.mark.parametrize("happens", [False, True])
def test_none_or_all_of_them_still_has_an_honest_interval(
    runs: dict[str, Floats], happens: bool
) -> None:
    size = runs["group"].size
    found = Over(runs["group"], LEVEL, 0).share(np.full(size, happens), np.ones(size))
    assert found is not None
    exact = GroupedRate.of_runs(np.ones(size), np.full(size, happens), runs["group"])
    assert (found.low, found.high) == (exact.lower(0.95), exact.upper(0.95))
    assert found.high is not None
    assert found.low is not None
    assert found.high - found.low > 0.01


def test_one_group_has_a_value_and_no_interval() -> None:
    over = Over(["a", "a", "b"], LEVEL, 0)
    found = over.share([True, False, True], [True, True, False])
    assert found is not None
    assert (found.value, found.low, found.high, found.groups) == (0.5, None, None, 1)
    assert over.share([True] * 3, [False] * 3) is None


def test_where_nothing_varies_a_mean_or_a_median_has_no_interval(runs: dict[str, Floats]) -> None:
    over, size = Over(runs["group"], LEVEL, 0), runs["group"].size
    same = np.full(size, 0.3)
    found = [
        over.mean(same, np.ones(size)),
        over.median(same, np.ones(size)),
        over.difference(runs["stopped"], runs["stopped"], np.ones(size)),
    ]
    ends = [(round(f.value, 9), f.low, f.high) for f in found if f is not None]
    assert ends == [(0.3, None, None), (0.3, None, None), (0.0, None, None)]
