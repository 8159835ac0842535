"""Exact statements about a rate from independent runs: one run a group."""

from __future__ import annotations

from agentcal.bounds._checked import check_count, check_share
from agentcal.errors import ConfigError

_HOPELESS = 10**9
"""More groups than anybody has: the rate is as good as the target."""


def upper_bound(failures: int, n: int, confidence: float) -> float:
    """The failure rate that ``failures`` in ``n`` independent runs leave possible, in [0, 1].

    At most this, with probability ``confidence``: the one-sided bound of Clopper and Pearson
    (1934). 1 where ``n`` is 0. Raises ``ConfigError`` for counts or a confidence out of range.
    """
    from scipy.special import betaincinv  # noqa: PLC0415 - heavy

    _check(failures, n)
    check_share(confidence, "confidence")
    return 1.0 if failures == n else float(betaincinv(failures + 1, n - failures, confidence))


def p_value(failures: int, n: int, max_rate: float) -> float:
    """P(at most ``failures`` of ``n`` fail) at a failure rate of ``max_rate``, in [0, 1].

    The exact binomial p-value for "the rate is above ``max_rate``": small where it is not.
    """
    from scipy.special import bdtr  # noqa: PLC0415 - heavy

    _check(failures, n)
    check_share(max_rate, "max_rate")
    return float(bdtr(failures, n, max_rate))


def groups_needed(
    rate: float, max_rate: float, confidence: float, power: float = 0.8
) -> int | None:
    """The fewest accepted runs, one a group, that would do if ``rate`` of them fail.

    That many certify "at most ``max_rate`` fail" at ``confidence`` with probability ``power``. None
    where ``rate`` is not below ``max_rate``, or so little that a billion would not do.
    """
    check_share(max_rate, "max_rate")
    check_share(confidence, "confidence")
    check_share(power, "power")
    if not 0 <= rate <= 1:
        raise ConfigError(f"rate must lie in [0, 1], got {rate}")
    if rate >= max_rate:
        return None
    return _smallest(rate, max_rate, 1 - confidence, power)


def _smallest(rate: float, max_rate: float, level: float, power: float) -> int | None:
    """Over how many failures are let through: each number has its own smallest ``n``."""
    from scipy.special import bdtr  # noqa: PLC0415 - heavy

    def enough(let: int) -> bool:
        return bool(bdtr(let, _runs(let, max_rate, level), rate) >= power)

    low, high = -1, 0
    while not enough(high):
        low, high = high, 2 * high + 1
        if high > max_rate * _HOPELESS:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return _runs(high, max_rate, level)


def _runs(let: int, max_rate: float, level: float) -> int:
    """The fewest runs among which ``let`` failures still certify."""
    from scipy.special import bdtr  # noqa: PLC0415 - heavy

    low, high = let, 2 * let + 1
    while bdtr(let, high, max_rate) > level:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if bdtr(let, middle, max_rate) > level else (low, middle)
    return high


def _check(failures: int, n: int) -> None:
    check_count(n, "n")
    check_count(failures, "failures")
    if failures > n:
        raise ConfigError(f"failures={failures} of n={n}: more failures than runs")
