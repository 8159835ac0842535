"""The traces that are open in this process, within bounds. Safe from any thread."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from agentcal.telemetry._live_run import LiveRun
from agentcal.telemetry._open_trace import Bundle, OpenTrace
from agentcal.telemetry._processor_stats import ProcessorStats
from agentcal.telemetry._span import SpanFacts

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

    from agentcal.calibration import Confidence
    from agentcal.recorder import Recorder


class Ended(NamedTuple):
    """What a span that has ended is news for.

    ``live``: the run that it is a turn or a tool of, with what its ``root`` says so far. ``over``:
    the spans of a run that it is the end of, with its ``closed`` live run; ``waits``: for spans
    that are still open.
    """

    live: LiveRun | None = None
    root: SpanFacts | None = None
    over: Bundle | None = None
    closed: LiveRun | None = None
    waits: bool = False


class Traces:
    """Traces by id, the one that was idle longest first."""

    def __init__(
        self,
        recorder: Recorder | None,
        counts: ProcessorStats,
        give_up: Callable[[Bundle], None],
        *,
        most: int,
        expire_s: float,
    ) -> None:
        self._recorder, self._counts, self._give_up = recorder, counts, give_up
        self._most, self._expire_s = most, expire_s
        self.reset()

    def reset(self) -> None:
        """Forget everything: in a child process it is all the parent's."""
        self._lock = threading.Lock()
        self._traces: OrderedDict[str, OpenTrace] = OrderedDict()

    def __len__(self) -> int:
        return len(self._traces)

    def confidence(self, trace_id: str) -> Confidence | None:
        """The newest confidence in a run of this trace."""
        with self._lock:
            trace = self._traces.get(trace_id)
            live = list(trace.live.values()) if trace is not None else []
        return next((run.confidence for run in reversed(live) if run.confidence), None)

    def begin(
        self, trace_id: str, span_id: str, parent_id: str | None, scope: str, span: ReadableSpan
    ) -> None:
        """A span begins."""
        with self._lock:
            self._touch(trace_id).begin(span_id, parent_id, scope, span)

    def end(self, facts: SpanFacts, scope: str) -> Ended:
        """A span has ended."""
        with self._lock:
            self._counts.spans += 1
            trace = self._touch(facts.trace_id)
            trace.end(facts, scope)
            done = trace.done_above(facts.span_id)
            if done is not None:
                self._late(trace, done, facts)
                return Ended()
            live = trace.live_run(facts, self._recorder) if self._recorder is not None else None
            root = trace.so_far(trace.root_of(facts.span_id)) if live is not None else None
            return self._closed(trace, facts)._replace(live=live, root=root)

    def told(self, bundle: Bundle) -> None:
        """A run is about to be told: what comes later is late."""
        with self._lock:
            trace = self._traces.get(bundle.trace_id)
            if trace is not None:
                trace.told(bundle.root)
                self._tidy(trace)

    def sweep(self) -> None:
        """Give up the traces in which nothing happens."""
        limit = time.monotonic() - self._expire_s
        with self._lock:
            for trace in [t for t in self._traces.values() if t.touched < limit]:
                self._drop(trace, f"given up: nothing happened for {self._expire_s:g} s")

    def give_up_all(self, why: str) -> None:
        """Tell all that is open as far as it has come."""
        with self._lock:
            for trace in list(self._traces.values()):
                self._drop(trace, why)

    def _late(self, trace: OpenTrace, root: str, facts: SpanFacts) -> None:
        trace.ended.pop(facts.span_id, None)
        bundle = trace.done[root]
        if bundle is None:
            self._counts.late += 1
            self._tidy(trace)
        else:
            bundle.spans.append(facts)

    def _closed(self, trace: OpenTrace, facts: SpanFacts) -> Ended:
        if trace.is_over(facts):
            run = trace.take(facts.span_id)
        elif not trace.open:
            run = trace.rest()
        else:
            return Ended()
        live = trace.live.pop(trace.root_of(facts.span_id), None)
        if run.tells:
            return Ended(over=run, closed=live, waits=trace.waits_below(facts.span_id))
        trace.told(run.root)
        self._tidy(trace)
        return Ended()

    def _touch(self, trace_id: str) -> OpenTrace:
        now = time.monotonic()
        trace = self._traces.get(trace_id)
        if trace is None:
            trace = self._traces[trace_id] = OpenTrace(trace_id, now)
            if len(self._traces) > self._most:
                oldest = next(iter(self._traces.values()))
                self._drop(oldest, f"given up: more than {self._most} traces were open")
        trace.touched = now
        self._traces.move_to_end(trace_id)
        return trace

    def _drop(self, trace: OpenTrace, why: str) -> None:
        del self._traces[trace.trace_id]
        rest = trace.rest(why)
        if rest.tells or trace.open:
            self._counts.expired += 1
            self._give_up(rest)

    def _tidy(self, trace: OpenTrace) -> None:
        """A trace is forgotten when nothing is open in it and no run of it waits to be told."""
        if not trace.open and not trace.ended and not any(trace.done.values()):
            self._traces.pop(trace.trace_id, None)
