"""Which runs are open, and where they go when they are not."""

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
from agentcal.recorder._stats import Counters
from agentcal.recorder._writer import Writer
from agentcal.trajectory import Trajectory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentcal.recorder._faults import Faults
    from agentcal.recorder._run import Run
    from agentcal.sinks import Sink

_ALL: weakref.WeakSet[Keeper] = weakref.WeakSet()


class Keeper:
    """Holds the open runs, longest idle first, and hands the others to the writer."""

    def __init__(
        self,
        sinks: Sequence[Sink],
        pending: PendingRuns | None,
        counters: Counters,
        faults: Faults,
        *,
        most: int,
        expire_s: float,
    ) -> None:
        self._counters, self._faults, self._most, self._expire_s = counters, faults, most, expire_s
        self._own = MemoryPending(most) if pending is None else None
        me = weakref.ref(self)
        self._writer = Writer(
            sinks,
            faults,
            counters,
            most=most,
            every_s=min(expire_s / 4, 60.0),
            idle=lambda: _sweep(me),
        )
        self.desk = Desk(pending or self._own or MemoryPending(), self._writer, most)
        self._open: OrderedDict[Run, float] = OrderedDict()
        self._lock = threading.Lock()
        self._has_sinks = bool(sinks)
        weakref.finalize(self, self._writer.close, 0).atexit = False
        atexit.register(_close_at_exit, me)
        _ALL.add(self)

    def open(self, run: Run) -> None:
        """A run begins; the one that was idle longest makes room if need be."""
        with self._lock:
            self._open[run] = time.monotonic()
        if self._has_sinks:
            self._writer.start()
        self.sweep()

    def touch(self, run: Run) -> None:
        """Something happened in this run."""
        with self._lock:
            if run in self._open:
                self._open[run] = time.monotonic()
                self._open.move_to_end(run)

    def finish(self, run: Run, whole: Trajectory, *, expired: bool) -> None:
        """A run is over."""
        self._forget(run)
        self._counters.add("expired" if expired else "ended")
        self._writer.write(whole)

    def park(self, run: Run, pending: PendingRun) -> None:
        """A run waits for somebody."""
        self._forget(run)
        self._counters.add("interrupted")
        self.desk.park(pending)

    def sweep(self) -> None:
        """Close the runs that were idle for too long, and those that are too many."""
        limit = time.monotonic() - self._expire_s
        with self._lock:
            over = len(self._open) - self._most
            idle: list[tuple[Run, bool]] = []
            for run, touched in self._open.items():
                if touched >= limit and len(idle) >= over:
                    break
                idle.append((run, touched < limit))
        for run, old in idle:
            run._abandon(
                f"abandoned: nothing happened for {self._expire_s:g} s"
                if old
                else f"abandoned: more than {self._most} runs were open"
            )

    def close(self, timeout_s: float) -> None:
        """Write what is there, close the sinks, stop the thread."""
        with self._lock:
            left = list(self._open)
        for run in left:
            run._abandon("the recorder was closed while the run was going on", wait_s=1)
        self._writer.do(self._last, always=True)
        self._writer.close(timeout_s)

    def after_fork(self) -> None:
        """In a child process: the open runs are the parent's."""
        self._lock = threading.Lock()
        for run in self._open:
            run._after_fork()
        self._open.clear()
        self._writer.after_fork()
        self.desk.after_fork()

    def _last(self) -> None:
        self.desk.leftovers()
        for run in self._own.drain() if self._own is not None else ():
            self._writer.write(run.trajectory)

    def _forget(self, run: Run) -> None:
        with self._lock:
            self._open.pop(run, None)


def _sweep(keeper: weakref.ref[Keeper]) -> None:
    alive = keeper()
    if alive is not None:
        alive.sweep()


def _close_at_exit(keeper: weakref.ref[Keeper]) -> None:
    alive = keeper()
    if alive is not None:
        alive.close(10.0)


def _after_fork() -> None:
    for keeper in list(_ALL):
        keeper.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
