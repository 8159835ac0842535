"""The null distribution of Gaffke's test: a weighted sum of exponential variables."""

from __future__ import annotations

import numpy as np

from agentcal.bounds._checked import Floats

_NODES = np.arange(0.05, 20.0, 0.1)
"""Midpoints; the integrand falls like exp(-2 t) or faster, and to 1e-17 before the last."""


def tail(values: Floats, top: float, copies: float = 1.0) -> float:
    """P(E_0 ``top`` + sum E_i ``values[i]`` >= 0), all E independent standard exponential.

    ``copies``: as if each value were there so often; need not be whole. The tail is the integral
    of M(z) / z along a vertical line right of 0, M the moment generating function
    prod (1 - z w)^-m. The line goes through the saddle point, where the integrand does not
    oscillate, and sinh spacing makes it fall exponentially, so that the midpoint rule is exact to
    about 12 digits, for small probabilities too.
    """
    distinct, counts = np.unique(values, return_counts=True)
    weights, shapes = np.append(distinct, top), np.append(copies * counts, 1.0)
    used = weights != 0
    weights, shapes = weights[used], shapes[used]
    if not (weights < 0).any():
        return 1.0
    if not (weights > 0).any():
        return 0.0
    weights = weights / np.abs(weights).max()
    centre, width = _saddle(weights, shapes)
    line = centre + 1j * width * np.sinh(_NODES)
    exponent = -(shapes[:, None] * np.log1p(-line * weights[:, None])).sum(axis=0) - np.log(line)
    heights = np.exp(exponent).real * np.cosh(_NODES)
    return float(np.clip(heights.sum() * 0.1 * width / np.pi, 0.0, 1.0))


def _saddle(weights: Floats, shapes: Floats) -> tuple[float, float]:
    """Where M(z) / z is smallest between 0 and its first pole, and how wide it is there."""
    low, high = 0.0, 1 / float(weights.max())
    for _ in range(50):
        centre = (low + high) / 2
        slope = (shapes * weights / (1 - centre * weights)).sum() - 1 / centre
        low, high = (low, centre) if slope > 0 else (centre, high)
    centre = (low + high) / 2
    bend = (shapes * np.square(weights / (1 - centre * weights))).sum() + 1 / centre**2
    return centre, float(1 / np.sqrt(bend))
