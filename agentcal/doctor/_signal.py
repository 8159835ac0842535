"""What a signal is: something that a run may carry, and from which features are made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from agentcal.doctor._diagnosis import Severity
from agentcal.trajectory import Trajectory

Count: TypeAlias = Callable[[Trajectory], tuple[int, int]]
"""How many things of a run carry the signal, of how many that could."""

Strip: TypeAlias = Callable[[Trajectory], None]
"""Takes the signal out of a run, in place."""


@dataclass(frozen=True, slots=True)
class Signal:
    """``per``: what is counted, in the plural. ``strip``: without it, no feature needs the signal.

    ``severity`` is that of its absence, ``None`` where no feature reads it. A share below
    ``enough`` is thin; 0: some is enough, as not every agent has it.
    """

    name: str
    title: str
    per: str
    severity: Severity | None
    enough: float
    count: Count
    strip: Strip | None = None
