"""The runs that middleware has open, shared by all that use the same recorder."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from langchain_core.messages import ToolCall

from agentcal.recorder import Recorder
from agentcal_langgraph.building import Watch

_SWEEP = 1024
GRACE_S = 300.0
"""How long after an error somebody may still try again, a retrying middleware for instance."""


@dataclass
class OpenRun:
    """A run: who follows it, the thread that it has for itself, and how it stands.

    ``busy`` counts tools at work. ``error`` is what was raised last, at ``failed_at``, unless
    somebody has tried again since. ``fresh``: calls, by id, that this process saw proposed and has
    not seen run. ``waits``: a tool asked somebody, and has no answer.
    """

    run_id: str
    watch: Watch
    thread: str | None
    busy: int = 0
    error: BaseException | None = None
    failed_at: float = 0.0
    fresh: dict[str, ToolCall] = field(default_factory=dict)
    waits: bool = False


class OpenRuns:
    """Runs that have begun and not ended, as far as middleware can know. Safe from any thread.

    No hook tells that a run has failed or waits: an error counts once nobody has tried again for
    ``GRACE_S`` seconds, or the thread has got a new request, and a run that waits stays here until
    it goes on or the recorder gives it up.
    """

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self.restoring = threading.Lock()
        self._lock = threading.RLock()
        self._runs: dict[str, OpenRun] = {}
        self._failed: dict[str, OpenRun] = {}
        self._threads: dict[str, str] = {}
        self._tools: dict[str, tuple[OpenRun, list[int]]] = {}
        self._sweep_at = _SWEEP

    def get(self, run_id: str) -> OpenRun | None:
        """The open run of this id, unless the recorder has given it up."""
        run = self._runs.get(run_id)
        if run is not None and run.watch.abandoned:
            self.drop(run)
            return None
        return run

    def add(self, run: OpenRun) -> None:
        """A run begins or goes on; on a thread, it takes the place of the one before."""
        self._sweep()
        with self._lock:
            before = self._runs.get(self._threads.get(run.thread or "", ""))
            self._runs[run.run_id] = run
            if run.thread is not None:
                self._threads[run.thread] = run.run_id
        if before is not None and before.run_id != run.run_id:
            self.give_up(before)

    def drop(self, run: OpenRun) -> None:
        """The run is over, or was handed to the store of those that wait."""
        with self._lock:
            if self._runs.get(run.run_id) is run:
                del self._runs[run.run_id]
                self._failed.pop(run.run_id, None)
            if run.thread is not None and self._threads.get(run.thread) == run.run_id:
                del self._threads[run.thread]

    def failed(self, run: OpenRun, error: BaseException) -> None:
        """Unless somebody tries again, that is how the run has ended."""
        with self._lock:
            run.error, run.failed_at = error, time.monotonic()
            self._failed[run.run_id] = run

    def goes_on(self, run: OpenRun) -> None:
        """Something happens in this run; after an error, somebody has tried again."""
        if run.error is not None:
            with self._lock:
                run.error = None
                self._failed.pop(run.run_id, None)

    def give_up(self, run: OpenRun) -> None:
        """Nobody will go on with this run: with its error it has failed, else it was waiting."""
        self.drop(run)
        if run.error is not None:
            run.watch.failed(run.error)
        else:
            run.watch.open().ended("interrupted")

    def settle(self) -> None:
        """End the runs that have failed, without waiting for somebody to try again."""
        for run in list(self._failed.values()):
            self.give_up(run)

    @contextmanager
    def tool(self, ns: str, run: OpenRun) -> Iterator[None]:
        """While a tool runs, agents that it calls belong to the same run."""
        with self._lock:
            self._tools[ns] = run, [0]
            run.busy += 1
        try:
            yield
        finally:
            with self._lock:
                self._tools.pop(ns, None)
                run.busy -= 1

    def around(self, ns: str) -> tuple[OpenRun, str] | None:
        """Run and place for an agent that begins at ``ns``, inside a tool of another agent."""
        outer = ns.rpartition("|")[0]
        with self._lock:
            while outer:
                if outer in self._tools:
                    run, agents = self._tools[outer]
                    agents[0] += 1
                    return run, f"{outer}.{agents[0]}"
                outer = outer.rpartition("|")[0]
        return None

    def _sweep(self) -> None:
        limit = time.monotonic() - GRACE_S
        for run in list(self._failed.values()):
            if run.failed_at < limit:
                self.give_up(run)
        if len(self._runs) >= self._sweep_at:
            for run in list(self._runs.values()):
                if run.watch.abandoned:
                    self.drop(run)
            self._sweep_at = max(_SWEEP, 2 * len(self._runs))


_ALL: weakref.WeakValueDictionary[int, OpenRuns] = weakref.WeakValueDictionary()
_LOCK = threading.Lock()


def open_runs(recorder: Recorder) -> OpenRuns:
    """Those of this recorder; they live as long as a middleware that uses them."""
    with _LOCK:
        found = _ALL.get(id(recorder))
        if found is None:
            found = _ALL[id(recorder)] = OpenRuns(recorder)
        return found
