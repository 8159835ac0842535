"""Which thresholds are tested, and in which order."""

from __future__ import annotations

import numpy as np

from agentcal.bounds._checked import Flags, Floats

_STEPS = 50
"""Thresholds of the default grid; finer ones certify no more."""


def default_grid(scores: Floats) -> Floats:
    """Equal steps of the share of accepted runs, and 0: accept every run that can be."""
    finite = np.minimum(scores[scores > -np.inf], 1.0)
    if not finite.size:
        return np.zeros(1)
    shares = np.arange(_STEPS) / _STEPS
    return np.unique(np.append(np.quantile(finite, shares, method="higher"), 0.0))


def sequence(scores: Floats, failed: Flags, grid: Floats, max_rate: float) -> Floats:
    """From the threshold that these runs promise most for down to the loosest of ``grid``.

    The promise is share accepted x KL(failure rate, ``max_rate``), the exponent at which the
    p-value falls with the number of groups, with one failure and one success added to the counts.
    """
    accepted = scores[None, :] >= grid[:, None]
    counts, failures = accepted.sum(axis=1), (accepted & failed).sum(axis=1)
    rate = (failures + 1) / (counts + 2)
    gap = rate * np.log(rate / max_rate) + (1 - rate) * np.log((1 - rate) / (1 - max_rate))
    promise = np.where(rate < max_rate, counts / scores.size, -1.0) * gap
    return grid[: int(np.argmax(promise)) + 1][::-1]
