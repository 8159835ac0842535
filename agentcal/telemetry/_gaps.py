"""What a run that was put together from spans is known to lack, in words."""

from __future__ import annotations

from agentcal.telemetry._forest import RunSpans
from agentcal.telemetry._narrator import Narrator
from agentcal.telemetry._span import SpanFacts
from agentcal.trajectory import Trajectory

NO_TASK = "the task was not recorded"


def gaps_of(
    run: RunSpans, spans: list[SpanFacts], narrator: Narrator, found: Trajectory, *, twice: int = 0
) -> list[str]:
    """One sentence a finding; none where the spans tell a whole run."""
    cut = sum(span.cut_off for span in spans)
    lacks = [
        _root_gap(run),
        "" if found.task else NO_TASK,
        "" if found.steps else "no model turn was recorded",
        _counted(narrator.blank, "model turn", "of which no text was recorded"),
        _counted(narrator.lost, "model turn", "known only from what came after"),
        _counted(narrator.strange, "tool span", "that no recorded turn proposed"),
        _counted(_orphans(run), "span", "without a parent"),
        _counted(cut, "value", "cut off by a limit of the tracer"),
        _counted(twice, "model turn", "told by two tracers; one of them was read"),
    ]
    own = [gap for span in spans if span.told for gap in span.told.gaps]
    return [gap for gap in [*own, *lacks] if gap]


def _root_gap(run: RunSpans) -> str:
    return "" if run.root is not None else "the span of the run itself is missing"


def _orphans(run: RunSpans) -> int:
    """Spans whose parent should be here; under a lost root, its own children are no news."""
    return sum(
        run.tree.misses_parent(span) and (run.root is not None or span.parent_id != run.key)
        for span in run.spans
        if span is not run.root
    )


def _counted(count: int, what: str, how: str) -> str:
    return f"{count} {what}{'s' * (count != 1)} {how}" if count else ""
