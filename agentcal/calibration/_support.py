"""How familiar a row is: its distance from the training rows, as a tail probability."""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

FloatArray = NDArray[np.float64]

_MOST_AXES = 20
_ROWS_PER_AXIS = 10
_KEPT_QUANTILES = 500
_TINY = 1e-9

FAMILIAR = 0.01
"""A row is supported while more than this share of training rows, by group, is as unusual."""

_ORDINARY = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class _Arrays:
    """The constants of a support, as one attribute: pydantic's private ones are slow to look up."""

    centre: FloatArray
    axes: FloatArray
    per_rest: float
    width: int
    distances: list[float]
    farthest: float


class Support(BaseModel):
    """Mahalanobis distance under probabilistic principal components (Tipping and Bishop, 1999).

    The leading axes keep their own variance, the rest share one. ``support`` of a row is
    (1 + groups at least as far out) / (1 + groups), where a group counts with the share of its rows
    that are: the p-value of a conformal test of "this row is like one row of each group", about
    uniform on training-like rows.
    """

    model_config = ConfigDict(extra="forbid")

    centre: list[float]
    axes: list[list[float]]
    variances: list[float]
    rest: float
    distances: list[float]
    groups: int

    @cached_property
    def _arrays(self) -> _Arrays:
        # No axis has a smaller variance than the rest, so each takes something off the distance.
        spared = 1.0 / self.rest - 1.0 / np.array(self.variances)
        axes = np.array(self.axes).reshape(len(self.centre), -1)
        return _Arrays(
            np.array(self.centre),
            axes * np.sqrt(np.maximum(spared, 0.0)),
            1.0 / self.rest,
            max(1, len(self.centre)),
            self.distances,
            max(self.distances[-1], _TINY) if self.distances else math.inf,
        )

    @cached_property
    def floor(self) -> float:
        """A row with this support or less is unfamiliar: 1%, or beyond all but half a group."""
        return max(FAMILIAR, 1.5 / (1.0 + self.groups))

    @classmethod
    def fit(cls, matrix: FloatArray, group: NDArray[np.int64], fold: NDArray[np.int64]) -> Self:
        """Learn the shape from design rows (n, width); distances are taken out of fold."""
        distances = np.empty(len(matrix))
        for number in np.unique(fold):
            held_out = fold == number
            shape = _shape(matrix[~held_out])
            distances[held_out] = cls(**shape, distances=[], groups=0).distance(matrix[held_out])
        order, codes = np.argsort(distances), np.unique(group, return_inverse=True)[1]
        share = np.cumsum(1.0 / np.bincount(codes)[codes[order]])
        levels = (np.arange(min(_KEPT_QUANTILES, len(matrix))) + 0.5) / _KEPT_QUANTILES
        levels *= share[-1] * _KEPT_QUANTILES / len(levels)
        kept = distances[order][np.searchsorted(share, levels)]
        return cls(**_shape(matrix), distances=kept.tolist(), groups=int(codes.max()) + 1)

    def distance(self, matrix: FloatArray) -> FloatArray:
        """Squared distance of each design row (n, width), divided by the width."""
        known = self._arrays
        centred = matrix - known.centre
        projected = centred @ known.axes
        total = (centred**2).sum(axis=1) * known.per_rest - (projected**2).sum(axis=1)
        result: FloatArray = total / known.width
        return result

    def of(self, matrix: FloatArray) -> FloatArray:
        """Support in (0, 1] of each design row (n, width)."""
        distances = self._arrays.distances
        at = np.searchsorted(np.array(distances), self.distance(matrix))
        share = 1.0 - at / max(1, len(distances))
        result: FloatArray = (1.0 + share * self.groups) / (1.0 + self.groups)
        return result

    def weights(self) -> FloatArray:
        """What :meth:`distance_of` needs of a row with a 1 behind it: (width + 1, axes + 1)."""
        known = self._arrays
        axes = np.vstack([known.axes, -known.centre @ known.axes])
        across = np.append(-2.0 * known.centre, known.centre @ known.centre - 1.0)
        return np.column_stack([axes, across])

    def distance_of(self, square: float, sums: FloatArray) -> float:
        """:meth:`distance` of one row with a 1 behind it, ``square`` its length squared.

        ``sums`` (axes + 1,): its product with :meth:`weights`.
        """
        known, projected = self._arrays, sums[:-1]
        total = (square + sums.item(-1)) * known.per_rest - float(projected.dot(projected))
        return total / known.width

    def at(self, distance: float) -> tuple[float, float]:
        """Support of a row at this distance, and the trust in what is known at its score.

        Trust in (0, 1] scales the number of runs behind an interval: 1 for an ordinary row, less
        below a support of 5%, falling with the square of the distance beyond every training group.
        """
        known = self._arrays
        share = 1.0 - bisect_left(known.distances, distance) / max(1, len(known.distances))
        support = (1.0 + share * self.groups) / (1.0 + self.groups)
        beyond = max(1.0, distance / known.farthest)
        return support, min(1.0, support / _ORDINARY) / beyond**2


def _shape(matrix: FloatArray) -> dict[str, object]:
    from scipy.linalg import eigh  # noqa: PLC0415 - heavy

    n, width = matrix.shape
    centre = matrix.mean(axis=0)
    covariance = np.cov(matrix, rowvar=False).reshape(width, width)
    axes = int(np.clip(n // _ROWS_PER_AXIS, 1, min(_MOST_AXES, width - 1))) if width > 1 else 0
    leading = vectors = np.empty((width, 0))
    if axes:
        leading, vectors = eigh(covariance, subset_by_index=[width - axes, width - 1])
    rest = max((float(np.trace(covariance)) - float(leading.sum())) / (width - axes), 1e-3)
    return {
        "centre": centre.tolist(),
        "axes": np.round(vectors, 6).tolist(),
        "variances": np.maximum(leading, rest).reshape(-1).tolist(),
        "rest": rest,
    }
