"""Which stages are admitted: each must earn its place by nested cross-validation (rule 6)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from agentcal.calibration._numeric import sigmoid
from agentcal.calibration._stages import Candidates
from agentcal.calibration._trees import TREES

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
Weights = tuple[float, float, float]

EQUAL: Weights = (1 / 3, 1 / 3, 1 / 3)
RIDGE: Weights = (1.0, 0.0, 0.0)
_PARTS = 4
BLENDS: tuple[Weights, ...] = tuple(
    (a / _PARTS, b / _PARTS, (_PARTS - a - b) / _PARTS)
    for a in range(_PARTS + 1)
    for b in range(_PARTS + 1 - a)
    if a < _PARTS
)
"""Weights in log odds of the ridge, the smooth and the deep trees: quarters that add up to one."""

SCALES = (0.35, 0.6, 0.8, 1.0)
PRIOR_SCALES = (0.1, 0.2, 0.35, 0.6, 1.0)
"""How far from the base rate a blend, or the general prior, may go: 1 is all the way."""

_ADMITTED_FROM, _PREFERRED_FROM = 0.5, 1.0
"""Standard errors over groups by which a stage, or weights that are not equal, must gain.

On pure noise a bare gain turns up in every other head, one of half a standard error in one of five.
"""

_SMOOTH = [i for i, setting in enumerate(TREES) if setting.preset == "smooth"]
_DEEP = [i for i, setting in enumerate(TREES) if setting.preset == "deep"]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a head makes its log odds: base + scale (sum_i weights_i part_i - base).

    ``strength``, ``smooth`` and ``deep`` index the settings of the three parts. With ``weights``
    all zero it is the base rate, or base + scale prior if ``prior`` is set.
    """

    strength: int = 0
    smooth: int = 0
    deep: int = 0
    weights: Weights = (0.0, 0.0, 0.0)
    scale: float = 1.0
    prior: bool = False

    def logits(self, c: Candidates) -> FloatArray:
        """Out-of-fold log odds (n,) under this recipe."""
        if self.prior and c.prior is not None:
            return c.base + self.scale * (c.prior - c.base)
        if not any(self.weights):
            return c.base
        parts = (c.ridge[:, self.strength], c.trees[:, self.smooth], c.trees[:, self.deep])
        z = sum(weight * part for weight, part in zip(self.weights, parts, strict=True))
        return c.base + self.scale * (z - c.base)


@dataclass(frozen=True, slots=True)
class Admission:
    """What nested cross-validation said of one stage: Brier score of a group without and with it.

    ``admitted``: with it the score is lower, by more than half a standard error over groups.
    """

    stage: str
    without: float
    with_it: float
    admitted: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """The recipe to use, the evidence, and the nested Brier score (g,) of each group."""

    recipe: Recipe
    admissions: list[Admission]
    scores: FloatArray


def choose(
    candidates: Candidates, y: FloatArray, weight: FloatArray, group: IntArray, fold: IntArray
) -> Choice:
    """Base rate, then general prior, then ridge, then trees: what each adds, and the recipe to use.

    A stage is judged by nested selection: for each fold, the recipe that is chosen on the other
    folds is scored on this one. Only if that lowers the Brier score of a group is the stage
    admitted; then the recipe that is chosen on all folds is taken.
    """
    chooser = _Chooser(candidates, y, weight, group, fold)
    stages: list[tuple[str, Callable[[BoolArray], Recipe]]] = [
        ("general prior", chooser.prior),
        ("ridge", chooser.ridge),
        ("trees", chooser.blend),
    ]
    if candidates.prior is None:
        del stages[0]
    best, recipe, admissions = chooser.nested(lambda _: Recipe()), Recipe(), []
    for name, select in stages:
        nested = chooser.nested(select)
        admissions.append(admit(name, best, nested))
        if admissions[-1].admitted:
            best, recipe = nested, select(np.ones(len(best), dtype=bool))
    return Choice(recipe, admissions, best)


def admit(stage: str, without: FloatArray, with_it: FloatArray) -> Admission:
    """Whether a stage earns its place, by the nested scores (g,) of groups without and with it."""
    admitted = _gains(without - with_it, _ADMITTED_FROM)
    return Admission(stage, float(without.mean()), float(with_it.mean()), admitted)


def _gains(gain: FloatArray, errors: float) -> bool:
    """Whether the mean of ``gain`` (groups,) is more than so many standard errors above zero."""
    if len(gain) < 2:
        return False
    error = float(gain.std(ddof=1)) / math.sqrt(len(gain))
    return float(gain.mean()) > errors * error


class _Chooser:
    """Selects by the Brier score of a group, the average over its rows; (g,) is one a group.

    Each group counts once, however many rows it has, for what is new at deployment is a group. The
    Brier score is bounded where log loss is not, so that one strange group, on which a stage is
    sure and wrong, weighs against what all others gain from it and does not drown it: how sure a
    head may be is for the calibration map to say, which is learnt afterwards.
    """

    def __init__(
        self, c: Candidates, y: FloatArray, weight: FloatArray, group: IntArray, fold: IntArray
    ) -> None:
        _, first, codes = np.unique(group, return_index=True, return_inverse=True)
        self._c, self._y, self._codes, self._fold = c, y, codes, fold[first]
        self._share = weight / np.bincount(codes, weight)[codes]
        self._losses = lru_cache(maxsize=None)(self._fresh_losses)

    def _fresh_losses(self, recipe: Recipe) -> FloatArray:
        squared = (sigmoid(recipe.logits(self._c)) - self._y) ** 2
        by_group = np.bincount(self._codes, weights=self._share * squared)
        return by_group.astype(np.float64)

    def nested(self, select: Callable[[BoolArray], Recipe]) -> FloatArray:
        """Score (g,) of each group by the recipe that is chosen without its fold."""
        out = np.empty(len(self._fold))
        for number in np.unique(self._fold):
            held = self._fold == number
            out[held] = self._losses(select(~held))[held]
        return out

    def _best(self, recipes: Sequence[Recipe], among: BoolArray) -> Recipe:
        return min(recipes, key=lambda recipe: float(self._losses(recipe)[among].sum()))

    def prior(self, among: BoolArray) -> Recipe:
        """How far to follow the general prior, by the groups in ``among`` (g,)."""
        return self._best([Recipe(scale=scale, prior=True) for scale in PRIOR_SCALES], among)

    def ridge(self, among: BoolArray) -> Recipe:
        """The strength and the scale of the ridge alone."""
        strengths = range(self._c.ridge.shape[1])
        recipes = [Recipe(i, weights=RIDGE, scale=s) for i in strengths for s in SCALES]
        return self._best(recipes, among)

    def blend(self, among: BoolArray) -> Recipe:
        """Each part at its own best setting; equal weights unless others are clearly better.

        Equal weights are hard to beat with weights learnt from few groups, so others must gain
        more than one standard error over groups (the one-standard-error rule of Breiman et al.,
        1984).
        """
        strength = self.ridge(among).strength
        smooths = [Recipe(smooth=i, weights=(0, 1, 0), scale=s) for i in _SMOOTH for s in SCALES]
        deeps = [Recipe(deep=i, weights=(0, 0, 1), scale=s) for i in _DEEP for s in SCALES]
        smooth, deep = self._best(smooths, among).smooth, self._best(deeps, among).deep

        def at(weights: Weights) -> list[Recipe]:
            return [Recipe(strength, smooth, deep, weights, scale) for scale in SCALES]

        equal = self._best(at(EQUAL), among)
        other = self._best([recipe for weights in BLENDS for recipe in at(weights)], among)
        gain = (self._losses(equal) - self._losses(other))[among]
        return other if _gains(gain, _PREFERRED_FROM) else equal
