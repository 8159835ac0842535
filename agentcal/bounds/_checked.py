"""Checked input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from agentcal.errors import ConfigError, NotEnoughData

Floats: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]
Ints: TypeAlias = NDArray[np.intp]


def check_share(value: float, name: str) -> None:
    """Refuse what does not lie strictly between 0 and 1."""
    if not 0 < value < 1:
        raise ConfigError(f"{name} must lie between 0 and 1, got {value}")


def check_count(value: int, name: str) -> None:
    """Refuse what is not an integer of at least 0."""
    if isinstance(value, bool) or value != int(value) or value < 0:
        raise ConfigError(f"{name} must be an integer of at least 0, got {value}")


def check_flags(values: ArrayLike, name: str, n: int | None = None) -> Flags:
    """A one-dimensional array of true and false (or 1 and 0), of length ``n`` if it is given."""
    array = np.asarray(values)
    if array.ndim != 1:
        raise ConfigError(f"{name} must have one dimension, not shape {array.shape}")
    if n is not None and array.size != n:
        raise ConfigError(f"{name} has {array.size} entries where there are {n} runs")
    if not np.isin(array, (0, 1)).all():
        raise ConfigError(f"{name} must hold true and false only")
    return array.astype(bool)


def check_scores(scores: ArrayLike, name: str = "scores") -> Floats:
    """Confidences in [0, 1] or infinite; at least one."""
    try:
        array = np.asarray(scores, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{name} must hold numbers: {error}") from error
    if array.ndim != 1:
        raise ConfigError(f"{name} must have one dimension, not shape {array.shape}")
    if array.size == 0:
        raise NotEnoughData(f"{name} is empty: there is no run")
    bad = ~(((array >= 0) & (array <= 1)) | np.isinf(array))
    if bad.any():
        first = int(np.argmax(bad))
        raise ConfigError(
            f"{name}[{first}] is {array[first]}; expected a confidence in [0, 1], inf for a run "
            "that always proceeds or -inf for one that never does"
        )
    return array


def check_grid(grid: Sequence[float]) -> Floats:
    """Distinct thresholds in rising order."""
    array = np.unique(np.asarray(grid, dtype=np.float64))
    if array.size == 0:
        raise ConfigError("grid is empty: name at least one threshold, or none for the default")
    if not ((array >= 0) & (array <= 1)).all():
        raise ConfigError("grid must hold thresholds in [0, 1]")
    return array


def group_codes(groups: ArrayLike, n: int) -> tuple[Ints, int]:
    """Codes ``0 .. k - 1`` of ``n`` labels, in the order of the sorted labels, and ``k``."""
    labels = np.asarray(groups)
    if labels.shape != (n,):
        raise ConfigError(f"groups has shape {labels.shape} where there are {n} runs")
    try:
        distinct, codes = np.unique(labels, return_inverse=True)
    except TypeError as error:
        raise ConfigError("groups mixes types: use one type of label") from error
    return codes.astype(np.intp), distinct.size
