"""Shares, means and medians over runs, with intervals over groups."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from agentcal.bounds import GroupedRate
from agentcal.errors import NotEnoughData
from agentcal.metrics import Estimate, Metric, Table, group_bootstrap, ratio

Floats = NDArray[np.float64]


class Over:
    """The runs that a replay is about: the group of each, and how intervals are made."""

    def __init__(self, groups: ArrayLike, level: float, seed: int) -> None:
        self.groups = np.asarray(groups)
        self.level, self.seed = level, seed

    def share(self, happens: ArrayLike, among: ArrayLike) -> Estimate | None:
        """How often ``happens`` among the runs of ``among``, both (n,) flags; None among none.

        Where it is none or all of them a bootstrap has nothing to vary: the interval is then that
        of :meth:`agentcal.bounds.GroupedRate.estimate`.
        """
        flags, counts = np.asarray(happens, dtype=bool), np.asarray(among, dtype=bool)
        found = self.mean(flags, counts)
        if found is None or found.groups == 1 or 0 < found.value < 1:
            return found
        groups = self.groups[counts]
        exact = GroupedRate.of_runs(np.ones(groups.size), flags[counts], groups)
        ends = exact.estimate(self.level)
        return found.model_copy(update={"low": ends.low, "high": ends.high})

    def mean(self, values: ArrayLike, weight: ArrayLike) -> Estimate | None:
        """The mean of ``values`` (n,) in [0, 1]; None where no ``weight`` (n,) is above 0.

        There is no interval where all values are the same, here and below.
        """
        return self._estimate(_MEAN, values, weight)

    def median(self, values: ArrayLike, among: ArrayLike) -> Estimate | None:
        """The smallest value that half of the runs of ``among`` do not exceed; None among none."""
        return self._estimate(_MEDIAN, values, among)

    def difference(self, a: ArrayLike, b: ArrayLike, among: ArrayLike) -> Estimate | None:
        """The mean of ``a - b`` run by run, both (n,) in [0, 1]; it lies in [-1, 1]."""
        halves = (1 + np.asarray(a, dtype=np.float64) - np.asarray(b, dtype=np.float64)) / 2
        found = self.mean(halves, among)
        if found is None:
            return None
        ends = {name: getattr(found, name) for name in ("value", "low", "high")}
        wide = {name: None if end is None else 2 * end - 1 for name, end in ends.items()}
        return found.model_copy(update=wide)

    def _estimate(self, metric: Metric, values: ArrayLike, weight: ArrayLike) -> Estimate | None:
        mass = np.asarray(weight, dtype=np.float64)
        used = mass > 0
        if not used.any():
            return None
        p, w, group = np.asarray(values, dtype=np.float64)[used], mass[used], self.groups[used]
        nothing = np.zeros(p.size)
        try:
            found = group_bootstrap(
                metric, p, nothing, weight=w, group=group, level=self.level, seed=self.seed
            )
        except NotEnoughData:  # a single group
            value = float(metric.values(Table(p, nothing[None], w[None], group))[0])
            found = Estimate(value=value, low=None, high=None, n=p.size, groups=1, level=self.level)
        # All the same: resampling has nothing to vary, and would look certain.
        return found.model_copy(update={"low": None, "high": None}) if np.ptp(p) == 0 else found


def _mean(table: Table) -> Floats:
    return ratio((table.w * table.p).sum(axis=1), table.w.sum(axis=1))


def _median(table: Table) -> Floats:
    ranked = table.take(np.argsort(table.p, kind="stable"))
    reached = np.cumsum(ranked.w, axis=1)
    middle: Floats = ranked.p[np.argmax(2 * reached >= reached[:, -1:], axis=1)]
    return middle


_MEAN = Metric("mean", _mean, "runs")
_MEDIAN = Metric("median", _median, "runs")
