"""The general prior: what behaviour usually means, learnt from runs of other agents.

It ships with agentcal (``agentcal/data/prior.json``, made by ``benchmarks/make_prior.py``) and is
one more stage: with few runs of one's own it may beat the base rate, and only then is it used.
"""

from __future__ import annotations

from functools import cached_property, lru_cache
from importlib import resources
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from agentcal.calibration._design import Design
from agentcal.calibration._ridge import fit_path
from agentcal.features import fingerprint

FloatArray = NDArray[np.float64]


class PriorHead(BaseModel):
    """A ridge logistic without intercept: only differences between rows carry over."""

    model_config = ConfigDict(extra="forbid")

    design: Design
    coefficients: list[float]

    @cached_property
    def _coefficients(self) -> FloatArray:
        return np.array(self.coefficients)

    @classmethod
    def fit(
        cls,
        X: FloatArray,
        y: FloatArray,
        weight: FloatArray,
        use: NDArray[np.bool_],
        strength: float,
    ) -> Self:
        """Learn from rows X (n, p); ``use`` (p,) says which features, ``strength`` how freely."""
        design = Design.fit(X, use, {})
        (linear,) = fit_path(design.matrix(X, {}), y, weight, [strength])
        return cls(design=design, coefficients=linear.coefficients.tolist())

    def logits(self, X: FloatArray) -> FloatArray:
        """Log odds (n,) of rows X (n, p), up to a constant."""
        return self.design.matrix(X, {}) @ self._coefficients

    def contributions(self, x: FloatArray) -> dict[str, float]:
        """Log odds that each feature adds at row x (p,), against the prior's average row."""
        parts = self._coefficients * (self.design.row(x, {}) - self.design.average())
        out: dict[str, float] = {}
        for name, part in zip(self.design.owners(), parts.tolist(), strict=True):
            out[name] = out.get(name, 0.0) + part
        return out


class Prior(BaseModel):
    """A head a kind of decision point, for the features whose fingerprint it names."""

    model_config = ConfigDict(extra="forbid")

    features: str
    origin: str
    heads: dict[str, PriorHead]


@lru_cache(maxsize=1)
def shipped_prior() -> Prior | None:
    """The prior in the package, or None where it was made for other features than these."""
    text = resources.files("agentcal.data").joinpath("prior.json").read_text(encoding="utf-8")
    prior = Prior.model_validate_json(text)
    return prior if prior.features == fingerprint() else None
