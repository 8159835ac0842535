"""Work that is done a while later, in one thread."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Due(Generic[T]):
    """Hands each item to ``do`` when its time has come, and calls ``idle`` now and then.

    At most ``most`` items wait. The thread starts with the first item and is a daemon.
    """

    def __init__(
        self, do: Callable[[T], None], idle: Callable[[], None], every_s: float, most: int
    ) -> None:
        self._do, self._idle, self._every_s, self._most = do, idle, every_s, most
        self._count = itertools.count()
        self.reset()

    def reset(self) -> None:
        """Forget everything: in a child process it is all the parent's."""
        self._items: list[tuple[float, int, T]] = []
        self._busy = False
        self._closed = False
        self._change = threading.Condition()
        self._thread: threading.Thread | None = None

    def put(self, item: T, after_s: float) -> bool:
        """Have this done ``after_s`` seconds from now; says whether there was room for it."""
        with self._change:
            if self._closed or len(self._items) >= self._most:
                return False
            self._wake()
            heapq.heappush(self._items, (time.monotonic() + after_s, next(self._count), item))
            self._change.notify_all()
        return True

    def wake(self) -> None:
        """See to it that the thread runs, for the sake of ``idle``."""
        if self._thread is None:
            with self._change:
                self._wake()

    def flush(self, timeout_s: float) -> bool:
        """Do now all that waits; whether it was done in time."""
        with self._change:
            self._hurry()
            return self._change.wait_for(lambda: not self._items and not self._busy, timeout_s)

    def close(self, timeout_s: float) -> bool:
        """Do now all that waits, and nothing any more; whether it was done in time."""
        with self._change:
            self._closed = True
            self._hurry()
            return self._change.wait_for(lambda: not self._items and not self._busy, timeout_s)

    def _hurry(self) -> None:
        self._items = [(0.0, number, item) for _, number, item in self._items]
        heapq.heapify(self._items)
        self._change.notify_all()

    def _wake(self) -> None:
        if self._thread is None and not self._closed:
            self._thread = threading.Thread(
                target=self._run, name="agentcal-telemetry", daemon=True
            )
            self._thread.start()

    def _run(self) -> None:
        while True:
            with self._change:
                item = self._wait()
                if item is None and self._closed:
                    return
                self._busy = item is not None
            if item is None:
                self._idle()
            else:
                self._do(item)
                del item
            with self._change:
                self._busy = False
                self._change.notify_all()

    def _wait(self) -> T | None:
        """The next item, once it is due; ``None`` when it is time to look around."""
        until = time.monotonic() + self._every_s
        while True:
            now = time.monotonic()
            if self._items and self._items[0][0] <= now:
                return heapq.heappop(self._items)[2]
            if self._closed or now >= until:
                return None
            due = self._items[0][0] if self._items else until
            self._change.wait(max(0.0, min(due, until) - now))
