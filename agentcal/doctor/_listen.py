"""Examining what a running application sends, until it is enough."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from agentcal.doctor._diagnosis import Diagnosis
from agentcal.doctor._examine import Examination
from agentcal.doctor._receiver import Receiver
from agentcal.doctor._ward import Ward

DEFAULT_PORT = 4318
_BEAT_S = 0.2


def listen(
    port: int = DEFAULT_PORT,
    *,
    seconds: float | None = None,
    runs: int | None = None,
    success_at: float = 1.0,
    announce: Callable[[str], None] = lambda endpoint: None,
) -> Diagnosis:
    """Receive OTLP over HTTP on loopback and say what arrived.

    Ends after ``seconds``, with the first ``runs`` runs, or when the process is asked to stop by
    SIGINT or SIGTERM, whichever is first. Traces that are going on then are told as far as they
    have come, unless there are ``runs`` whole ones. ``announce`` is told the address once it is
    open. Spans carry no outcome, so that the lack of any blocks nothing.

    Raises :class:`agentcal.ConfigError` where the port is taken. Call it from the main thread.
    """
    ward, seen = Ward(), Examination(success_at=success_at, labels=False)
    until = None if seconds is None else time.monotonic() + seconds
    with Receiver(port, ward.take, ward.refuse) as receiver, _asked_to_stop() as stop:
        announce(receiver.endpoint)
        while not stop.wait(_left(until)) and not _past(until):
            for run in ward.settled():
                seen.add(run)
            if runs is not None and seen.runs >= runs:
                return seen.diagnosis(arrivals=ward.arrivals())
    for run in ward.rest():
        seen.add(run)
    return seen.diagnosis(arrivals=ward.arrivals())


def _left(until: float | None) -> float:
    """How long to sleep (s): a beat, or what is left."""
    return _BEAT_S if until is None else min(_BEAT_S, max(0.0, until - time.monotonic()))


def _past(until: float | None) -> bool:
    return until is not None and time.monotonic() >= until


@contextmanager
def _asked_to_stop() -> Iterator[threading.Event]:
    """An event that Ctrl-C and SIGTERM set. A second Ctrl-C, after it, is as usual."""
    stop = threading.Event()

    def ask(number: int, frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
