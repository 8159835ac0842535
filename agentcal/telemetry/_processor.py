"""A span processor that puts trajectories together from whatever spans pass by."""

from __future__ import annotations

import os
import weakref
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor

from agentcal.errors import ConfigError
from agentcal.recorder import PendingRuns, Recorder
from agentcal.sinks import Sink
from agentcal.telemetry import _names as n
from agentcal.telemetry._dialects import facts_of
from agentcal.telemetry._due import Due
from agentcal.telemetry._open_trace import Bundle
from agentcal.telemetry._processor_stats import ProcessorStats
from agentcal.telemetry._sdk import raw
from agentcal.telemetry._span import SpanFacts
from agentcal.telemetry._teller import Teller
from agentcal.telemetry._traces import Traces
from agentcal.telemetry._troubles import Troubles

if TYPE_CHECKING:
    from opentelemetry.context import Context

    from agentcal.calibration import Calibrator, Confidence

_LONGEST_SLEEP_S = 60.0


class TrajectoryProcessor(SpanProcessor):
    """Puts trajectories together from the spans of anyone's tracer, and scores them turn by turn.

    Add it to a ``TracerProvider``. The GenAI conventions, OpenInference and OpenLLMetry are read;
    agentcal's own spans are not, since a recorder has their runs already. It never raises, and in
    the thread of the program it only reads spans and scores. When the root of a run has ended, the
    run is put together anew from all of its spans, in a thread of its own, and goes to ``sinks``.

    Args:
        calibrator: Scores each model turn as its span ends. Needs the content of messages.
        recorder: One of your own to score with, instead of ``calibrator``: its observers are told
            of each turn and each result. Its sinks get runs as they were told live; see ``sinks``.
        sinks: Where runs go, put together from all their spans. Called from the processor's thread.
        pending: Where interrupted runs wait for the trace that goes on with them, in memory by
            default; ``SqlitePending`` lets another process go on.
        max_open_traces: With more, the one that was idle longest is told as far as it has come.
            Also how many runs may wait for the sinks.
        expire_after_s: A trace in which nothing happens for so long (seconds) is told likewise.
        wait_for_late_s: How long to wait for spans that are open when the root ends (seconds).

    Raises:
        ConfigError: Both ``calibrator`` and ``recorder`` are given, or a number is out of range.
    """

    def __init__(
        self,
        calibrator: Calibrator | None = None,
        *,
        recorder: Recorder | None = None,
        sinks: Sequence[Sink] = (),
        pending: PendingRuns | None = None,
        max_open_traces: int = 10_000,
        expire_after_s: float = 3600.0,
        wait_for_late_s: float = 5.0,
    ) -> None:
        if calibrator is not None and recorder is not None:
            raise ConfigError("give calibrator or recorder, not both: a recorder brings its own")
        if max_open_traces < 1 or not expire_after_s > 0 or not wait_for_late_s >= 0:
            raise ConfigError(
                f"max_open_traces={max_open_traces}, expire_after_s={expire_after_s}, "
                f"wait_for_late_s={wait_for_late_s}: give at least 1, more than 0, at least 0"
            )
        self._own = None
        if calibrator is not None:
            self._own = Recorder(
                calibrator, max_open_runs=max_open_traces, expire_after_s=expire_after_s
            )
        self._wait_s = wait_for_late_s
        self._counts = ProcessorStats()
        self._troubles = Troubles(self._counts)
        self._teller = Teller(sinks, pending, self._counts, self._troubles)
        self._traces = Traces(
            recorder or self._own,
            self._counts,
            self._give_up,
            most=max_open_traces,
            expire_s=expire_after_s,
        )
        every_s = min(expire_after_s / 4, _LONGEST_SLEEP_S)
        self._due = Due(self._tell, self._traces.sweep, every_s, max_open_traces)
        _fork_safe(self)

    @property
    def stats(self) -> ProcessorStats:
        """What was counted so far."""
        return replace(self._counts)

    def confidence(self, trace_id: int | str) -> Confidence | None:
        """The newest confidence in the run that is going on in a trace, if there is one.

        ``trace_id`` as the SDK has it, or in hexadecimal.
        """
        return self._traces.confidence(
            trace_id if isinstance(trace_id, str) else f"{trace_id:032x}"
        )

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Note that a span has begun."""
        try:
            if _scope(span) != n.SCOPE:
                self._begin(span)
        except Exception as error:
            self._troubles.note("reading the start of a span", error)

    def on_end(self, span: ReadableSpan) -> None:
        """Read a span, score the turn that it tells of, and close the run whose root it is."""
        try:
            if _scope(span) != n.SCOPE:
                self._end(facts_of(raw(span)), _scope(span))
        except Exception as error:
            self._troubles.note("reading a span", error)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Tell all runs that are over; whether that was done in time."""
        return self._due.flush(timeout_millis / 1000)

    def shutdown(self) -> None:
        """Tell what there is, runs that are open or wait among it, and close the sinks."""
        try:
            self._traces.give_up_all("the program ended before the run did")
            self._due.close(_LONGEST_SLEEP_S)
            self._teller.close()
            if self._own is not None:
                self._own.close()
        except Exception as error:
            self._troubles.note("shutting down", error)

    def _begin(self, span: Span) -> None:
        context = span.get_span_context()
        parent = span.parent
        if context is None:
            return
        inside = parent is not None and not parent.is_remote
        self._due.wake()
        self._traces.begin(
            f"{context.trace_id:032x}",
            f"{context.span_id:016x}",
            f"{parent.span_id:016x}" if parent is not None and inside else None,
            _scope(span),
            span,
        )

    def _end(self, facts: SpanFacts, scope: str) -> None:
        ended = self._traces.end(facts, scope)
        if ended.live is not None:
            ended.live.take(facts, ended.root)
        if ended.over is not None:
            if ended.closed is not None:
                ended.closed.over(ended.over.spans, facts)
            self._put(ended.over, self._wait_s if ended.waits else 0)

    def _put(self, bundle: Bundle, after_s: float) -> None:
        if not self._due.put(bundle, after_s):
            self._counts.dropped += 1

    def _give_up(self, bundle: Bundle) -> None:
        if bundle.tells:
            self._put(bundle, 0)

    def _tell(self, bundle: Bundle) -> None:
        """In the thread of the processor."""
        self._traces.told(bundle)
        self._teller.tell(bundle)

    def _after_fork(self) -> None:
        self._traces.reset()
        self._due.reset()


def _scope(span: ReadableSpan) -> str:
    return span.instrumentation_scope.name if span.instrumentation_scope else ""


def _fork_safe(processor: TrajectoryProcessor) -> None:
    """In a child process all that is open is the parent's, and locks may be stuck."""
    known = weakref.ref(processor)

    def reset() -> None:
        found = known()
        if found is not None:
            found._after_fork()

    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=reset)
