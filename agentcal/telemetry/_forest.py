"""From the spans of one trace to the requests in it: which span belongs to which run."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from agentcal.telemetry._span import SpanFacts
from agentcal.telemetry._tree import Tree, order

_PARTS = ("agent", "chain")


@dataclass(slots=True, eq=False)
class RunSpans:
    """The spans of one request. ``key`` is the id of its root span, even where that is missing.

    ``strays``: spans whose parent is missing, and that are here because it fits in time.
    """

    key: str
    tree: Tree
    root: SpanFacts | None = None
    spans: list[SpanFacts] = field(default_factory=list)
    strays: int = 0

    @property
    def start_ns(self) -> int:
        """When its first span began."""
        return min(span.start_ns for span in self.spans)

    @property
    def end_ns(self) -> int:
        """When its last span ended."""
        return max(span.end_ns for span in self.spans)

    @property
    def at_work(self) -> bool:
        """Whether an agent was at work at all: a model asked or a tool run."""
        return any(span.kind in ("model", "tool") for span in self.spans)

    @property
    def asks(self) -> bool:
        """Whether a model was asked."""
        return any(span.kind == "model" for span in self.spans)

    def shares_with(self, other: RunSpans) -> int:
        """For how long (ns) both were going on; negative: how far they are apart."""
        return min(self.end_ns, other.end_ns) - max(self.start_ns, other.start_ns)

    def within(self, other: RunSpans) -> bool:
        """Whether all of it happened while the other was going on."""
        return other.start_ns <= self.start_ns and self.end_ns <= other.end_ns

    def take_in(self, other: RunSpans) -> None:
        """The other's spans are of this run."""
        self.spans = sorted([*self.spans, *other.spans], key=order)
        self.strays += len(other.spans)


def runs_of(spans: Iterable[SpanFacts]) -> list[RunSpans]:
    """The requests of one trace, the earliest first.

    A request is the topmost agent or chain with all that is under it; where models and tools are
    called without either, it is the topmost span that is known. Spans that miss their parent
    belong to the run that was going on at the time, or else together.
    """
    tree = Tree(spans)
    runs: dict[str, RunSpans] = {}
    for span in tree.spans:
        root, key = _root(span, tree)
        runs.setdefault(key, RunSpans(key, tree, root)).spans.append(span)
    settled = _settled([run for run in runs.values() if run.root is not None or run.at_work])
    return sorted((run for run in settled if run.at_work), key=lambda run: (run.start_ns, run.key))


def _root(span: SpanFacts, tree: Tree) -> tuple[SpanFacts | None, str]:
    """The root of the run that a span is part of, if it is there, and its id."""
    line = [span, *tree.above(span)]
    own = [one for one in line if one.kind != "other"]
    top = own[-1] if own and own[-1].kind in _PARTS else line[-1]
    if top.kind != "agent" and tree.misses_parent(top):
        return None, top.parent_id or ""
    return top, top.span_id


def _settled(runs: list[RunSpans]) -> list[RunSpans]:
    """Parts that hang in the air are put where they fit.

    One with a model turn is part of the run that was going on at the time; those that fit nowhere
    are one run. Then the others go to the run that is nearest in time.
    """
    whole = [run for run in runs if run.root is not None and not _inside_another(run, runs)]
    loose = [run for run in runs if all(run is not other for other in whole)]
    loose.sort(key=lambda run: (run.start_ns, run.key))
    left = [run for run in loose if run.asks and not _taken_in(run, whole, least_ns=0)]
    for run in left[1:]:
        left[0].take_in(run)
    settled = [*whole, *left[:1]]
    return settled + [run for run in loose if not run.asks and not _taken_in(run, settled)]


def _taken_in(run: RunSpans, others: list[RunSpans], least_ns: float = -math.inf) -> bool:
    """Put a part into the run that it shares most time with, if that is enough."""
    near = max(others, key=lambda other: (run.shares_with(other), other.key), default=None)
    if near is None or run.shares_with(near) < least_ns:
        return False
    near.take_in(run)
    return True


def _inside_another(run: RunSpans, runs: list[RunSpans]) -> bool:
    """Whether an agent that misses its parent worked for another one, as far as times tell."""
    root = run.root
    if root is None or not run.tree.misses_parent(root):
        return False
    return any(
        run.within(other)
        for other in runs
        if other is not run and (other.root is None or other.root.parent_id != root.parent_id)
    )
