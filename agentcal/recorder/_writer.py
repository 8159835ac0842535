"""The one thread in which finished runs are written and pending runs are stored."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial
from queue import Empty, SimpleQueue

from agentcal.recorder._faults import Faults
from agentcal.recorder._stats import Counters
from agentcal.sinks import Sink
from agentcal.trajectory import Trajectory

Job = Callable[[], None]


class Writer:
    """Does jobs one after the other; never makes the agent wait.

    At most ``most`` jobs wait; a run that finds no room is dropped and counted. The thread starts
    with the first job, and calls ``idle`` whenever there was nothing to do for ``every_s`` seconds.
    """

    def __init__(
        self,
        sinks: Sequence[Sink],
        faults: Faults,
        counters: Counters,
        *,
        most: int,
        every_s: float,
        idle: Job,
    ) -> None:
        self._sinks, self._faults, self._counters = tuple(sinks), faults, counters
        self._most, self._every_s, self._idle = most, every_s, idle
        self._forget()

    def _forget(self) -> None:
        self._lock = threading.Lock()
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._closed = False

    def after_fork(self) -> None:
        """In a child process: there is no thread, and what was queued is the parent's to write."""
        self._forget()

    def write(self, run: Trajectory) -> None:
        """Give the run to the sinks: soon, or at once if this is the writer's own thread."""
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
            if self._thread is None:
                self._start()
        return True

    def start(self) -> None:
        """Start the thread, so that ``idle`` is called."""
        with self._lock:
            if self._thread is None and not self._closed:
                self._start()

    def close(self, timeout_s: float) -> None:
        """Do what is left, for at most ``timeout_s`` seconds, and close the sinks."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._queue.put(None)
            thread = self._thread
        if thread is None:
            self._thread = threading.current_thread()
            self._run()
        elif thread is not threading.current_thread():
            thread.join(timeout_s)

    def _start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="agentcal-writer", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            try:
                job = self._queue.get(timeout=self._every_s)
            except Empty:
                job = self._idle
            if job is None:
                break
            self._try("writing", job)
        for sink in self._sinks:
            self._try(f"closing {type(sink).__name__}", sink.close)

    def _write(self, run: Trajectory) -> None:
        for sink in self._sinks:
            self._try(f"writing to {type(sink).__name__}", partial(sink.write, run))

    def _try(self, doing: str, job: Job) -> None:
        try:
            job()
        except Exception as error:
            self._faults.note(doing, error)
