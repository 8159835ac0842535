"""How many more groups would do."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from agentcal.bounds._checked import check_share
from agentcal.bounds._rate import GroupedRate

_POWER = 0.8
_MOST = 2.0**20
"""Times as many groups; a rate that needs more is as good as at the target."""


def more_groups(rates: Iterable[GroupedRate], max_rate: float, confidence: float) -> int | None:
    """How many more groups like these would show one of ``rates`` to be below ``max_rate``.

    About: what was seen is taken for what is, but for one group added to each rate in which it is
    one half, because a rate that is picked for being low is really a little higher. Enough groups
    that the p-value, were every group there so many times, is that which a test at ``confidence``
    with a power of 80% has on average (on the normal scale). At least 1, rounded up to two digits.
    None where no rate is below ``max_rate``, or by so little that a million times as many would not
    do.
    """
    check_share(confidence, "confidence")
    target = _typical(1 - confidence)
    fewest, groups = _MOST, 0
    for rate in rates:
        sober = GroupedRate(np.append(rate.base, 1.0), np.append(rate.hits, 0.5))
        # What does not do at the best so far cannot be better than it.
        if sober.value < max_rate and sober.p_value(max_rate, copies=fewest) <= target:
            fewest, groups = _copies(sober, max_rate, target, fewest), rate.groups
    return rounded_up((fewest - 1) * groups) if groups else None


def rounded_up(number: float) -> int:
    """To two digits, and at least to 1: more of them would be pretence."""
    unit = 10 ** max(len(str(math.ceil(number))) - 2, 0)
    return int(max(1, math.ceil(number / unit) * unit))


def _typical(level: float) -> float:
    """The p-value that is exceeded half the time where the test rejects with that power."""
    from scipy.special import ndtr, ndtri  # noqa: PLC0415 - heavy

    return float(ndtr(ndtri(level) - ndtri(_POWER)))


def _copies(rate: GroupedRate, max_rate: float, target: float, enough: float) -> float:
    low, high = 0.0, math.log2(enough)
    while high - low > 0.005:
        middle = (low + high) / 2
        good = rate.p_value(max_rate, copies=math.exp2(middle)) <= target
        low, high = (low, middle) if good else (middle, high)
    return math.exp2(high)
