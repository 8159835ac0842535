"""Errors of ours, or of a sink, that the program which is traced must not notice."""

from __future__ import annotations

import logging

from agentcal.telemetry._processor_stats import ProcessorStats

_LOG = logging.getLogger("agentcal")


class Troubles:
    """Counts every error, and logs the first of each kind: its type, never what it says."""

    def __init__(self, counts: ProcessorStats) -> None:
        self._counts = counts
        self._seen: set[tuple[str, str]] = set()

    def note(self, doing: str, error: Exception) -> None:
        """Take note of an error; at level DEBUG, all of it."""
        self._counts.errors += 1
        kind = (doing, type(error).__name__)
        if kind not in self._seen:
            self._seen.add(kind)
            _LOG.error(
                "%s while %s; the program goes on, and further errors of this kind are only "
                "counted (TrajectoryProcessor.stats.errors)",
                kind[1],
                doing,
                exc_info=error if _LOG.isEnabledFor(logging.DEBUG) else None,
            )
