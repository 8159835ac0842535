"""What is certified, what is said where nothing can be, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentcal.bounds import (
    GroupedRate,
    NotCertified,
    ThresholdCertificate,
    certify_threshold,
    groups_needed,
    p_value,
)
from agentcal.errors import ConfigError, NotEnoughData
from tests.bounds.worlds import Drawn, distinct_groups, world


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(4)


def drawn(rng: np.random.Generator, groups: int, most: int = 4) -> Drawn:
    return world().draw(rng, groups, most)


def test_a_certificate_says_what_it_rests_on(rng):
    runs, past = drawn(rng, 400), drawn(rng, 400)
    found = certify_threshold(*runs, max_failure_rate=0.2, planned=past[:2])
    assert isinstance(found, ThresholdCertificate)
    kept = runs.score >= found.threshold
    assert (found.groups, found.runs) == (400, runs.score.size)
    assert (found.accepted, found.failures) == (kept.sum(), (kept & runs.failed).sum())
    risk = GroupedRate.of_runs(kept, runs.failed, runs.group)
    assert found.upper == pytest.approx(risk.upper(0.95))
    assert risk.value < found.upper <= 0.2
    coverage = GroupedRate.of_runs(np.ones_like(kept), kept, runs.group)
    assert found.coverage == coverage.estimate(0.95)
    assert (found.method, found.seed) == ("planned", None)
    assert "certified" in str(found)
    assert ThresholdCertificate.model_validate_json(found.model_dump_json()) == found


def test_tests_go_from_the_surest_down_and_stop_at_the_first_that_fails(rng):
    runs, past = drawn(rng, 400), drawn(rng, 400)
    found = certify_threshold(*runs, max_failure_rate=0.2, planned=past[:2])
    assert found.tested == sorted(found.tested, reverse=True)
    level = [
        GroupedRate.of_runs(runs.score >= t, runs.failed, runs.group).p_value(0.2)
        for t in found.tested
    ]
    failed = [t for t, p in zip(found.tested, level, strict=True) if p > 0.05]
    assert failed in ([], [found.tested[-1]])
    assert found.threshold == found.tested[-2 if failed else -1]


def test_the_same_runs_in_another_order_give_the_same(rng):
    runs = drawn(rng, 200)
    shuffled = rng.permutation(runs.score.size)
    again = [column[shuffled] for column in runs]
    settings = {"max_failure_rate": 0.25, "seed": 3}
    assert certify_threshold(*again, **settings) == certify_threshold(*runs, **settings)


def test_the_seed_draws_the_groups_that_order_the_tests_and_nothing_else(rng):
    runs, past = drawn(rng, 300), drawn(rng, 300)
    one, two = (certify_threshold(*runs, max_failure_rate=0.2, seed=s) for s in (0, 1))
    assert (one.method, one.seed, two.seed, one.groups) == ("split", 0, 1, 255)
    assert one.tested != two.tested
    plans = [
        certify_threshold(*runs, max_failure_rate=0.2, planned=past[:2], seed=s) for s in (0, 1)
    ]
    assert plans[0] == plans[1]


def test_planning_by_the_runs_set_apart_does_not_look_at_the_others(rng):
    """Outcomes of the groups that are tested on do not move the first test."""
    runs = drawn(rng, 100)
    first = certify_threshold(*runs, max_failure_rate=0.2).tested
    apart = np.isin(runs.group, np.random.default_rng(0).permutation(100)[:15])
    flipped = np.where(apart, runs.failed, True)
    found = certify_threshold(runs.score, flipped, runs.group, max_failure_rate=0.2)
    assert isinstance(found, NotCertified)
    assert (
        first[0]
        in certify_threshold(
            runs.score, runs.failed & apart, runs.group, max_failure_rate=0.2
        ).tested
    )


def test_runs_without_a_gated_call_always_proceed_and_stopped_ones_never(rng):
    runs, past = drawn(rng, 300), drawn(rng, 300)
    score = runs.score.copy()
    score[::3], score[1::3] = np.inf, -np.inf
    failed = runs.failed & (np.arange(score.size) % 3 == 2)
    failed[1::3] = True  # would break any promise, were they let through
    found = certify_threshold(score, failed, runs.group, max_failure_rate=0.2, planned=past[:2])
    assert isinstance(found, ThresholdCertificate)
    assert found.accepted <= score.size - score[1::3].size
    kept = (score >= found.threshold) & (np.arange(score.size) % 3 == 0)
    assert kept.sum() == score[::3].size
    ones = np.where(score == np.inf, 1.0, score)
    same = certify_threshold(ones, failed, runs.group, max_failure_rate=0.2, planned=past[:2])
    assert same == found


def test_a_gate_that_is_not_needed_accepts_everything(rng):
    runs = drawn(rng, 400)
    never = np.zeros_like(runs.failed)
    found = certify_threshold(runs.score, never, runs.group, max_failure_rate=0.05)
    assert (found.threshold, found.coverage.value) == (0.0, 1.0)


def test_a_grid_of_one_threshold_is_the_exact_binomial_test():
    failed = np.arange(60) < 1
    one = {"max_failure_rate": 0.1, "grid": [0.5]}
    score = np.full(60, 0.7)
    found = certify_threshold(score, failed, distinct_groups(60), **one)
    assert (found.method, found.groups, found.tested) == ("single", 60, [0.5])
    assert p_value(1, 60, 0.1) <= 0.05
    for failures in (0, 1, 2, 3):
        found = certify_threshold(score, np.arange(60) < failures, distinct_groups(60), **one)
        certified = isinstance(found, ThresholdCertificate)
        assert certified == (p_value(failures, 60, 0.1) <= 0.05)


def test_given_thresholds_are_the_ones_that_are_tested(rng):
    runs, past = drawn(rng, 400), drawn(rng, 400)
    grid = [0.9, 0.3, 0.6, 0.6]
    for settings_ in ({}, {"planned": past[:2]}):
        found = certify_threshold(*runs, max_failure_rate=0.2, grid=grid, **settings_)
        assert found.threshold in grid
        assert set(found.tested) <= set(grid)


def test_all_runs_of_a_task_say_more_than_one(rng):
    """Fewer surprises with every run than with one run a task, for the same tasks."""
    wins = {"all": 0, "one": 0}
    for _ in range(25):
        past, runs = drawn(rng, 150, 1), drawn(rng, 150, 8)
        first = np.unique(runs.group, return_index=True)[1]
        for name, part in (("all", runs), ("one", Drawn(*(column[first] for column in runs)))):
            found = certify_threshold(*part, max_failure_rate=0.2, planned=past[:2])
            wins[name] += isinstance(found, ThresholdCertificate)
    assert wins["all"] > wins["one"] + 3


def test_too_few_runs_are_told_how_many_more_would_do(rng):
    past = drawn(rng, 500)
    score = np.full(30, 0.99)
    none_fails = np.zeros(30, dtype=bool)
    found = certify_threshold(
        score, none_fails, distinct_groups(30), max_failure_rate=0.05, planned=past[:2]
    )
    assert isinstance(found, NotCertified)
    assert (found.best.accepted, found.best.failures, found.groups) == (30, 0, 30)
    assert found.best.upper == pytest.approx(1 - 0.05 ** (1 / 30))
    assert groups_needed(0.0, 0.05, 0.95) - 30 <= found.more_groups < 300
    assert f"about {found.more_groups} more labelled groups would do" in str(found)
    assert NotCertified.model_validate_json(found.model_dump_json()) == found


def test_where_every_threshold_fails_too_often_more_runs_do_not_help(rng):
    runs = drawn(rng, 100)
    found = certify_threshold(
        runs.score, np.ones_like(runs.failed), runs.group, max_failure_rate=0.2
    )
    assert isinstance(found, NotCertified)
    assert found.more_groups is None
    assert "will not help" in str(found)


def test_nothing_that_may_proceed_is_nothing_to_certify():
    found = certify_threshold(
        [-np.inf] * 20, [False] * 20, distinct_groups(20), max_failure_rate=0.2
    )
    assert isinstance(found, NotCertified)
    assert (found.best.accepted, found.best.upper, found.more_groups) == (0, 1.0, None)


@settings(max_examples=40)
@given(st.data())
def test_any_runs_get_an_answer_that_holds_on_them(data):
    n = data.draw(st.integers(2, 40))
    score = data.draw(
        st.lists(
            st.sampled_from([-np.inf, 0.0, 0.2, 0.5, 0.9, 1.0, np.inf]), min_size=n, max_size=n
        )
    )
    failed = data.draw(st.lists(st.booleans(), min_size=n, max_size=n))
    group = data.draw(st.lists(st.sampled_from("abcdefgh"), min_size=n, max_size=n))
    rate = data.draw(st.sampled_from([0.1, 0.5, 0.9]))
    try:
        found = certify_threshold(score, failed, group, max_failure_rate=rate, confidence=0.6)
    except NotEnoughData:
        assert len(set(group)) == 1
        return
    if isinstance(found, ThresholdCertificate):
        assert found.upper <= rate
        assert found.failures <= found.accepted <= found.runs
        assert 0 <= found.coverage.low <= found.coverage.value <= found.coverage.high <= 1


@pytest.mark.parametrize(
    ("change", "error", "why"),
    [
        ({"scores": [0.5, np.nan, 0.5]}, ConfigError, r"scores\[1\] is nan"),
        ({"scores": [0.5, 1.5, 0.5]}, ConfigError, r"scores\[1\] is 1.5"),
        ({"scores": [[0.5]]}, ConfigError, "one dimension"),
        ({"scores": ["high", "low", "low"]}, ConfigError, "numbers"),
        ({"scores": [], "failed": [], "groups": []}, NotEnoughData, "no run"),
        ({"failed": [0, 1]}, ConfigError, "failed has 2 entries"),
        ({"failed": [0, 1, 0.5]}, ConfigError, "true and false"),
        ({"groups": [1, 2]}, ConfigError, "groups"),
        ({"groups": [1, 1, 1]}, NotEnoughData, "single group"),
        ({"max_failure_rate": 0}, ConfigError, "max_failure_rate"),
        ({"confidence": 95}, ConfigError, "confidence"),
        ({"grid": []}, ConfigError, "grid is empty"),
        ({"grid": [0.5, 1.2]}, ConfigError, "grid"),
        ({"planned": ([0.5], [0, 1])}, ConfigError, "failed has 2"),
        ({"planned": ([], [])}, NotEnoughData, "no run"),
    ],
)
def test_wrong_input_is_refused(change, error, why):
    given_ = {"scores": [0.2, 0.5, 0.9], "failed": [1, 0, 0], "groups": ["a", "b", "c"]}
    given_ |= {"max_failure_rate": 0.1} | change
    with pytest.raises(error, match=why):
        certify_threshold(**given_)
