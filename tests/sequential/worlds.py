"""Runs with scores and outcomes, in groups, and what an alarm truly does in a population."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from agentcal.sequential import AlarmBound, fit_alarm

HOTPOT = Path(__file__).parents[2].parent / "shared/data/evaluator/hotpotqa_w_scores.csv.gz"


class Run(NamedTuple):
    scores: list[float]
    success: bool


class Drawn(NamedTuple):
    """What ``fit_alarm`` takes."""

    sequences: list[list[float]]
    success: list[bool]
    groups: list[str]

    @classmethod
    def of(cls, groups: list[list[Run]]) -> Drawn:
        runs = [(f"drawn {k:05d}", run) for k, group in enumerate(groups) for run in group]
        return cls(
            [run.scores for _, run in runs], [run.success for _, run in runs], [g for g, _ in runs]
        )


class Population(NamedTuple):
    """All the groups there are: draws are with replacement, so the true rate is known."""

    groups: list[list[Run]]

    def draw(self, rng: np.random.Generator, count: int) -> Drawn:
        return Drawn.of([self.groups[i] for i in rng.integers(len(self.groups), size=count)])

    def false_alarms(self, bound: AlarmBound) -> float:
        """P(a successful run of a group drawn from those that have one is flagged)."""
        rates = []
        for group in self.groups:
            flagged = [bound.fires(run.scores) for run in group if run.success]
            if flagged:
                rates.append(sum(flagged) / len(flagged))
        return float(np.mean(rates))


def alike(groups: int, most: int, *, shared: float = 0.9, seed: int = 0) -> Population:
    """Groups of 1 to ``most`` runs of 1 to 8 steps whose luck is mostly that of their group.

    Large groups are the hard ones: as runs they look worse than as groups.
    """
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(groups):
        size = int(rng.integers(1, most + 1))
        luck = rng.normal() - size / most
        made.append(
            [_run(rng, shared * luck + (1 - shared**2) ** 0.5 * rng.normal()) for _ in range(size)]
        )
    return Population(made)


def noise(groups: int, steps: int) -> Population:
    """One run a group; the scores say nothing about the outcome."""
    rng = np.random.default_rng(0)
    return Population(
        [[Run(rng.normal(size=steps).tolist(), bool(rng.random() < 0.5))] for _ in range(groups)]
    )


def _run(rng: np.random.Generator, luck: float) -> Run:
    success = bool(rng.random() < 1 / (1 + np.exp(-2 * luck - 1)))
    steps = int(rng.integers(1, 9))
    drift = np.linspace(0, 1, steps) * (0.5 if success else -0.5)
    return Run((luck + drift + rng.normal(0, 0.5, steps)).tolist(), success)


def hotpotqa(seed: int = 0) -> Population:
    """The measured runs, one a problem there, bound into groups of 1 to 5 that are alike."""
    if not HOTPOT.is_file():
        pytest.skip("needs the HotpotQA scores, in ../shared/data/evaluator beside the repository")
    scores: dict[str, list[float]] = {}
    success: dict[str, bool] = {}
    with gzip.open(HOTPOT, "rt", encoding="utf-8", newline="") as text:
        for row in csv.DictReader(text):
            scores.setdefault(row["uq_problem_idx"], []).append(float(row["judge_probability"]))
            success[row["uq_problem_idx"]] = row["solved"] == "True"
    runs = [Run(scores[name], success[name]) for name in scores]
    rng = np.random.default_rng(seed)
    order = np.argsort([min(run.scores) + rng.normal(0, 0.1) for run in runs])
    cuts = np.cumsum(rng.integers(1, 6, size=len(runs)))
    parts = np.split(order, cuts[cuts < len(runs)])
    return Population([[runs[i] for i in part] for part in parts])


Fit = Callable[[Drawn, float, int], AlarmBound]


def properly(drawn: Drawn, rate: float, seed: int) -> AlarmBound:
    return fit_alarm(*drawn, false_alarm_rate=rate, seed=seed)


def exceeded(
    population: Population, groups: int, rate: float, redraws: int, how: Fit = properly
) -> int:
    """In how many redraws the true false alarm rate is above ``rate``."""
    rng = np.random.default_rng(1)
    found = [
        population.false_alarms(how(population.draw(rng, groups), rate, seed))
        for seed in range(redraws)
    ]
    return sum(true > rate for true in found)
