"""Out-of-fold log odds of every candidate stage: what the choice among them is made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from agentcal.calibration._design import Design
from agentcal.calibration._numeric import base_logit
from agentcal.calibration._prior import PriorHead
from agentcal.calibration._ridge import STRENGTHS, fit_path
from agentcal.calibration._trees import TREES, Pace, fit_trees, tree_logits

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Rows:
    """Training rows of one head: n rows of p features.

    ``X`` (n, p), ``y`` (n,) in {0, 1}, ``weight`` (n,), ``group`` and ``fold`` (n,) codes, ``use``
    (p,) the features that this head may look at, ``categories`` one value a row for each name,
    ``prior`` what is known of such rows in general, if anything; ``pace`` how the trees grow.
    ``without``: the last columns of X (n, q) as they are when a fold is left out, by its number;
    see :class:`Described`.
    """

    X: FloatArray
    y: FloatArray
    weight: FloatArray
    group: IntArray
    fold: IntArray
    use: BoolArray
    categories: Mapping[str, NDArray[np.object_]]
    prior: PriorHead | None
    pace: Pace = "live"
    without: Mapping[int, FloatArray] = field(default_factory=dict)

    def take(self, keep: BoolArray, number: int) -> Rows:
        """The rows where ``keep`` (n,) is true, as they are when fold ``number`` is left out."""
        X = self.X[keep]
        if number in self.without:
            last = self.without[number][keep]
            X[:, X.shape[1] - last.shape[1] :] = last
        return Rows(
            X,
            self.y[keep],
            self.weight[keep],
            self.group[keep],
            self.fold[keep],
            self.use,
            {name: values[keep] for name, values in self.categories.items()},
            self.prior,
            self.pace,
        )


@dataclass(frozen=True, slots=True)
class Candidates:
    """Out-of-fold log odds (n,); ``ridge`` (n, strengths) and ``trees`` (n, settings)."""

    base: FloatArray
    prior: FloatArray | None
    ridge: FloatArray
    trees: FloatArray


def tree_matrix(
    X: FloatArray, use: BoolArray, levels: Mapping[str, Sequence[str]],
    categories: Mapping[str, NDArray[np.object_]],
) -> FloatArray:  # fmt: skip
    """What the trees see: the usable features as they are, then one column a category level."""
    hot = [
        (categories[name] == level).astype(np.float64)[:, None]
        for name, values in levels.items()
        for level in values
    ]
    return np.hstack([X[:, use], *hot])


def cross_fit(rows: Rows, *, seed: int, workers: int) -> Candidates:
    """Fit every candidate on all folds but one and predict that one, for each fold in turn."""
    n = len(rows.y)
    base = np.empty(n)
    prior = None if rows.prior is None else rows.prior.logits(rows.X)
    centred = np.empty(n)
    ridge = np.empty((n, len(STRENGTHS)))
    trees = np.empty((n, len(TREES)))

    def one(number: int) -> None:
        held = rows.fold == number
        train, test = rows.take(~held, number), rows.take(held, number)
        base[held] = base_logit(train.y, train.weight)
        if prior is not None:
            centred[held] = (
                base[held] + prior[held] - np.average(prior[~held], weights=train.weight)
            )
        design = Design.fit(train.X, train.use, train.categories)
        matrix, target = (design.matrix(part.X, part.categories) for part in (train, test))
        for i, linear in enumerate(fit_path(matrix, train.y, train.weight)):
            ridge[held, i] = linear.logits(target)
        seen = tree_matrix(train.X, rows.use, design.levels, train.categories)
        unseen = tree_matrix(test.X, rows.use, design.levels, test.categories)
        # The first rounds of the longest booster of a preset are those of the shorter ones.
        boosters = {
            setting.preset: fit_trees(seen, train.y, train.weight, setting, rows.pace, seed=seed)
            for setting in TREES
            if setting.share == 1
        }
        for i, setting in enumerate(TREES):
            booster, rounds = boosters[setting.preset], setting.rounds(rows.pace)
            trees[held, i] = tree_logits(booster, unseen, rounds)

    with ThreadPoolExecutor(max_workers=workers) as pool:
        list(pool.map(one, np.unique(rows.fold).tolist()))
    return Candidates(base, None if prior is None else centred, ridge, trees)
