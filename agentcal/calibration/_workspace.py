"""Scoring one row at a time: the work of a head laid out once, in memory that is used again."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from agentcal.calibration._blend import Blend
from agentcal.calibration._design import DesignRow
from agentcal.calibration._support import Support

FloatArray = NDArray[np.float64]


class Workspace:
    """What :meth:`Blend.logits` and :meth:`Support.distance` say of one row, much faster.

    Between two live scores an agent does other things, and most of a score is waiting for memory:
    so there are few steps, no new arrays, and a single product for all linear parts. Not safe to
    share between threads; :class:`Workspaces` lends them out.
    """

    __slots__ = ("_base", "_design", "_known", "_prior", "_scale", "_sums", "_support", "_trees",
                 "_weights")  # fmt: skip

    def __init__(self, blend: Blend, support: Support) -> None:
        self._design, self._support = DesignRow(blend.design), support
        self._weights = np.column_stack([blend.weights(), support.weights()])
        self._sums = np.empty(self._weights.shape[1])
        self._trees = blend.row_scorer()
        self._base, self._scale = blend.base, blend.scale if blend.used else 0.0
        self._prior = None if blend.prior is None else DesignRow(blend.prior.design)
        self._known = blend.prior_weights()

    def __call__(self, x: FloatArray, categories: Mapping[str, str]) -> tuple[float, float]:
        """Uncalibrated log odds of row x (p,), and its distance from the training rows."""
        row, sums = self._design.fill(x, categories), self._sums
        np.dot(row, self._weights, sums)
        distance = self._support.distance_of(float(row.dot(row)), sums[1:])
        z: float = sums.item(0)
        if self._trees is not None:
            z += self._trees(x, self._design.hot)
        if self._prior is not None:
            z += float(self._prior.fill(x, categories).dot(self._known))
        return self._base + self._scale * (z - self._base), distance


class Workspaces:
    """Workspaces of one head: as many as have ever been needed at once, each made when first due.

    Taking and giving back is one list operation, so that no thread waits and no lock can be left
    behind in a fork. Copies start empty: buffers and LightGBM's handles belong to one process.
    """

    __slots__ = ("_blend", "_spare", "_support")

    def __init__(self, blend: Blend, support: Support) -> None:
        self._blend, self._support = blend, support
        self._spare: list[Workspace] = []

    def __call__(self, x: FloatArray, categories: Mapping[str, str]) -> tuple[float, float]:
        """See :class:`Workspace`."""
        try:
            workspace = self._spare.pop()
        except IndexError:
            workspace = Workspace(self._blend, self._support)
        scored = workspace(x, categories)
        self._spare.append(workspace)
        return scored

    def __reduce__(self) -> tuple[type[Workspaces], tuple[Blend, Support]]:
        return Workspaces, (self._blend, self._support)
