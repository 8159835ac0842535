"""A rate among runs that come in groups, with an exact test and exact bounds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from agentcal.bounds._checked import Floats, check_flags, check_share, group_codes
from agentcal.bounds._tail import tail
from agentcal.errors import ConfigError, NotEnoughData
from agentcal.metrics import Estimate


@dataclass(frozen=True, slots=True)
class GroupedRate:
    """How often a thing happens among the runs that count; only groups are independent.

    ``base[g]`` is the share of the runs of group ``g`` that count, ``hits[g]`` the share that count
    and to which it happens: ``0 <= hits <= base <= 1``, one entry a group. The rate is
    ``E[hits] / E[base]``: that of one run of a new group. Every group weighs the same.

    Tests and bounds hold for any number of groups of any sizes, however alike the runs of a group
    are. They are those of Gaffke (2005), valid by Vlassis and Thomas (arXiv 2607.08415) for any
    independent variables; with one run a group they are the exact binomial test and the bound of
    Clopper and Pearson, and with many groups as sharp as the normal approximation (Ming et al.,
    arXiv 2607.18661).
    """

    base: Floats
    hits: Floats

    def __post_init__(self) -> None:
        if self.base.ndim != 1 or self.base.shape != self.hits.shape:
            raise ConfigError("base and hits need one entry a group each")
        if self.base.size == 0:
            raise NotEnoughData("there is no group")
        if not ((self.hits >= 0) & (self.hits <= self.base) & (self.base <= 1)).all():
            raise ConfigError("base and hits must be shares with 0 <= hits <= base <= 1")

    @classmethod
    def of_runs(cls, counts: ArrayLike, happens: ArrayLike, groups: ArrayLike) -> GroupedRate:
        """From one entry a run: whether it counts, whether the thing happened, its group."""
        base = check_flags(counts, "counts")
        hits = base & check_flags(happens, "happens", base.size)
        codes, n = group_codes(groups, base.size)
        sizes = np.bincount(codes, minlength=n)
        return cls(
            np.bincount(codes, weights=base, minlength=n) / sizes,
            np.bincount(codes, weights=hits, minlength=n) / sizes,
        )

    @property
    def groups(self) -> int:
        """Number of groups."""
        return self.base.size

    @property
    def value(self) -> float:
        """The rate as observed; NaN where no run counts."""
        counted = float(self.base.sum())
        return float(self.hits.sum()) / counted if counted else float("nan")

    def p_value(self, max_rate: float, *, copies: float = 1.0) -> float:
        """For "the rate is ``max_rate`` or more": small where it is not. In [0, 1].

        ``copies``: what it would be with so many times as many groups, all like these.
        """
        return tail(self.hits - max_rate * self.base, 1 - max_rate, copies)

    def upper(self, confidence: float) -> float:
        """The rate is at most this, with probability ``confidence``; 1 where no run counts."""
        from scipy.optimize import brentq  # noqa: PLC0415 - heavy

        check_share(confidence, "confidence")
        if (self.hits == self.base).all():
            return 1.0
        return float(brentq(lambda r: self.p_value(r) - (1 - confidence), 0.0, 1.0, xtol=1e-12))

    def lower(self, confidence: float) -> float:
        """The rate is at least this, with probability ``confidence``; 0 where no run counts."""
        return 1 - GroupedRate(self.base, self.base - self.hits).upper(confidence)

    def estimate(self, confidence: float) -> Estimate:
        """The rate with its interval: either end is wrong with half of ``1 - confidence``.

        ``n`` of the estimate is the number of groups in which any run counts.
        """
        side = (1 + confidence) / 2
        return Estimate(
            value=self.value,
            low=self.lower(side),
            high=self.upper(side),
            n=int((self.base > 0).sum()),
            groups=self.groups,
            level=confidence,
        )
