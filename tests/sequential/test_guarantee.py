"""The promise by simulation: how often the true rate of false alarms is above the one promised.

Finite populations of groups with several runs each; redraws take whole groups with replacement, so
that the truth is known. 500 redraws in `make long`, 60 here.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from agentcal.sequential import AlarmBound
from agentcal.sequential._learn import Lesson, learn
from agentcal.sequential._rank import rank

from .worlds import Drawn, Population, alike, exceeded, hotpotqa, noise, properly

MOST_OF_500 = 37
"""A right 95% promise is broken in more than this of 500 redraws once in 200 times."""
MOST_OF_60 = int(binom.ppf(0.999, 60, 0.05))
RATE = 0.15


@pytest.fixture(scope="module")
def synthetic() -> Population:
    return alike(1500, 5)


def test_the_promise_is_kept(synthetic: Population) -> None:
    assert exceeded(synthetic, 120, RATE, 60) <= MOST_OF_60


def test_it_is_not_kept_by_being_silent(synthetic: Population) -> None:
    rng = np.random.default_rng(0)
    rates = [
        synthetic.false_alarms(properly(synthetic.draw(rng, 400), RATE, seed)) for seed in range(8)
    ]
    assert 0.5 * RATE < np.mean(rates) < RATE


def every_run_alone(drawn: Drawn, rate: float, seed: int) -> AlarmBound:
    """Each run as a group of its own, which it is not."""
    own = [f"{group}/{k}" for k, group in enumerate(drawn.groups)]
    return properly(drawn._replace(groups=own), rate, seed)


def on_what_it_learnt_from(drawn: Drawn, rate: float, seed: int) -> AlarmBound:
    """The normaliser and the bound from the same runs, one a group."""
    bound = properly(drawn, rate, seed)
    lessons = [
        Lesson(scores, [np.nan] * len(scores), not success, 1.0)
        for scores, success in zip(drawn.sequences, drawn.success, strict=True)
    ]
    copied = bound.model_copy(update={"normaliser": learn(lessons)})
    of_group = {}
    for scores, success, group in zip(*drawn, strict=True):
        if success:
            of_group[group] = copied.running(scores)
    highest = sorted(of_group.values())
    n = len(highest)
    return copied.model_copy(
        update={"n": n, "rank": rank(n, rate, 0.95), "threshold": highest[rank(n, rate, 0.95) - 1]}
    )


def test_it_would_not_be_with_all_runs_of_a_group() -> None:
    world = alike(800, 8, shared=0.98)
    assert exceeded(world, 60, RATE, 40, every_run_alone) > MOST_OF_60
    assert exceeded(world, 60, RATE, 40) <= MOST_OF_60


def test_it_would_not_be_on_the_runs_that_were_learnt_from() -> None:
    world = noise(600, 10)
    assert exceeded(world, 150, RATE, 30, on_what_it_learnt_from) > MOST_OF_60
    assert exceeded(world, 150, RATE, 30) <= MOST_OF_60


@pytest.mark.long
@pytest.mark.parametrize("rate", [0.1, 0.2])
def test_the_promise_is_kept_in_500_redraws(synthetic: Population, rate: float) -> None:
    assert exceeded(synthetic, 200, rate, 500) <= MOST_OF_500


@pytest.mark.long
def test_the_promise_is_kept_on_real_runs() -> None:
    assert exceeded(hotpotqa(), 400, 0.1, 500) <= MOST_OF_500
