"""The one thread in which finished runs are written and interrupted ones are stored."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue

from agentcal.recorder._faults import Faults
from agentcal.recorder._stats import Counters
from agentcal.sinks import Sink
from agentcal.trajectory import Trajectory

_LOG = logging.getLogger("agentcal")

Job = Callable[[], None]


class Writer:
    """Does jobs one after the other, and never makes the agent wait.

    At most ``most`` jobs wait; a run that finds no room is dropped and counted. The thread starts
    when it is first needed.
    """

    def __init__(
        self, sinks: Sequence[Sink], faults: Faults, counters: Counters, most: int
    ) -> None:
        self._sinks, self._faults, self._counters = tuple(sinks), faults, counters
        self._most = most
        self._idle: Callable[[], Job | None] = lambda: None
        self._every_s: float | None = None
        self._lock = threading.Lock()
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._closed = False

    def watch(self, idle: Callable[[], Job | None], every_s: float) -> None:
        """Where there are sinks: do ``idle()`` after every ``every_s`` seconds without a job."""
        if self._sinks and self._thread is None:
            self._idle, self._every_s = idle, every_s
            with self._lock:
                self._start()

    def write(self, run: Trajectory) -> None:
        """Give the run to the sinks: soon, or at once where this is the writer's own thread."""
        if not self._sinks:
            return
        if self._thread is threading.current_thread():
            self._write(run)
        elif not self.do(partial(self._write, run)):
            self._counters.add("dropped")

    def do(self, job: Job, *, always: bool = False) -> bool:
        """Do ``job``, soon; says whether there was room for it. ``always``: there is."""
        with self._lock:
            if self._closed or (not always and self._queue.qsize() >= self._most):
                return False
            self._queue.put(job)
            self._start()
        return True

    def close(self, timeout_s: float) -> None:
        """Do what is left, for at most ``timeout_s`` seconds, and close the sinks."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._queue.put(None)
            thread, me = self._thread, threading.current_thread()
            self._thread = thread or me
        if thread is None:
            self._run()
        elif thread is not me:
            thread.join(timeout_s)
            if thread.is_alive() and timeout_s:
                left = self._queue.qsize()
                _LOG.warning("after %g s, %d jobs of the recorder are not done", timeout_s, left)

    def after_fork(self) -> None:
        """In a child process: there is no thread, and what was queued is the parent's to write."""
        self._lock, self._queue, self._thread = threading.Lock(), SimpleQueue(), None

    def _start(self) -> None:
        if self._thread is None and not self._closed:
            thread = threading.Thread(target=self._run, name="agentcal-writer", daemon=True)
            with suppress(RuntimeError):  # the interpreter is about to end: close() does the rest
                thread.start()
                self._thread = thread

    def _run(self) -> None:
        while (job := self._next()) is not None:
            self._try("writing", job)
            del job  # the last run would otherwise stay until the next one
        for sink in self._sinks:
            self._try(f"closing {type(sink).__name__}", sink.close)

    def _next(self) -> Job | None:
        while True:
            try:
                return self._queue.get(timeout=self._every_s)
            except Empty:
                if idle := self._idle():
                    self._try("looking for abandoned runs", idle)
                    del idle  # it would keep the recorder alive until the next job

    def _write(self, run: Trajectory) -> None:
        for sink in self._sinks:
            self._try(f"writing to {type(sink).__name__}", partial(sink.write, run))

    def _try(self, doing: str, job: Job) -> None:
        try:
            job()
        except Exception as error:
            self._faults.note(doing, error)
