"""Interrupted runs that wait in this process."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from agentcal.errors import ConfigError
from agentcal.recorder._pending import PendingRun


class MemoryPending:
    """Keeps the ``most`` runs that were interrupted last. They are lost with the process.

    Raises :class:`ConfigError` if ``most`` is below 1.
    """

    def __init__(self, most: int = 10_000) -> None:
        if most < 1:
            raise ConfigError(f"most={most}: keep at least 1 run")
        self._most = most
        self._lock = threading.Lock()
        self._runs: dict[str, PendingRun] = {}

    def put(self, run: PendingRun) -> Sequence[PendingRun]:
        """Keep ``run``; gives back the earlier one of its conversation, or else the oldest."""
        with self._lock:
            old = self._runs.pop(run.conversation, None)
            self._runs[run.conversation] = run
            if old is None and len(self._runs) > self._most:
                old = self._runs.pop(next(iter(self._runs)))
            return [] if old is None else [old]

    def take(self, conversation: str) -> PendingRun | None:
        """Hand out the run of this conversation and forget it."""
        with self._lock:
            return self._runs.pop(conversation, None)

    def drain(self) -> Sequence[PendingRun]:
        """Hand out all runs and forget them."""
        with self._lock:
            runs, self._runs = self._runs, {}
        return list(runs.values())
