"""The null distribution of Gaffke's test: a weighted sum of exponential variables."""

from __future__ import annotations

import numpy as np

from agentcal.bounds._checked import Floats

_STEP = 0.05
_NODES = np.split(np.arange(_STEP / 2, 16.0, _STEP), [60, 120])
_NEGLIGIBLE = 1e-16
_STEEPEST_BEND = 0.6


def tail(values: Floats, top: float, copies: float = 1.0) -> float:
    """P(E_0 ``top`` + sum E_i ``values[i]`` >= 0), all E independent standard exponential.

    ``copies``: as if each value were there so often; need not be whole. Exact to 12 digits, for
    small probabilities too.
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
    # The far tail is the one without cancellation.
    if weights @ shapes > 0:
        return 1 - _far(-weights, shapes)
    return _far(weights, shapes)


def _far(weights: Floats, shapes: Floats) -> float:
    """P(sum >= 0), where that is unlikely.

    The integral of M(z) / z, M the moment generating function prod (1 - z w)^-m, along a path
    through the saddle point right of 0 (Lugannani and Rice, 1980, approximate it; here it is
    computed). The path bends like that of steepest descent, so the integrand hardly oscillates,
    and on a scale on which it falls exponentially, so the midpoint rule converges exponentially.
    """
    centre = _saddle(weights, shapes)
    slope = weights / (1 - centre * weights)
    width = 1 / np.sqrt((shapes * slope**2).sum() + 1 / centre**2)
    skew = width**3 * 2 * ((shapes * slope**3).sum() - 1 / centre**3)
    bend = np.clip(skew / 3, -_STEEPEST_BEND, _STEEPEST_BEND)
    total = 0.0
    for nodes in _NODES:
        sinh, cosh = np.sinh(nodes), np.cosh(nodes)
        path = centre + width * (1j * sinh + bend * (cosh - 1))
        log = -(shapes @ np.log1p(-path * weights[:, None])) - np.log(path)
        pieces = (np.exp(log) * (cosh - 1j * bend * sinh)).real
        total += float(pieces.sum())
        if np.abs(pieces[-5:]).max() < _NEGLIGIBLE * abs(total):
            break
    return float(np.clip(total * _STEP * width / np.pi, 0.0, 1.0))


def _saddle(weights: Floats, shapes: Floats) -> float:
    """About where M(z) / z is smallest between 0 and its first pole."""
    low, high = 0.0, 1 / float(weights.max())
    for _ in range(30):
        centre = (low + high) / 2
        rises = shapes @ (weights / (1 - centre * weights)) > 1 / centre
        low, high = (low, centre) if rises else (centre, high)
    return (low + high) / 2
