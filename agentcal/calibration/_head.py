"""One head: everything that turns a row of one kind into a confidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from agentcal.calibration._blend import Blend
from agentcal.calibration._choice import Admission, Choice, Recipe, admit, choose
from agentcal.calibration._columns import COLUMNS, FITTED
from agentcal.calibration._curve import Curves, wilson
from agentcal.calibration._design import Design
from agentcal.calibration._numeric import log_losses, sigmoid, sigmoid1
from agentcal.calibration._stages import Candidates, Rows, cross_fit
from agentcal.calibration._support import Support
from agentcal.calibration._workspace import Workspaces

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

_FITTED = np.array([column.name in FITTED for column in COLUMNS])

PULLS = (0.0, 0.25, 0.5, 0.75, 1.0)
"""How far an unfamiliar row's log odds may move towards the base rate (rule 11)."""


class Scored(NamedTuple):
    """What a head says of one row: probability, 90% interval, thinness, support, all in [0, 1]."""

    value: float
    low: float
    high: float
    thinness: float
    support: float


@dataclass(frozen=True, slots=True)
class HeadEvidence:
    """What the fit of a head saw: admissions, and cross-fitted probabilities (n,) of its rows."""

    admissions: list[Admission]
    fitted: FloatArray


class Head(BaseModel):
    """Blend of stages, calibration curves and support for one kind of decision point."""

    model_config = ConfigDict(extra="forbid")

    blend: Blend
    pull: float
    curves: Curves
    support: Support
    rows: int
    groups: int

    @classmethod
    def fit(cls, rows: Rows, *, seed: int, workers: int) -> tuple[Self, HeadEvidence]:
        """Cross-fit the candidates, choose, refit on everything, learn the curves out of fold."""
        chosen = _compared(rows, seed, workers)
        rows, candidates, recipe = chosen.rows, chosen.candidates, chosen.choice.recipe
        design = Design.fit(rows.X, rows.use, rows.categories)
        matrix = design.matrix(rows.X, rows.categories)
        support = Support.fit(matrix, rows.group, rows.fold)
        unfamiliar = support.of(matrix) <= support.floor
        z, pull = _pulled(recipe, candidates, rows, unfamiliar)
        curves, fitted = Curves.fit(z, rows.y, rows.weight, rows.group, rows.fold)
        head = cls(
            blend=Blend.fit(recipe, rows, design, matrix, seed),
            pull=pull,
            curves=curves,
            support=support,
            rows=len(rows.y),
            groups=len(np.unique(rows.group)),
        )
        return head, HeadEvidence(chosen.choice.admissions, sigmoid(fitted))

    def logits(
        self, X: FloatArray, categories: Mapping[str, NDArray[np.object_]]
    ) -> tuple[FloatArray, FloatArray]:
        """Calibrated log odds and support of rows X (n, p), both (n,)."""
        matrix = self.blend.design.matrix(X, categories)
        support = self.support.of(matrix)
        z = self.blend.logits(X, matrix, categories)
        z = _pull(z, self.blend.base, support <= self.support.floor, self.pull)
        return self.curves.logits(z), support

    @cached_property
    def compares(self) -> bool:
        """Whether the columns of a reference were admitted; else a row needs only the fold's."""
        return bool(_FITTED[self.blend.use].any())

    def describe(self) -> str:
        """The stages in words, and whether they see the columns of a reference."""
        return self.blend.describe() + (", and a reference" if self.compares else "")

    def score(self, x: FloatArray, categories: Mapping[str, str]) -> Scored:
        """Score one row x (p,)."""
        z, distance = self._workspaces(x, categories)
        support, trust = self.support.at(distance)
        if support <= self.support.floor:
            z += self.pull * (self.blend.base - z)
        calibrated, thinness, like = self.curves.at(z)
        value = sigmoid1(calibrated)
        low, high = wilson(value, max(1.0, like * trust))
        return Scored(value, low, high, thinness, support)

    @cached_property
    def _workspaces(self) -> Workspaces:
        return Workspaces(self.blend, self.support)

    def contributions(self, x: FloatArray, categories: Mapping[str, str]) -> dict[str, float]:
        """Log odds that each feature or category adds at row x (p,), against the average row."""
        return self.blend.contributions(x, self.blend.design.row(x, categories))


class _Chosen(NamedTuple):
    """The rows with the columns that a head may look at, what was cross-fitted, and the choice."""

    rows: Rows
    candidates: Candidates
    choice: Choice


def _chosen(rows: Rows, seed: int, workers: int) -> _Chosen:
    candidates = cross_fit(rows, seed=seed, workers=workers)
    choice = choose(candidates, rows.y, rows.weight, rows.group, rows.fold)
    return _Chosen(rows, candidates, choice)


def _compared(rows: Rows, seed: int, workers: int) -> _Chosen:
    """With the columns of a reference only where they earn their place over the fold's alone."""
    width = rows.X.shape[1]
    fitted = _FITTED[:width] & rows.use
    plain = _chosen(replace(rows, use=rows.use & ~fitted), seed, workers)
    if not np.isfinite(rows.X[:, fitted]).any():
        return plain
    full = _chosen(rows, seed, workers)
    reference = admit("reference", plain.choice.scores, full.choice.scores)
    better = full if reference.admitted else plain
    choice = replace(better.choice, admissions=[*better.choice.admissions, reference])
    return better._replace(choice=choice)


def _pull(
    z: FloatArray, base: FloatArray | float, unfamiliar: BoolArray, pull: float
) -> FloatArray:
    return np.where(unfamiliar, z + pull * (base - z), z)


def _pulled(
    recipe: Recipe, candidates: Candidates, rows: Rows, unfamiliar: BoolArray
) -> tuple[FloatArray, float]:
    """Log odds with unfamiliar rows pulled to the base rate, as far as the loss allows."""
    z = recipe.logits(candidates)
    options = {pull: _pull(z, candidates.base, unfamiliar, pull) for pull in PULLS}
    losses = {
        pull: float((rows.weight * log_losses(option, rows.y)).sum())
        for pull, option in options.items()
    }
    best = min(PULLS, key=lambda pull: losses[pull])
    return options[best], best
