"""What a run can be stopped by: one number a turn that rests on nothing later than that turn."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import TypeAlias

import numpy as np

from agentcal.policy import Tier
from agentcal.replays._recorded import RecordedRun

_NEVER = float("nan")

Signal: TypeAlias = Callable[[RecordedRun, frozenset[Tier], np.random.Generator], list[float]]
"""The higher, the sooner to stop; NaN: not at this turn. One entry a turn."""


def least_sure(run: RecordedRun, reach: frozenset[Tier], rng: np.random.Generator) -> list[float]:
    """How unsure the calibrator is, at the steps of ``reach``."""
    return _at_gates(run, reach, map(_doubt, run.confidence))


def least_stated(run: RecordedRun, reach: frozenset[Tier], rng: np.random.Generator) -> list[float]:
    """How unsure the model itself said it was, at the steps of ``reach``."""
    return _at_gates(run, reach, map(_doubt, run.stated))


def random_turns(run: RecordedRun, reach: frozenset[Tier], rng: np.random.Generator) -> list[float]:
    """Chance, at the steps of ``reach``."""
    # One draw after the other: how many turns follow does not change those of the turns before.
    return _at_gates(run, reach, (float(rng.random()) for _ in run.tiers))


def step_count(run: RecordedRun, reach: frozenset[Tier], rng: np.random.Generator) -> list[float]:
    """The number of the turn."""
    return _at_gates(run, reach, map(float, range(1, run.turns + 1)))


def _doubt(value: float | None) -> float:
    return _NEVER if value is None or not math.isfinite(value) else -value


def _at_gates(run: RecordedRun, reach: frozenset[Tier], values: Iterable[float]) -> list[float]:
    return [
        value if gated else _NEVER for value, gated in zip(values, run.gated(reach), strict=True)
    ]
