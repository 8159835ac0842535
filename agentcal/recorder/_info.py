"""Which run an observer is told about."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RunInfo:
    """What is known of a run when something happens in it.

    ``calibrated``: the recorder has a calibrator, so a turn without a confidence is one that could
    not be scored. ``scoring_s``: how long the newest turn took to score, or to fail at it, in
    seconds of wall time; ``None`` without a calibrator and before the first turn.
    """

    run_id: str
    conversation: str | None
    agent: str | None
    model: str | None
    task: str
    system: str
    calibrated: bool = False
    scoring_s: float | None = None
