"""Which order statistic of successful runs bounds the share of all of them that lies beyond."""

from __future__ import annotations

import math

from agentcal.bounds import p_value


def rank(n: int, false_alarm_rate: float, confidence: float) -> int:
    """The lowest k for which the k-th smallest of ``n`` independent values will do, from 1.

    Strictly beyond it lies at most the share ``false_alarm_rate`` of the distribution, with
    probability ``confidence`` at least: P(Binomial(n, 1 - rate) >= k) <= 1 - confidence. Ties only
    make it safer. ``n`` is :func:`least` or more; with fewer even the largest value is too low.
    """
    low, high = 0, n
    while high - low > 1:
        middle = (low + high) // 2
        fine = _allowed(middle, n, false_alarm_rate, confidence)
        low, high = (middle, high) if fine else (low, middle)
    return n - low


def least(false_alarm_rate: float, confidence: float) -> int:
    """The fewest values of which the largest will do: (1 - rate)^n <= 1 - confidence."""
    return max(1, math.ceil(math.log1p(-confidence) / math.log1p(-false_alarm_rate)))


def _allowed(beyond: int, n: int, false_alarm_rate: float, confidence: float) -> bool:
    return p_value(beyond, n, false_alarm_rate) <= 1 - confidence
