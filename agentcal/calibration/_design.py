"""The design matrix of the linear stages: transformed, standardised, missing told apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from agentcal.calibration._columns import COLUMNS

FloatArray = NDArray[np.float64]

_COUNTS = np.array([feature.is_count for feature in COLUMNS])
_CLIP = 4.0
_LOWEST, _HIGHEST = np.array(-_CLIP), np.array(_CLIP)
_RARE = 0.02


def squash(X: FloatArray) -> FloatArray:
    """Counts and sizes as log(1 + x): they are heavy in the right tail; the rest as it is."""
    counts = _COUNTS[: X.shape[1]]
    return np.where(counts, np.log1p(np.maximum(X, 0.0, where=~np.isnan(X), out=X.copy())), X)


@dataclass(frozen=True, slots=True, eq=False)
class _Arrays:
    """A design's constants, as one attribute: a pydantic private attribute costs 2 us a look."""

    columns: NDArray[np.int64]
    last_count: int
    centre: FloatArray
    scale: FloatArray
    filled: FloatArray
    flags: NDArray[np.int64]
    both: NDArray[np.int64]
    width: int


class Design(BaseModel):
    """Squash, fill with the median, standardise, clip at 4 standard deviations, flag the missing.

    Columns: the features in ``columns`` (counts first), then one missing flag for each feature in
    ``flags`` (those missing in 2-98% of the training rows), then one column a level of each
    declared category. A level that training did not see is all zeros.
    """

    model_config = ConfigDict(extra="forbid")

    columns: list[int]
    centre: list[float]
    spread: list[float]
    fill: list[float]
    flags: list[int]
    levels: dict[str, list[str]]
    rates: list[float]

    @cached_property
    def _arrays(self) -> _Arrays:
        columns = np.array(self.columns, dtype=np.int64)
        centre, scale = np.array(self.centre), 1.0 / np.array(self.spread)
        return _Arrays(
            columns=columns,
            last_count=int(_COUNTS[columns].sum()),
            centre=centre,
            scale=scale,
            filled=(np.array(self.fill) - centre) * scale,
            flags=np.array(self.flags, dtype=np.int64),
            both=np.array(self.columns + self.flags, dtype=np.int64),
            width=len(columns) + len(self.flags) + sum(map(len, self.levels.values())),
        )

    @classmethod
    def fit(
        cls,
        X: FloatArray,
        use: NDArray[np.bool_],
        categories: Mapping[str, NDArray[np.object_]],
    ) -> Self:
        """Learn the constants from training rows X (n, p); ``use`` (p,) says which features.

        Where nothing varies, one constant feature is kept: a matrix always has a column.
        """
        squashed = squash(X)
        missing = np.isnan(squashed)
        seen = use & ~missing.all(axis=0)
        counts = _COUNTS[: X.shape[1]]
        columns = np.concatenate([np.flatnonzero(seen & counts), np.flatnonzero(seen & ~counts)])
        part = squashed[:, columns]
        fill = np.nanmedian(part, axis=0) if len(columns) else np.empty(0)
        filled = np.where(np.isnan(part), fill, part)
        spread = filled.std(axis=0)
        varies = spread > 1e-9
        if not varies.any():
            varies[:1], spread[:1] = True, 1.0
        columns, fill, filled = columns[varies], fill[varies], filled[:, varies]
        rate = missing.mean(axis=0)
        flags = _distinct(missing, np.flatnonzero(use & (rate > _RARE) & (rate < 1 - _RARE)))
        levels = {name: sorted({v for v in vs if v}) for name, vs in categories.items()}
        hot = [float(np.mean(categories[n] == v)) for n, vs in levels.items() for v in vs]
        return cls(
            columns=columns.tolist(),
            centre=filled.mean(axis=0).tolist(),
            spread=spread[varies].tolist(),
            fill=fill.tolist(),
            flags=flags,
            levels=levels,
            rates=[*rate[flags].tolist(), *hot],
        )

    @property
    def width(self) -> int:
        """Columns of the design matrix."""
        return self._arrays.width

    def owners(self) -> list[str]:
        """The feature or category that each column speaks of."""
        levels = [name for name, values in self.levels.items() for _ in values]
        return [COLUMNS[j].name for j in [*self.columns, *self.flags]] + levels

    def usual(self) -> dict[str, float]:
        """The median of each feature in ``columns``, on its own scale."""
        return {
            COLUMNS[j].name: float(np.expm1(fill)) if _COUNTS[j] else fill
            for j, fill in zip(self.columns, self.fill, strict=True)
        }

    def average(self) -> FloatArray:
        """The average training row (width,)."""
        return np.concatenate([np.zeros(len(self.columns)), np.array(self.rates)])

    def matrix(self, X: FloatArray, categories: Mapping[str, NDArray[np.object_]]) -> FloatArray:
        """The design matrix (n, width) of rows X (n, p)."""
        known = self._arrays
        part = X[:, known.columns]
        with np.errstate(invalid="ignore"):
            part[:, : known.last_count] = np.log1p(part[:, : known.last_count])
            part = np.clip((part - known.centre) * known.scale, -_CLIP, _CLIP)
        part = np.where(np.isnan(part), known.filled, part)
        flags = np.isnan(X[:, known.flags]).astype(np.float64)
        return np.hstack([part, flags, *self._one_hot(categories)])

    def _one_hot(self, categories: Mapping[str, NDArray[np.object_]]) -> list[FloatArray]:
        blocks = []
        for name, levels in self.levels.items():
            if not levels:
                continue
            hot = [categories[name] == level for level in levels]
            blocks.append(np.array(hot, dtype=np.float64).T)
        return blocks

    def row(self, x: FloatArray, categories: Mapping[str, str]) -> FloatArray:
        """The design row (width,) of one feature vector x (p,)."""
        return DesignRow(self).fill(x, categories)[:-1]


class DesignRow:
    """One row of a design at a time, in memory that is used again: much faster than a matrix.

    The numbers are those of :meth:`Design.matrix`, with a 1 behind them, so that one product with
    weights gives sums with constants.
    """

    __slots__ = ("_counts", "_flags", "_known", "_levels", "_missing", "_part", "_row", "_taken",
                 "_unknown", "hot")  # fmt: skip

    def __init__(self, design: Design) -> None:
        self._known = known = design._arrays
        wide, taken = len(known.columns), len(known.both)
        self._row = np.ones(known.width + 1)
        self._taken, self.hot = self._row[:taken], self._row[taken:-1]
        self._part, self._flags = self._row[:wide], self._row[wide:taken]
        self._counts = self._row[: known.last_count]
        self._missing = np.empty(taken, dtype=bool)
        self._unknown = self._missing[:wide], self._missing[wide:]
        self._levels = [(name, level) for name, of in design.levels.items() for level in of]

    def fill(self, x: FloatArray, categories: Mapping[str, str]) -> FloatArray:
        """The row (width + 1,) of one feature vector x (p,): only good until the next one."""
        known, part, counts = self._known, self._part, self._counts
        values, flags = self._unknown
        # Another mode would copy once more, and keywords take as long as the work that they name.
        x.take(known.both, None, self._taken, "clip")
        np.isnan(self._taken, self._missing)
        np.log1p(counts, counts)
        np.subtract(part, known.centre, part)
        np.multiply(part, known.scale, part)
        np.maximum(part, _LOWEST, out=part)
        np.minimum(part, _HIGHEST, out=part)
        np.putmask(part, values, known.filled)
        self._flags[:] = flags
        if self._levels:
            self.hot[:] = [level == categories.get(name) for name, level in self._levels]
        return self._row


def _distinct(missing: NDArray[np.bool_], flags: NDArray[np.int64]) -> list[int]:
    """One flag a pattern of missingness: features of one source go missing together."""
    kept: dict[bytes, int] = {}
    for j in flags.tolist():
        kept.setdefault(np.packbits(missing[:, j]).tobytes(), j)
    return list(kept.values())
