"""The learner of the ablation: agentcal's own stages at a fixed cost, without its admissions.

An equal blend in log odds of the ridge and of both presets of the trees. Which strength, how many
rounds and how far from the base rate is chosen by cross-validation within the training part, with
its groups kept whole; the held-out part is only ever predicted. Finished runs, too, have trees at
the pace of live heads: four times the rounds for each of some twenty column sets would take hours.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from agentcal.calibration._blend import Blend
from agentcal.calibration._choice import EQUAL, RIDGE, SCALES, Recipe
from agentcal.calibration._described import Described, describe
from agentcal.calibration._design import Design
from agentcal.calibration._folds import assign_folds
from agentcal.calibration._numeric import LOGIT_LIMIT, base_logit, log_losses
from agentcal.calibration._ridge import STRENGTHS
from agentcal.calibration._stages import Candidates, Rows, cross_fit
from agentcal.calibration._table import KINDS, Table, trained_on, turn_weight
from agentcal.calibration._trees import TREES

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

INNER_FOLDS = 3


def log_odds(table: Table, train: Mask, wanted: Mask, use: Mask, *, seed: int = 0) -> Floats:
    """Log odds of success for the rows in ``wanted`` (n,), NaN elsewhere.

    Learnt from the runs in ``train`` (r,) and the columns in ``use`` (p + q,), one model for each
    kind of decision point (as agentcal's heads), from the rows that agentcal would train on. What
    a reference says of a row is fitted without it. Without a column that varies it is the base rate
    of these rows.
    """
    fold = np.full(len(table.y), -1, dtype=np.int64)
    fold[train] = assign_folds(table.y[train], table.group[train], INNER_FOLDS, seed)
    described = describe(table, train, fold)
    out = np.full(len(table.X), np.nan)
    learnt_from = _learnt_from(table) & train[table.run]
    for code in np.unique(table.kind[wanted]):
        rows = _rows(table, described, learnt_from & (table.kind == code), fold, use)
        target = wanted & (table.kind == code)
        out[target] = _fitted(rows, described.X[target], seed)
    clipped: Floats = np.clip(out, -LOGIT_LIMIT, LOGIT_LIMIT)
    return clipped


def differs(X: Floats) -> Mask:
    """Which columns (p,) of X (n, p) hold at least two values."""
    known = ~np.isnan(X)
    low = np.where(known, X, np.inf).min(axis=0, initial=np.inf)
    high = np.where(known, X, -np.inf).max(axis=0, initial=-np.inf)
    return np.asarray(high > low)


def varies(X: Floats) -> Mask:
    """Which columns tell any row from another: by two values, or by a value and a missing one."""
    known = ~np.isnan(X)
    return differs(X) | (known.any(axis=0) & ~known.all(axis=0))


def _learnt_from(table: Table) -> Mask:
    pairs = zip(table.kind.tolist(), table.turn.tolist(), strict=True)
    return np.array([trained_on(KINDS[kind], turn) for kind, turn in pairs], dtype=bool)


def _rows(
    table: Table, described: Described, keep: Mask, fold: NDArray[np.int64], use: Mask
) -> Rows:
    runs, X = table.run[keep], described.X[keep]
    inner = fold[runs]
    for number in np.unique(inner):
        use = use & varies(X[inner != number])
    weight = turn_weight(table.turn[keep])
    group, y = table.group[runs], table.y[runs]
    without = {number: last[keep] for number, last in described.without.items()}
    return Rows(X, y, weight, group, inner, use, {}, None, "live", without)


def _fitted(rows: Rows, X: Floats, seed: int) -> Floats:
    if not rows.use.any():
        return np.full(len(X), base_logit(rows.y, rows.weight))
    with threadpool_limits(1, "blas"):
        recipe = _recipe(rows, cross_fit(rows, seed=seed, workers=1))
        design = Design.fit(rows.X, rows.use, {})
        blend = Blend.fit(recipe, rows, design, design.matrix(rows.X, {}), seed)
        return blend.logits(X, design.matrix(X, {}), {})


def _recipe(rows: Rows, candidates: Candidates) -> Recipe:
    """Each part at its own best setting, the three of them in equal shares, at the best scale."""

    def best(recipes: Iterable[Recipe]) -> Recipe:
        return min(recipes, key=lambda recipe: _loss(recipe, rows, candidates))

    strength = best(Recipe(i, weights=RIDGE) for i in range(len(STRENGTHS))).strength
    smooth = best(Recipe(smooth=i, weights=(0, 1, 0)) for i in _settings("smooth")).smooth
    deep = best(Recipe(deep=i, weights=(0, 0, 1)) for i in _settings("deep")).deep
    return best(Recipe(strength, smooth, deep, EQUAL, scale) for scale in SCALES)


def _settings(preset: str) -> list[int]:
    return [i for i, setting in enumerate(TREES) if setting.preset == preset]


def _loss(recipe: Recipe, rows: Rows, candidates: Candidates) -> float:
    return float((rows.weight * log_losses(recipe.logits(candidates), rows.y)).sum())
