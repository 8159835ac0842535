"""The promise by simulation: how often the true failure rate exceeds what was certified.

500 redraws in `make long`, 100 here; the worlds are such that something is certified in most.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NamedTuple, Protocol

import numpy as np
import pytest
from scipy import stats

from agentcal.bounds import ThresholdCertificate, certify_threshold, p_value
from tests.bounds.populations import Population, agentdojo
from tests.bounds.worlds import Drawn, hopeless, world

CONFIDENCE = 0.95
MOST_OF_500 = 37
"""A right 95% certificate exceeds this in 500 redraws less than once in 100 times."""


class Source(Protocol):
    def risk(self, threshold: float) -> float: ...

    def coverage(self, threshold: float) -> float: ...

    def draw(self, rng: np.random.Generator, groups: int, most: int) -> Drawn: ...


class Record(NamedTuple):
    redraws: int
    certified: int
    exceeded: int
    coverage: float

    def __str__(self) -> str:
        return (
            f"{self.exceeded} of {self.redraws} exceeded, something certified in "
            f"{self.certified / self.redraws:.0%}, mean coverage {self.coverage:.0%}"
        )


class Setting(NamedTuple):
    max_rate: float
    groups: int
    most: int
    planned: bool = True


def report(line: str) -> None:
    """How often and how much was certified, for `pytest -s`."""
    sys.stdout.write(f"\n{line}\n")


Choose = Callable[[Drawn, Drawn, Setting], "float | None"]


def redraw(source: Source, setting: Setting, redraws: int, choose: Choose) -> Record:
    rng = np.random.default_rng(0)
    found = []
    for _ in range(redraws):
        past = source.draw(rng, setting.groups, 1)
        threshold = choose(source.draw(rng, setting.groups, setting.most), past, setting)
        if threshold is not None:
            found.append(threshold)
    exceeded = sum(source.risk(t) > setting.max_rate for t in found)
    coverage = float(np.mean([source.coverage(t) for t in found])) if found else 0.0
    return Record(redraws, len(found), exceeded, coverage)


def certified(runs: Drawn, past: Drawn, setting: Setting) -> float | None:
    found = certify_threshold(
        *runs,
        max_failure_rate=setting.max_rate,
        confidence=CONFIDENCE,
        planned=past[:2] if setting.planned else None,
    )
    return found.threshold if isinstance(found, ThresholdCertificate) else None


def read_off(runs: Drawn, past: Drawn, setting: Setting) -> float | None:
    """The loosest threshold that keeps the rate on the very runs that it is chosen on."""
    for threshold in np.unique(runs.score):
        if runs.failed[runs.score >= threshold].mean() <= setting.max_rate:
            return float(threshold)
    return None


def runs_as_groups(runs: Drawn, past: Drawn, setting: Setting) -> float | None:
    """The exact binomial test, as if the runs of a task had nothing in common."""
    alone = Drawn(runs.score, runs.failed, np.arange(runs.score.size))
    return certified(alone, past, setting)


def every_threshold(runs: Drawn, past: Drawn, setting: Setting) -> float | None:
    """One run a task and a right test, but the loosest of all that pass it."""
    first = np.unique(runs.group, return_index=True)[1]
    score, failed = runs.score[first], runs.failed[first]
    for threshold in np.unique(score):
        kept = score >= threshold
        if p_value(int(failed[kept].sum()), int(kept.sum()), setting.max_rate) <= 0.05:
            return float(threshold)
    return None


WORLDS = {"alike": world(alike=2.0), "apart": world(skill=0.8, alike=0.7)}
HOPELESS = hopeless(0.201)
"""Anything that is certified at 20% is wrong; that must be rare."""
SETTINGS = {
    "one run a task": Setting(0.2, 250, 1),
    "several, planned": Setting(0.2, 150, 6),
    "several, split": Setting(0.2, 250, 6, planned=False),
    "strict": Setting(0.1, 600, 4),
}
CASES = [
    (where, name) for where in WORLDS for name in SETTINGS if (where, name) != ("apart", "strict")
]


def few(redraws: int) -> int:
    """A right certificate exceeds this once in 1,000 times."""
    return int(stats.binom.ppf(0.999, redraws, 1 - CONFIDENCE))


@pytest.mark.parametrize("name", ["several, planned", "several, split"])
def test_the_promise_is_kept(name: str) -> None:
    record = redraw(WORLDS["alike"], SETTINGS[name], 60, certified)
    assert record.certified > 40, record
    assert record.exceeded <= few(60), record


def test_where_nothing_is_true_hardly_anything_is_certified() -> None:
    record = redraw(HOPELESS, Setting(0.2, 100, 6), 60, certified)
    assert record.exceeded == record.certified <= few(60), record


@pytest.mark.parametrize(
    ("wrong", "groups", "most"),
    [(read_off, 100, 6), (runs_as_groups, 60, 40), (every_threshold, 100, 1)],
)
def test_the_test_can_fail(wrong: Choose, groups: int, most: int) -> None:
    """What is often done instead breaks the promise, and these redraws see it."""
    record = redraw(HOPELESS, Setting(0.2, groups, most), 100, wrong)
    assert record.exceeded > few(100), record


@pytest.mark.long
@pytest.mark.parametrize(("where", "name"), CASES)
def test_the_promise_is_kept_in_500_redraws(where: str, name: str) -> None:
    record = redraw(WORLDS[where], SETTINGS[name], 500, certified)
    report(f"{where}, {name}: {record}")
    assert record.certified > 150, record
    assert record.exceeded <= MOST_OF_500, record


@pytest.mark.long
@pytest.mark.parametrize("most", [1, 6])
def test_the_promise_is_kept_in_500_redraws_where_nothing_is_true(most: int) -> None:
    record = redraw(HOPELESS, Setting(0.2, 200, most), 500, certified)
    report(f"hopeless, up to {most} runs a task: {record}")
    assert 5 < record.exceeded <= MOST_OF_500, record


def test_the_true_rate_of_a_world_is_that_of_many_draws() -> None:
    for made in WORLDS.values():
        runs = made.draw(np.random.default_rng(1), 200_000, 1)
        for threshold in (0.3, 0.8):
            kept = runs.score >= threshold
            assert made.coverage(threshold) == pytest.approx(kept.mean(), abs=0.005)
            assert made.risk(threshold) == pytest.approx(runs.failed[kept].mean(), abs=0.005)


@pytest.fixture(scope="module")
def dojo() -> Population:
    return agentdojo()


REAL = {
    "several, planned": Setting(0.3, 300, 4),
    "all, planned": Setting(0.3, 150, 26),
    "several, split": Setting(0.35, 300, 4, planned=False),
}


@pytest.mark.long
@pytest.mark.parametrize("name", REAL)
def test_the_promise_is_kept_on_real_runs(dojo: Population, name: str) -> None:
    record = redraw(dojo, REAL[name], 500, certified)
    report(f"AgentDojo, {name}: {record}")
    assert record.certified > 200, record
    assert record.exceeded <= MOST_OF_500, record


@pytest.mark.long
def test_real_runs_show_what_reading_off_breaks(dojo: Population) -> None:
    record = redraw(dojo, REAL["several, planned"], 500, read_off)
    report(f"AgentDojo, read off: {record}")
    assert record.exceeded > MOST_OF_500, record
