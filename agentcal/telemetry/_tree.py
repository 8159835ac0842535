"""The spans of one trace as the tree that they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from agentcal.telemetry._span import SpanFacts

_DEEPEST = 10_000


class Tree:
    """Spans by id, each known once, in the order in which they came to their end."""

    def __init__(self, spans: Iterable[SpanFacts]) -> None:
        self._by_id: dict[str, SpanFacts] = {}
        for span in spans:
            other = self._by_id.get(span.span_id)
            if other is None or _weight(span) > _weight(other):
                self._by_id[span.span_id] = span
        self.spans = sorted(self._by_id.values(), key=order)

    def parent(self, span: SpanFacts) -> SpanFacts | None:
        """The span above, if it is there."""
        return self._by_id.get(span.parent_id or "")

    def above(self, span: SpanFacts) -> Iterator[SpanFacts]:
        """The spans above, the nearest first. Ends even where damaged ids make a circle."""
        here = self.parent(span)
        for _ in range(_DEEPEST):
            if here is None or here is span:
                return
            yield here
            here = self.parent(here)

    def misses_parent(self, span: SpanFacts) -> bool:
        """Whether there should be a span above, in this process, that is not there."""
        return span.parent_id is not None and not span.remote and self.parent(span) is None

    def agent_of(self, span: SpanFacts) -> str | None:
        """The agent at work: named on the span, or that of the nearest graph or agent above it."""
        if span.agent:
            return span.agent
        for above in self.above(span):
            named = above.agent or (above.name if _is_graph_of(above, span) else "")
            if named and (above.kind == "agent" or above.place != span.place):
                return named
        return None


def order(span: SpanFacts) -> tuple[int, int, str]:
    """What ended first comes first; of what ended at once, what began last, for it was inside."""
    return span.end_ns, -span.start_ns, span.span_id


def _weight(span: SpanFacts) -> tuple[int, int, str]:
    """Of two spans with one id the one counts that ended last, or else says more."""
    said = len(span.messages or ()) + (span.reply is not None) + (span.result is not None)
    return span.end_ns, said, repr(span)


def _is_graph_of(above: SpanFacts, span: SpanFacts) -> bool:
    """Whether a chain is a graph that the span runs in: its parts stand deeper in the program."""
    if above.kind != "chain" or not span.place:
        return False
    return not above.place or span.place.startswith(f"{above.place}|")
