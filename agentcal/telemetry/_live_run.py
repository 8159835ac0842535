"""A run that is told to a recorder while its spans end, for the score of every turn."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentcal.formats import Context
from agentcal.formats.parts import declarations
from agentcal.recorder import Recorder, Run
from agentcal.telemetry._assemble import end_reason
from agentcal.telemetry._forest import RunSpans
from agentcal.telemetry._head import head_of
from agentcal.telemetry._join import seems_resumed
from agentcal.telemetry._narrator import Narrator
from agentcal.telemetry._span import SpanFacts
from agentcal.telemetry._tree import Tree

if TYPE_CHECKING:
    from agentcal.calibration import Confidence


class LiveRun:
    """Begins with the first model turn; what tools did before that is told then."""

    def __init__(self, recorder: Recorder, root_id: str) -> None:
        self._recorder, self._root_id = recorder, root_id
        self._before: list[SpanFacts] = []
        self._tools: list[Any] = []
        self._run: Run | None = None
        self._narrator: Narrator | None = None
        self._lock = threading.Lock()

    @property
    def confidence(self) -> Confidence | None:
        """The newest one."""
        return None if self._run is None else self._run.confidence

    def take(self, span: SpanFacts, root: SpanFacts | None) -> None:
        """A turn, a tool or an answer has ended; ``root`` is what the open root says so far."""
        with self._lock:
            if self._narrator is not None:
                self._tell(self._narrator, span, root)
                return
            self._before.append(span)
            if span.kind == "model":
                self._begin(root)

    def over(self, spans: list[SpanFacts], root: SpanFacts) -> None:
        """The root has ended."""
        with self._lock:
            if self._narrator is None or self._run is None:
                return
            self._narrator.over(None if root.fault else root.reply)
            whole = RunSpans(self._root_id, Tree(spans), root, spans)
            reason = end_reason(whole, spans, self._run.trajectory())
            if reason == "interrupted":
                self._run.interrupted()
            else:
                self._run.ended(reason, error=root.fault)

    def _begin(self, root: SpanFacts | None) -> None:
        """Start or resume the run, and tell what came before."""
        context = Context(Path(), "live")
        spans, self._before = self._before, []
        head = head_of(RunSpans(self._root_id, Tree(spans), root, spans), spans, context)
        talk = head.conversation
        resumed = self._recorder.resume(talk) if talk and seems_resumed(spans) else None
        self._run = resumed or self._recorder.start(
            run_id=head.run_id,
            conversation=talk,
            task=head.task,
            system=head.system,
            tools=head.tools,
            agent=head.agent,
            model=head.model,
            group=head.group,
            family=head.family,
            metadata=head.metadata,
            started_at=head.started_at,
        )
        self._narrator = Narrator(self._run, context, resumed.trajectory() if resumed else head)
        for span in spans:
            self._tell(self._narrator, span, root)

    def _tell(self, narrator: Narrator, span: SpanFacts, root: SpanFacts | None) -> None:
        agent = span.agent or (root.agent or root.name or None if root is not None else None)
        if span.kind == "model":
            self._describe(span)
            narrator.model(span, agent)
        elif span.kind == "tool":
            narrator.tool(span, agent)
        else:
            narrator.passed_on(span.answers)

    def _describe(self, span: SpanFacts) -> None:
        """Another agent of the run may be offered other tools."""
        if self._run is not None and span.tools and span.tools != self._tools:
            self._tools = span.tools
            self._run.describe(tools=declarations(span.tools, Context(Path(), "live")))
