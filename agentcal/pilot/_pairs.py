"""What is compared with what."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from agentcal.errors import NotEnoughData
from agentcal.pilot._arm import Tally

Floats = NDArray[np.float64]
Tallies = dict[str, Tally]


class Pairs(NamedTuple):
    """Success rates without and with interventions, one entry for each two that are compared.

    ``same``: the groups that are in both sets, where those were compared; else empty, and groups
    were paired at random. ``unmatched``: groups of both sets that could not be used.
    """

    without: Floats
    under: Floats
    same: list[Tally]
    unmatched: int


def pair(before: Tallies, after: Tallies) -> Pairs:
    """The same groups, if at least half of the smaller set's are in both; else at random."""
    common = sorted(before.keys() & after.keys())
    if 2 * len(common) >= min(len(before), len(after)):
        pairs = _same(before, after, common)
    else:
        pairs = _random(
            *([arm[g].rate for g in sorted(arm) if g not in common] for arm in (before, after))
        )
        pairs = pairs._replace(unmatched=2 * len(common))
    if pairs.without.size < 2:
        raise NotEnoughData(
            f"{len(before)} and {len(after)} groups, {len(common)} of them in both sets, make "
            f"{pairs.without.size} to compare: at least 2 are needed, about 50 to be useful"
        )
    return pairs


def _same(before: Tallies, after: Tallies, common: list[str]) -> Pairs:
    return Pairs(
        np.array([before[name].rate for name in common]),
        np.array([after[name].rate for name in common]),
        [before[name] for name in common],
        len(before) + len(after) - 2 * len(common),
    )


def _random(before: list[float], after: list[float]) -> Pairs:
    """Each group of the smaller set against one, or the mean of several, of the larger."""
    rng, n = np.random.default_rng(0), min(len(before), len(after))
    means = [
        np.array([part.mean() for part in np.array_split(rng.permutation(rates), n)])
        for rates in (before, after)
    ]
    return Pairs(means[0], means[1], [], 0)
