"""Traces that arrive span by span, until each can be told as runs."""

from __future__ import annotations

import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agentcal.doctor._diagnosis import Arrivals
from agentcal.formats import Context
from agentcal.recorder import MemoryPending
from agentcal.telemetry.incoming import Joiner, RawLog, RawSpan, Trace, facts_of
from agentcal.trajectory import Trajectory

MOST_ITEMS = 200_000
"""Spans and log records kept at a time; with more, what was idle longest is told as it is."""

_WAITING_RUNS = 10_000
_REASONS = 20


@dataclass(slots=True)
class _Open:
    trace: Trace = field(default_factory=Trace)
    touched: float = 0.0
    ended: bool = False
    size: int = 0


class Ward:
    """Takes spans from any thread and gives runs to the one that asks.

    A trace is told when its root has come and nothing more for ``settle_s`` seconds, or nothing at
    all for ``idle_s``. Exporters send in batches, by default every five seconds: the parts of other
    processes and the log records come that much after the root.
    """

    def __init__(self, settle_s: float = 6.0, idle_s: float = 600.0) -> None:
        self._settle_s, self._idle_s = settle_s, idle_s
        self._lock = threading.Lock()
        self._open: OrderedDict[str, _Open] = OrderedDict()
        self._pending = MemoryPending(_WAITING_RUNS)
        self._joiner = Joiner(self._pending)
        self._requests = self._spans = self._logs = self._empty = self._held = 0
        self._refused: Counter[str] = Counter()

    def take(self, items: Sequence[RawSpan | RawLog]) -> None:
        """What one request brought."""
        now = time.monotonic()
        with self._lock:
            self._requests += 1
            for item in items:
                self._put(item, now)

    def refuse(self, why: str) -> None:
        """A request could not be read."""
        with self._lock:
            known = why in self._refused or len(self._refused) < _REASONS
            self._refused[why if known else "other reasons"] += 1

    def settled(self) -> Iterator[Trajectory]:
        """The runs that are over by now."""
        now = time.monotonic()
        with self._lock:
            due = [key for key, held in self._open.items() if self._is_due(held, now)]
            traces = [self._pop(key) for key in due]
            while self._held > MOST_ITEMS:
                traces.append(self._pop(next(iter(self._open))))
        yield from self._runs(traces)

    def rest(self) -> Iterator[Trajectory]:
        """All runs that are left, those that wait for somebody among them."""
        with self._lock:
            traces = [self._pop(key) for key in list(self._open)]
        yield from self._runs(traces)
        for left in self._pending.drain():
            yield self._joiner.left(left)[0]

    def arrivals(self) -> Arrivals:
        """What came so far."""
        with self._lock:
            return Arrivals(
                requests=self._requests,
                spans=self._spans,
                logs=self._logs,
                traces_without_run=self._empty,
                refused=dict(self._refused.most_common()),
            )

    def _put(self, item: RawSpan | RawLog, now: float) -> None:
        held = self._open.setdefault(item.trace_id, _Open())
        self._open.move_to_end(item.trace_id)
        held.touched = now
        held.size += 1
        self._held += 1
        if isinstance(item, RawSpan):
            self._spans += 1
            held.ended |= item.parent_id is None or item.remote
            held.trace.add(facts_of(item))
        else:
            self._logs += 1
            held.trace.events.setdefault(item.span_id, []).append(item.event)

    def _is_due(self, held: _Open, now: float) -> bool:
        return now - held.touched > (self._settle_s if held.ended else self._idle_s)

    def _pop(self, trace_id: str) -> Trace:
        held = self._open.pop(trace_id)
        self._held -= held.size
        return held.trace

    def _runs(self, traces: list[Trace]) -> Iterator[Trajectory]:
        found = [trace.runs() for trace in traces]
        self._empty += sum(not runs for runs in found)
        for run in sorted((r for runs in found for r in runs), key=lambda r: (r.start_ns, r.key)):
            for told, _ in self._joiner.add(run, Context(Path(), "live")):
                yield told
