"""Which features say anything in some runs: a sample of them is folded."""

from __future__ import annotations

import numpy as np

from agentcal.features import FEATURES, decision_points
from agentcal.trajectory import Trajectory

_EACH = 100


class Folded:
    """The range of every feature over a sample of runs; its memory is that of a few rows.

    The sample: the first 100 runs, every tenth of the first 1,000, every hundredth of the first
    10,000, and so on.
    """

    def __init__(self) -> None:
        self.runs = 0
        self.points = 0
        self._seen = 0
        self._low = np.full(len(FEATURES), np.inf)
        self._high = np.full(len(FEATURES), -np.inf)
        self._blank = np.zeros(len(FEATURES))

    def add(self, run: Trajectory) -> None:
        """One more run, which is folded if it is its turn."""
        at, self._seen = self._seen, self._seen + 1
        if at % 10 ** max(0, len(str(at)) - len(str(_EACH)) + 1):
            return
        self.runs += 1
        rows = np.array([point.vector for point in decision_points(run)])
        self.points += len(rows)
        self._low = np.fmin(self._low, np.fmin.reduce(rows))
        self._high = np.fmax(self._high, np.fmax.reduce(rows))
        self._blank += np.isnan(rows).sum(axis=0)

    def dark(self) -> frozenset[str]:
        """Features that are missing or have one and the same value at every decision point."""
        varies = self._high > self._low
        return frozenset(f.name for f, told in zip(FEATURES, varies, strict=True) if not told)

    def blank(self, features: frozenset[str]) -> float | None:
        """The share of decision points at which these have no value, on average."""
        chosen = [at for at, feature in enumerate(FEATURES) if feature.name in features]
        if not chosen or not self.points:
            return None
        return float(self._blank[chosen].mean() / self.points)
