"""What a recorder has counted so far."""

from __future__ import annotations

import threading
from dataclasses import dataclass


@dataclass(slots=True)
class RecorderStats:
    """Counts since the recorder was made, as they stood when they were asked for.

    ``scores``: confidences given; ``unavailable``: model turns that should have had one and did
    not. ``expired``: runs closed because nothing happened in them for too long, or too many were
    open. ``errors``: exceptions inside agentcal, its observers, sinks or pending store, which the
    agent did not notice. ``dropped``: finished runs that the sinks were too slow for.
    """

    started: int = 0
    ended: int = 0
    interrupted: int = 0
    resumed: int = 0
    expired: int = 0
    errors: int = 0
    scores: int = 0
    unavailable: int = 0
    dropped: int = 0


class Counters:
    """The same counts, while they are counted, from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts = dict.fromkeys(RecorderStats.__slots__, 0)

    def add(self, name: str, count: int = 1) -> None:
        """Count ``count`` more of ``name``, a field of :class:`RecorderStats`."""
        with self._lock:
            self._counts[name] += count

    def stats(self) -> RecorderStats:
        """The counts of this moment."""
        with self._lock:
            return RecorderStats(**self._counts)

    def after_fork(self) -> None:
        """In a child process: whoever held the lock is not there."""
        self._lock = threading.Lock()
