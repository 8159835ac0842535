"""Which runs are open, and where they go when they no longer are."""

from __future__ import annotations

import atexit
import os
import threading
import time
import weakref
from collections import OrderedDict
from typing import TYPE_CHECKING

from agentcal.recorder._desk import Desk
from agentcal.recorder._memory_pending import MemoryPending
from agentcal.recorder._pending import PendingRun, PendingRuns
from agentcal.recorder._writer import Writer
from agentcal.trajectory import Trajectory

if TYPE_CHECKING:
    from agentcal.recorder._handle import Handle
    from agentcal.recorder._stats import Counters

_LONGEST_SLEEP_S = 60.0
_ALL: weakref.WeakSet[Keeper] = weakref.WeakSet()


class Keeper:
    """Holds the open runs, longest idle first, and hands the others to the writer.

    Runs and recorders hold the keeper, nothing that lives longer does: with the last of them it
    goes, and the writer ends.
    """

    def __init__(
        self,
        writer: Writer,
        pending: PendingRuns | None,
        counters: Counters,
        *,
        most: int,
        expire_s: float,
    ) -> None:
        self._writer, self._counters = writer, counters
        self._most, self._expire_s = most, expire_s
        # Runs in a store that the user brought wait on when this recorder is closed.
        self._pending, self._own = pending, MemoryPending(most)
        self.desk = self._desk()
        self._open: OrderedDict[Handle, float] = OrderedDict()
        self._lock = threading.Lock()
        weakref.finalize(self, writer.close, 0).atexit = False
        _ALL.add(self)

    def open(self, run: Handle) -> None:
        """A run begins; the one that was idle longest makes room if need be."""
        with self._lock:
            self._open[run] = time.monotonic()
        self._writer.watch(
            weakref.WeakMethod(self.sweep), min(self._expire_s / 4, _LONGEST_SLEEP_S)
        )
        self.sweep()

    def touch(self, run: Handle) -> None:
        """Something happened in this run."""
        with self._lock:
            if run in self._open:
                self._open[run] = time.monotonic()
                self._open.move_to_end(run)

    def finish(self, run: Handle, whole: Trajectory, *, expired: bool) -> None:
        """A run is over."""
        self._forget(run)
        self._counters.add("expired" if expired else "ended")
        self._writer.write(whole)

    def park(self, run: Handle, pending: PendingRun) -> None:
        """A run waits for somebody."""
        self._forget(run)
        self._counters.add("interrupted")
        self.desk.park(pending)

    def sweep(self) -> None:
        """Close the runs that were idle for too long, and those that are too many."""
        for run, why in self._superfluous():
            run._abandon(why)

    def close(self, timeout_s: float) -> None:
        """Close what is open, write what waits, close the sinks and stop the thread."""
        end = time.monotonic() + timeout_s
        with self._lock:
            left = list(self._open)
        for run in left:
            wait_s = max(0.0, end - time.monotonic())
            run._abandon("abandoned: the recorder was closed while the run was open", wait_s)
        self._writer.do(self._write_waiting, always=True)
        self._writer.close(max(0.0, end - time.monotonic()))

    def after_fork(self) -> None:
        """In a child process: what is open or waits is the parent's, and locks may be stuck."""
        self._lock = threading.Lock()
        for run in self._open:
            run._after_fork()
        self._open.clear()
        self._counters.after_fork()
        self._writer.after_fork()
        self._own = MemoryPending(self._most)
        self.desk = self._desk()

    def _desk(self) -> Desk:
        return Desk(self._own if self._pending is None else self._pending, self._writer, self._most)

    def _superfluous(self) -> list[tuple[Handle, str]]:
        limit = time.monotonic() - self._expire_s
        found = []
        with self._lock:
            too_many = len(self._open) - self._most
            for run, touched in self._open.items():
                if touched < limit:
                    found.append((run, f"abandoned: nothing happened for {self._expire_s:g} s"))
                elif len(found) < too_many:
                    found.append((run, f"abandoned: more than {self._most} runs were open"))
                else:
                    break
        return found

    def _write_waiting(self) -> None:
        """In the writer thread, last of all."""
        self.desk.leftovers()
        for run in self._own.drain():
            self._writer.write(run.trajectory)

    def _forget(self, run: Handle) -> None:
        with self._lock:
            self._open.pop(run, None)


def _close_all() -> None:
    for keeper in list(_ALL):
        keeper.close(10.0)


def _after_fork() -> None:
    for keeper in list(_ALL):
        keeper.after_fork()


atexit.register(_close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
