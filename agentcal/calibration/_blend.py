"""The stages of a head, put together: a row in, uncalibrated log odds out."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from agentcal.calibration._choice import Recipe
from agentcal.calibration._columns import COLUMNS
from agentcal.calibration._design import Design
from agentcal.calibration._numeric import base_logit
from agentcal.calibration._prior import PriorHead
from agentcal.calibration._ridge import STRENGTHS, fit_path
from agentcal.calibration._stages import Rows, tree_matrix
from agentcal.calibration._trees import (
    TREES,
    Preset,
    RowScorer,
    TreeSetting,
    fit_trees,
    load_together,
    load_trees,
    tree_logits,
)

FloatArray = NDArray[np.float64]


class Forest(BaseModel):
    """A LightGBM model in its text format, and its weight in the blend."""

    model_config = ConfigDict(extra="forbid")

    preset: Preset
    rounds: int
    share: float
    text: str

    @cached_property
    def booster(self) -> Any:
        """The model, loaded when first needed."""
        return load_trees(self.text)


class Blend(BaseModel):
    """base + scale (weighted sum of the parts - base); see :class:`Recipe`."""

    model_config = ConfigDict(extra="forbid")

    base: float
    scale: float
    use: list[int]
    design: Design
    ridge_share: float
    ridge_strength: float | None
    coefficients: list[float]
    intercept: float
    forests: list[Forest]
    prior: PriorHead | None
    prior_centre: float

    @cached_property
    def _coefficients(self) -> FloatArray:
        return self.ridge_share * np.array(self.coefficients)

    @cached_property
    def _use(self) -> NDArray[np.int64]:
        return np.array(self.use, dtype=np.int64)

    @cached_property
    def levels(self) -> int:
        """Columns for the levels of declared categories."""
        return sum(map(len, self.design.levels.values()))

    @classmethod
    def fit(cls, recipe: Recipe, rows: Rows, design: Design, matrix: FloatArray, seed: int) -> Self:
        """Fit the parts that the recipe uses on all ``rows``; ``matrix`` is their design matrix."""
        ridge, smooth, deep = recipe.weights
        strength = STRENGTHS[recipe.strength] if ridge else None
        linear = fit_path(matrix, rows.y, rows.weight, [strength])[0] if strength else None
        chosen = [(smooth, TREES[recipe.smooth]), (deep, TREES[recipe.deep])]
        prior = rows.prior if recipe.prior else None
        known = np.zeros(1) if prior is None else prior.logits(rows.X)
        return cls(
            base=base_logit(rows.y, rows.weight),
            scale=recipe.scale,
            use=np.flatnonzero(rows.use).tolist(),
            design=design,
            ridge_share=ridge,
            ridge_strength=strength,
            coefficients=[] if linear is None else linear.coefficients.tolist(),
            intercept=0.0 if linear is None else linear.intercept,
            forests=[_forest(t, share, rows, design, seed) for share, t in chosen if share],
            prior=prior,
            prior_centre=0.0 if prior is None else float(np.average(known, weights=rows.weight)),
        )

    def describe(self) -> str:
        """The stages in words."""
        parts = ["general prior"] if self.prior is not None else []
        if self.ridge_share:
            parts.append(f"{self.ridge_share:.0%} ridge logistic (C={self.ridge_strength})")
        parts += [f"{f.share:.0%} {f.preset} LightGBM ({f.rounds} rounds)" for f in self.forests]
        made = " + ".join(parts) or "base rate"
        return made if self.scale == 1 or not parts else f"{made}, {self.scale:.0%} of the way"

    def logits(
        self, X: FloatArray, matrix: FloatArray, categories: Mapping[str, NDArray[np.object_]]
    ) -> FloatArray:
        """Log odds (n,) of rows X (n, p) with their design matrix (n, width)."""
        z = np.zeros(len(X))
        if self.prior is not None:
            z += self.base + self.prior.logits(X) - self.prior_centre
        if self.ridge_share:
            z += matrix @ self._coefficients + self.ridge_share * self.intercept
        if self.forests:
            use = np.zeros(X.shape[1], dtype=bool)
            use[self._use] = True
            seen = tree_matrix(X, use, self.design.levels, categories)
            for forest in self.forests:
                z += forest.share * tree_logits(forest.booster, seen, forest.rounds)
        if not self.used:
            return np.full(len(X), self.base)
        return self.base + self.scale * (z - self.base)

    def weights(self) -> FloatArray:
        """The linear part: its product with a design row with a 1 behind it, (width + 1,)."""
        if not self.ridge_share:
            return np.zeros(self.design.width + 1)
        return np.append(self._coefficients, self.ridge_share * self.intercept)

    def prior_weights(self) -> FloatArray:
        """As :meth:`weights`, for the design row of the prior."""
        known = self.prior
        if known is None:
            return np.zeros(1)
        return np.append(known.coefficients, self.base - self.prior_centre)

    def row_scorer(self) -> RowScorer | None:
        """The trees, for one row at a time: None without any."""
        if not self.forests:
            return None
        boosters, shares = self._together
        return RowScorer(boosters, shares, self._use, self.levels)

    @cached_property
    def _together(self) -> tuple[list[Any], list[float]]:
        """Boosters and their shares: one booster where all count the same, which saves calls."""
        shares = [forest.share for forest in self.forests]
        if len(shares) > 1 and len(set(shares)) == 1:
            whole = load_together([forest.text for forest in self.forests])
            if whole is not None:
                return [whole], shares[:1]
        return [forest.booster for forest in self.forests], shares

    def contributions(self, x: FloatArray, row: FloatArray) -> dict[str, float]:
        """Log odds that each feature or category adds at row x (p,), against the average row."""
        out: dict[str, float] = {}
        if self.prior is not None:
            out |= self.prior.contributions(x)
        if self.ridge_share:
            parts = self._coefficients * (row - self.design.average())
            _add(out, self.design.owners(), parts)
        for forest in self.forests:
            seen = self._seen(x, row)[None, :]
            shap = forest.booster.predict(seen, pred_contrib=True, num_threads=1)[0, :-1]
            levels = self.design.owners()[len(row) - self.levels :] if self.levels else []
            _add(out, [COLUMNS[j].name for j in self.use] + levels, forest.share * shap)
        return {name: self.scale * part for name, part in out.items()}

    @cached_property
    def used(self) -> bool:
        """Whether anything beyond the base rate was admitted."""
        return bool(self.ridge_share or self.forests or self.prior is not None)

    def _seen(self, x: FloatArray, row: FloatArray) -> FloatArray:
        seen = x.take(self._use)
        return np.concatenate([seen, row[len(row) - self.levels :]]) if self.levels else seen


def _forest(setting: TreeSetting, share: float, rows: Rows, design: Design, seed: int) -> Forest:
    seen = tree_matrix(rows.X, rows.use, design.levels, rows.categories)
    booster = fit_trees(seen, rows.y, rows.weight, setting, rows.pace, seed=seed)
    return Forest(
        preset=setting.preset,
        rounds=setting.rounds(rows.pace),
        share=share,
        text=booster.model_to_string(),
    )


def _add(out: dict[str, float], owners: list[str], parts: FloatArray) -> None:
    for name, part in zip(owners, parts.tolist(), strict=True):
        out[name] = out.get(name, 0.0) + part
