"""Where interrupted runs wait until somebody answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from agentcal.trajectory import Trajectory


@dataclass(frozen=True, slots=True)
class PendingRun:
    """An interrupted run: what happened so far, and what it takes to go on.

    ``keys`` holds for each step the place in the program that made it, None where unknown.
    """

    conversation: str
    trajectory: Trajectory
    keys: tuple[str | None, ...]
    interrupted_at: datetime


class PendingRuns(Protocol):
    """Keeps at most one run for each conversation. Called from any thread.

    ``put`` comes from the writer thread and may take its time; ``take`` comes from the agent's.
    """

    def put(self, run: PendingRun) -> Sequence[PendingRun]:
        """Keep ``run`` and hand back the runs that are no longer kept: of its conversation, say."""

    def take(self, conversation: str) -> PendingRun | None:
        """Hand out the run of this conversation and forget it: only one asker gets it."""
