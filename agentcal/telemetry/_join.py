"""Interrupted runs and the traces in which they go on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from agentcal._fields import as_text
from agentcal.formats import Context
from agentcal.recorder import PendingRun, PendingRuns
from agentcal.telemetry._assemble import Assembled, assemble
from agentcal.telemetry._forest import RunSpans
from agentcal.telemetry._head import asked_again, conversation_of
from agentcal.telemetry._heard import newest_request, since_request, task_in
from agentcal.telemetry._span import SpanFacts
from agentcal.trajectory import Trajectory

_NS = 1e-9


class Joiner:
    """Takes the parts of runs in the order of their times and gives whole runs.

    A run that was interrupted waits in ``pending``, which may be a file that other processes share.
    The next trace of its conversation goes on with it, or else it is over. With each run comes the
    context that holds the notes about it.
    """

    def __init__(self, pending: PendingRuns) -> None:
        self._pending = pending
        self._contexts: dict[str, Context] = {}

    def add(
        self, run: RunSpans, context: Context, gaps: Sequence[str] = ()
    ) -> Iterator[tuple[Trajectory, Context]]:
        """One more part, with what else is known to be missing; gives the runs that are over."""
        talk = conversation_of(run)
        earlier = self._pending.take(talk) if talk else None
        if earlier is not None:
            before = self._contexts.pop(earlier.conversation, context)
            if goes_on(earlier.trajectory, run):
                context = before
            else:
                yield earlier.trajectory, before
                earlier = None
        found = assemble(run, context, earlier)
        found.run.gaps = [*found.run.gaps, *(gap for gap in gaps if gap not in found.run.gaps)]
        if not found.waits or found.run.conversation is None:
            yield found.run, context
        else:
            yield from self._put(found, found.run.conversation, run.end_ns, context)

    def left(self, run: PendingRun) -> tuple[Trajectory, Context]:
        """A run that will not go on."""
        talk = run.conversation
        return run.trajectory, self._contexts.pop(talk, Context(Path(), talk))

    def _put(
        self, found: Assembled, conversation: str, end_ns: int, context: Context
    ) -> Iterator[tuple[Trajectory, Context]]:
        when = datetime.fromtimestamp(end_ns * _NS, UTC)
        run = PendingRun(conversation, found.run, found.keys, when)
        for displaced in self._pending.put(run):
            yield self.left(displaced)
        self._contexts[conversation] = context


def goes_on(earlier: Trajectory, run: RunSpans) -> bool:
    """Whether these spans continue the interrupted run, and are not another request.

    They do if they say so, if a tool is run that the last turn proposed, or if the first model turn
    is shown the open turn, or the same request, with nothing that a user said after it.
    """
    own = [span.told.run_id for span in run.spans if span.told]
    if own:
        return earlier.run_id in own
    if any(span.resumes for span in run.spans):
        return True
    root = run.root
    if root is not None and root.kind in ("agent", "chain") and asked_again(root.messages):
        return False
    began = sorted(run.spans, key=lambda span: (span.start_ns, span.span_id))
    first = next((span for span in began if span.kind in ("model", "tool")), None)
    if first is None:
        return False
    return _runs_open(earlier, first) if first.kind == "tool" else _shown_open(earlier, first)


def seems_resumed(spans: list[SpanFacts]) -> bool:
    """Whether the first spans of a run look like the middle of one: live, before the root ends."""
    began = sorted(spans, key=lambda span: (span.start_ns, span.span_id))
    first = next((span for span in began if span.kind in ("model", "tool")), None)
    if first is None or first.told or any(span.resumes for span in spans):
        return first is not None and any(span.resumes for span in spans)
    after = since_request(first.messages or [])
    return first.kind == "tool" or any(message.get("tool_calls") for message in after)


def _runs_open(earlier: Trajectory, tool: SpanFacts) -> bool:
    calls = earlier.steps[-1].tool_calls if earlier.steps else []
    waiting = [call for call in calls if call.status == "missing"]
    if tool.call_id:
        return any(call.id == tool.call_id for call in waiting)
    return any(call.name == tool.name for call in waiting)


def _shown_open(earlier: Trajectory, model: SpanFacts) -> bool:
    asked = newest_request(model.messages or [])
    context = Context(Path(), "span")
    if asked and task_in(asked, context) == earlier.task:
        return True
    after = since_request(model.messages or [])
    shown = [call for message in after for call in message.get("tool_calls") or ()]
    ids = {call.id for step in earlier.steps[-1:] for call in step.tool_calls if call.id}
    return any(as_text(call.get("id")) in ids for call in shown)
