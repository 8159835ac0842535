"""Spans of many traces, in any order, gathered until all are there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from agentcal.formats import Context
from agentcal.recorder import MemoryPending
from agentcal.telemetry._dialects import content_of, decided_turns, facts_of, gate_events
from agentcal.telemetry._forest import RunSpans, runs_of
from agentcal.telemetry._join import Joiner
from agentcal.telemetry._raw import RawEvent, RawLog, RawSpan
from agentcal.telemetry._span import Chat, SpanFacts
from agentcal.trajectory import Trajectory

_NOBODY_ELSE = 1 << 62


@dataclass(slots=True)
class Trace:
    """The spans of one trace so far, and the events that name them.

    Every model turn repeats the history before it; messages that are equal are held once.
    """

    spans: list[SpanFacts] = field(default_factory=list)
    events: dict[str, list[RawEvent]] = field(default_factory=dict)
    _histories: dict[str | None, list[Chat]] = field(default_factory=dict)

    def add(self, span: SpanFacts) -> None:
        """One more span."""
        if span.messages:
            before = self._histories.get(span.agent, [])
            shared = zip(before, span.messages, strict=False)
            again = [known if known == new else new for known, new in shared]
            span.messages = [*again, *span.messages[len(again) :]]
            if span.kind == "model" and len(span.messages) >= len(before):
                self._histories[span.agent] = span.messages
        self.spans.append(span)

    def runs(self) -> list[RunSpans]:
        """The requests in it, with what log records say of their spans."""
        turns = [span for span in self.spans if span.kind == "model"]
        for span in self.spans:
            events = self.events.get(span.span_id, ())
            span.gate += gate_events(events)
            span.decided |= decided_turns(events)
        for span_id, events in self.events.items():
            # OpenLLMetry writes them while the span around the model's is the current one.
            near = [s for s in turns if s.span_id == span_id] or [
                s for s in turns if s.parent_id == span_id
            ]
            if len({span.span_id for span in near}) == 1:
                for span in near:
                    _add_content(span, events)
        return runs_of(self.spans)


def _add_content(span: SpanFacts, events: list[RawEvent]) -> None:
    found = content_of(events)
    span.messages = found.messages if span.messages is None else span.messages
    span.reply = span.reply or found.reply
    span.system = span.system or found.system
    span.tools = span.tools or found.tools


class Collector:
    """Gathers spans and gives the runs when it is asked to."""

    def __init__(self) -> None:
        self._traces: dict[str, Trace] = {}

    def add(self, item: RawSpan | RawLog) -> None:
        """One more span or log record, of whatever trace."""
        trace = self._traces.setdefault(item.trace_id, Trace())
        if isinstance(item, RawSpan):
            trace.add(facts_of(item))
        else:
            trace.events.setdefault(item.span_id, []).append(item.event)

    def runs(self, place: Callable[[str], Context]) -> Iterator[tuple[Trajectory | None, Context]]:
        """All runs; ``place`` says where a trace came from. ``None``: a trace without any run."""
        found: list[RunSpans] = []
        for trace_id, trace in self._traces.items():
            runs = trace.runs()
            found += runs
            if trace.spans and not runs:
                yield None, place(trace_id)
        found.sort(key=lambda run: (run.start_ns, run.key))
        waiting = MemoryPending(_NOBODY_ELSE)
        joiner = Joiner(waiting)
        for run in found:
            here = replace(place(run.spans[0].trace_id), notes=[])
            yield from joiner.add(run, here)
        for left in waiting.drain():
            yield joiner.left(left)
