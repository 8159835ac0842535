"""Made-up populations of tasks whose failure rate at every threshold is known exactly."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

Floats = NDArray[np.float64]


class Drawn(NamedTuple):
    """One entry a run."""

    score: Floats
    failed: NDArray[np.bool_]
    group: NDArray[np.intp]


class World(NamedTuple):
    """Kinds of tasks. Runs of a task share its kind, and so their luck.

    ``weight`` (k,) is how often a kind comes, ``share`` (k, l) how often a run of it scores
    ``score`` (l,), ``fails`` (k, l) how often such a run fails.
    """

    weight: Floats
    share: Floats
    fails: Floats
    score: Floats

    def coverage(self, threshold: float) -> float:
        return float(self.weight @ self.share[:, self.score >= threshold].sum(axis=1))

    def risk(self, threshold: float) -> float:
        kept = self.score >= threshold
        failing = self.weight @ (self.share * self.fails)[:, kept].sum(axis=1)
        return float(failing / self.coverage(threshold))

    def widest(self, max_rate: float) -> float:
        """The best coverage of all thresholds that keep the rate."""
        return max(self.coverage(t) for t in self.score if self.risk(t) <= max_rate)

    def draw(self, rng: np.random.Generator, groups: int, most: int) -> Drawn:
        """1 to ``most`` runs of each task."""
        sizes = rng.integers(1, most + 1, groups)
        kind = np.repeat(rng.choice(self.weight.size, groups, p=self.weight), sizes)
        ladder = np.cumsum(self.share, axis=1)[kind]
        level = (rng.random(kind.size)[:, None] > ladder[:, :-1]).sum(axis=1)
        failed = rng.random(kind.size) < self.fails[kind, level]
        return Drawn(self.score[level], failed, np.repeat(np.arange(groups), sizes))


def world(
    *,
    skill: float = 1.2,
    alike: float = 1.5,
    rank: float = 0.8,
    luck: float = 0.4,
) -> World:
    """``alike``: how much the task decides, ``rank``: how much the score tells, in log odds."""
    kinds, levels = np.linspace(-1.5, 1.5, 6) * alike, np.linspace(-3.0, 4.0, 36)
    share = np.exp(-0.5 * np.square(levels[None, :] - skill - 0.7 * kinds[:, None]))
    logit = rank * levels[None, :] + 0.6 * kinds[:, None] + luck
    weight = np.array([1.0, 2.0, 3.0, 3.0, 2.0, 1.0])
    return World(
        weight / weight.sum(),
        share / share.sum(axis=1, keepdims=True),
        1 / (1 + np.exp(logit)),
        1 / (1 + np.exp(-levels)),
    )


def hopeless(risk: float) -> World:
    """The score says nothing: the failure rate is ``risk`` at every threshold; tasks differ."""

    def made(luck: float) -> World:
        uneven = world(alike=3.0, rank=0.0, luck=luck)
        return uneven._replace(share=np.full_like(uneven.share, 1 / uneven.score.size))

    return made(brentq(lambda luck: made(luck).risk(0.0) - risk, -10, 10))


def distinct_groups(runs: int) -> NDArray[np.intp]:
    """Every run a group of its own."""
    return np.arange(runs)
