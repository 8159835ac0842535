"""What is going on in one trace of this process: spans that are open, and what those told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agentcal.telemetry import _names as n
from agentcal.telemetry import _names_in as i
from agentcal.telemetry._dialects import bare, facts_of
from agentcal.telemetry._live_run import LiveRun
from agentcal.telemetry._sdk import raw
from agentcal.telemetry._span import SpanFacts

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

    from agentcal.recorder import Recorder

MOST_SPANS = 100_000
"""A trace with more spans than that at a time is told in part."""

_PARTS = ("agent", "chain")
_TELLING = ("model", "tool")


@dataclass(slots=True, eq=False)
class Bundle:
    """Spans that tell of one run, or of several in one trace; ``notes`` become their gaps."""

    trace_id: str
    root: str
    spans: list[SpanFacts]
    notes: list[str] = field(default_factory=list)

    @property
    def tells(self) -> bool:
        """Whether an agent was at work in it."""
        return any(span.kind in _TELLING for span in self.spans)


@dataclass(slots=True, eq=False)
class OpenTrace:
    """The spans of one trace that began here. ``touched``: when something last happened (s).

    A run is over when its root ends: the topmost span that a tracer of agents made. What is above,
    such as the span of a server or of a notebook, may stay open for as long as it likes. ``done``
    has the roots of runs that are over; their bundle while it waits for late spans.
    """

    trace_id: str
    touched: float
    open: dict[str, ReadableSpan] = field(default_factory=dict)
    ended: dict[str, SpanFacts] = field(default_factory=dict)
    done: dict[str, Bundle | None] = field(default_factory=dict)
    live: dict[str, LiveRun] = field(default_factory=dict)
    lost: int = 0
    _above: dict[str, tuple[str | None, str]] = field(default_factory=dict)

    def begin(self, span_id: str, parent_id: str | None, scope: str, span: ReadableSpan) -> None:
        """A span begins."""
        if len(self._above) < MOST_SPANS:
            self.open[span_id] = span
            self._above[span_id] = parent_id, scope
        else:
            self.lost += 1

    def end(self, facts: SpanFacts, scope: str) -> None:
        """A span has ended."""
        self.open.pop(facts.span_id, None)
        if facts.span_id in self._above or len(self._above) < MOST_SPANS:
            self._above.setdefault(facts.span_id, (facts.parent_id, scope))
            self.ended[facts.span_id] = facts

    def scope(self, span_id: str) -> str:
        """Who made a span."""
        return self._above.get(span_id, (None, ""))[1]

    def line(self, span_id: str) -> Iterator[str]:
        """This span and those above it, as far as they began here."""
        here: str | None = span_id
        for _ in range(MOST_SPANS):
            if here is None or here not in self._above:
                return
            yield here
            here = self._above[here][0]

    def live_run(self, facts: SpanFacts, recorder: Recorder) -> LiveRun | None:
        """The live run that a turn, a tool or an answer belongs to; ``None`` for anything else.

        A provider's client inside a framework makes spans too; the framework tells the turn.
        """
        if facts.kind not in _TELLING and not facts.answers:
            return None
        root = self.root_of(facts.span_id)
        scope = self.scope(root)
        if scope != self.scope(facts.span_id) and scope.startswith(n.FOREIGN_SCOPES):
            return None
        return self.live.setdefault(root, LiveRun(recorder, root))

    def root_of(self, span_id: str) -> str:
        """The root of the run that a span is part of; without one, the topmost span there is."""
        line = list(self.line(span_id))
        scope = self.scope(span_id)
        parts = [at for at in line[1:] if self._traces_agents(at, scope)]
        return (parts or line or [span_id])[-1]

    def is_over(self, facts: SpanFacts) -> bool:
        """Whether the span that has just ended is the root of a run."""
        scope = self.scope(facts.span_id)
        above = list(self.line(facts.span_id))[1:]
        return facts.kind in _PARTS and not any(self._traces_agents(at, scope) for at in above)

    def done_above(self, span_id: str) -> str | None:
        """The root of the run that a span is part of, if that is over."""
        return next((at for at in self.line(span_id) if at in self.done), None)

    def waits_below(self, root: str) -> bool:
        """Whether spans are open under this one."""
        return any(root in self.line(at) for at in self.open)

    def take(self, root: str) -> Bundle:
        """All that has ended under a root, which is done; what is above is told as bare."""
        within = [at for at in self.ended if root in self.line(at)]
        above = [self._bare(at) for at in self.line(root) if at != root]
        spans = [self.ended.pop(at) for at in within]
        for at in within:
            if at != root and not self.waits_below(at):
                del self._above[at]
        bundle = Bundle(self.trace_id, root, [*spans, *above], self._notes())
        self.done[root] = bundle
        return bundle

    def told(self, root: str) -> None:
        """The run of this root is told: what still ends in it is late, until nothing can."""
        if root in self.done:
            self.done[root] = None
        for at in [at for at, bundle in self.done.items() if bundle is None]:
            if not self.waits_below(at):
                del self.done[at]
                self._above.pop(at, None)

    def rest(self, *notes: str) -> Bundle:
        """All that has ended and is not told yet."""
        above = [self._bare(at) for at in self.open]
        bundle = Bundle(self.trace_id, "", [*self.ended.values(), *above], [*self._notes(), *notes])
        self.ended = {}
        return bundle

    def _notes(self) -> list[str]:
        lost = f"{self.lost} spans beyond {MOST_SPANS:,} in one trace were not read"
        return [lost] if self.lost else []

    def _traces_agents(self, span_id: str, scope: str) -> bool:
        """Whether a span is part of a run: by who made it, or by what it says of itself so far."""
        own = self.scope(span_id)
        if own == scope or own.startswith(n.FOREIGN_SCOPES):
            return True
        ended, open_ = self.ended.get(span_id), self.open.get(span_id)
        if ended is not None or open_ is None:
            return ended is not None and ended.kind in _PARTS
        said = open_.attributes or {}
        return said.get(n.OPERATION_NAME) in i.AGENT_OPERATIONS or i.OI_KIND in said

    def so_far(self, span_id: str) -> SpanFacts | None:
        """What an open span has said of itself until now."""
        span = self.open.get(span_id)
        if span is None:
            return None
        facts = facts_of(raw(span))
        named = self.scope(span_id).startswith(n.FOREIGN_SCOPES) and span.name != i.LC_UNNAMED
        if facts.kind == "other" and named:
            facts.name = span.name  # OpenInference tells at the end, but for the name of the graph
        return facts

    def _bare(self, span_id: str) -> SpanFacts:
        span = self.open.get(span_id)
        return self.ended[span_id] if span is None else bare(raw(span))
