"""The confidence in a run that is still going on."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from agentcal.features import DecisionPoint
from agentcal.recorder._live import LiveFold
from agentcal.recorder._record import Record
from agentcal.recorder._shared import Shared

if TYPE_CHECKING:
    from agentcal.calibration import Calibrator, Confidence


class Scorer:
    """Folds a record as far as somebody wants to know, and keeps the newest confidence.

    Without a calibrator nothing is folded until :meth:`point` is asked for.
    """

    def __init__(self, record: Record, shared: Shared) -> None:
        self._record, self._shared = record, shared
        self._live: LiveFold | None = None
        self._sound = True
        self.confidence: Confidence | None = None
        self.took_s: float | None = None

    def score(self) -> None:
        """Score the newest turn. Raises what the fold or the calibrator raises."""
        if self._shared.calibrator is None:
            return
        self.confidence = None
        began = time.perf_counter()
        try:
            self._predict(self._shared.calibrator)
        finally:
            self.took_s = time.perf_counter() - began
            scored = self.confidence is not None
            self._shared.counters.add("scores" if scored else "unavailable")

    def point(self) -> DecisionPoint | None:
        """The newest decision point; None before the first turn and after an error."""
        if not self._sound:
            return None
        self._live = self._live or LiveFold(self._record)
        return self._live.point()

    def refold(self) -> None:
        """The past has changed: fold it again when somebody asks."""
        self._live = None

    def give_up(self) -> None:
        """No score from here on."""
        self._sound, self.confidence, self._live = False, None, None

    def _predict(self, calibrator: Calibrator) -> None:
        point, head = self.point(), self._record.head
        if point is not None:
            self.confidence = calibrator.predict(
                point, agent=head.agent, model=head.model, family=head.family
            )
