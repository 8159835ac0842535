"""Bundles of spans in, trajectories to the sinks out; in the one thread of a processor."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from agentcal.formats import Context
from agentcal.recorder import MemoryPending, PendingRuns
from agentcal.sinks import Sink
from agentcal.telemetry._forest import runs_of
from agentcal.telemetry._join import Joiner
from agentcal.telemetry._open_trace import Bundle
from agentcal.telemetry._processor_stats import ProcessorStats
from agentcal.telemetry._troubles import Troubles
from agentcal.trajectory import Trajectory


class Teller:
    """Puts runs together, joins those that were interrupted, and writes them."""

    def __init__(
        self,
        sinks: Sequence[Sink],
        pending: PendingRuns | None,
        counts: ProcessorStats,
        troubles: Troubles,
    ) -> None:
        self._sinks, self._counts, self._troubles = tuple(sinks), counts, troubles
        # Runs in a store that the user brought wait on when the program ends.
        self._own = MemoryPending() if pending is None else None
        self._joiner = Joiner(pending or self._own or MemoryPending())

    def tell(self, bundle: Bundle) -> None:
        """Write the runs that this bundle brings to an end."""
        try:
            for part in runs_of(bundle.spans):
                for run, _ in self._joiner.add(part, Context(Path(), "live"), bundle.notes):
                    self._write(run)
        except Exception as error:
            self._troubles.note("assembling a run", error)

    def close(self) -> None:
        """Write what waits in memory, and close the sinks."""
        for left in self._own.drain() if self._own is not None else ():
            self._write(left.trajectory)
        for sink in self._sinks:
            try:
                sink.close()
            except Exception as error:
                self._troubles.note(f"closing {type(sink).__name__}", error)

    def _write(self, run: Trajectory) -> None:
        self._counts.runs += 1
        for sink in self._sinks:
            try:
                sink.write(run)
            except Exception as error:
                self._troubles.note(f"writing to {type(sink).__name__}", error)
