"""Which run an observer is told about."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RunInfo:
    """What is known of a run when something happens in it."""

    run_id: str
    conversation: str | None
    agent: str | None
    model: str | None
    task: str
    system: str
