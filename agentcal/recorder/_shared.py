"""What all runs of a recorder have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from agentcal.recorder._faults import Faults
from agentcal.recorder._observer import Observer
from agentcal.recorder._stats import Counters

if TYPE_CHECKING:
    from agentcal.calibration import Calibrator

Event = Literal[
    "started",
    "replied",
    "decided",
    "reviewed",
    "called",
    "returned",
    "interrupted",
    "resumed",
    "ended",
]


@dataclass(frozen=True, slots=True)
class Shared:
    """The calibrator, who is told what happens, and where errors are counted."""

    calibrator: Calibrator | None
    observers: Sequence[Observer]
    counters: Counters
    faults: Faults

    def tell(self, event: Event, *what: object) -> None:
        """Tell every observer, whatever the ones before it did."""
        for observer in self.observers:
            try:
                getattr(observer, event)(*what)
            except Exception as error:
                self.faults.note(f"telling {type(observer).__name__} {event}", error)
