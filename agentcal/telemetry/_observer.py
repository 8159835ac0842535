"""The observer that turns what a recorder sees into spans, events and metrics."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Literal, get_args

from opentelemetry import context, trace
from opentelemetry._logs import LoggerProvider
from opentelemetry.context import Context
from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import Link, Span, TracerProvider

import agentcal
from agentcal.errors import ConfigError
from agentcal.recorder import Review, RunInfo
from agentcal.telemetry import _content
from agentcal.telemetry import _names as n
from agentcal.telemetry._evaluations import of_turn
from agentcal.telemetry._events import EvaluationEvents
from agentcal.telemetry._foreign import foreign_span
from agentcal.telemetry._gate import GateTelemetry, outside_span
from agentcal.telemetry._metrics import Metrics
from agentcal.telemetry._moments import ToolUse, Turn
from agentcal.telemetry._open import OpenRun, OpenRuns
from agentcal.telemetry._spans import Spans
from agentcal.trajectory import Step, ToolCall, Trajectory

if TYPE_CHECKING:
    from agentcal.calibration import Confidence
    from agentcal.policy import TurnDecision

SpanRule = Literal["auto", "always", "never"]


class SpanObserver:
    """Emits spans, evaluation events and metrics of the runs that a recorder watches.

    ``spans``: ``"auto"`` makes spans unless another GenAI instrumentor traces the run, that is, one
    of its spans is current when the run starts or its first event comes; then only the events are
    emitted, on that instrumentor's spans. ``"always"`` makes them in any case, ``"never"`` in none.
    ``content``: whether messages, arguments and results are exported; ``None`` leaves it to
    ``OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT``. A provider that is not given is the
    global one; none is ever set here, and without any nothing is emitted.

    Raises :class:`~agentcal.ConfigError` for an unknown ``spans``.
    """

    def __init__(
        self,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
        logger_provider: LoggerProvider | None = None,
        *,
        content: bool | None = None,
        spans: SpanRule = "auto",
    ) -> None:
        if spans not in get_args(SpanRule):
            raise ConfigError(f"spans={spans!r}: give one of {', '.join(get_args(SpanRule))}")
        version = agentcal.__version__
        tracer = trace.get_tracer(n.SCOPE, version, tracer_provider)
        self._spans = Spans(tracer, _content.wanted(content))
        self._events = EvaluationEvents(logger_provider, version)
        self._metrics = Metrics(meter_provider, version)
        self._rule = spans
        self._gate = GateTelemetry(self._events, self._metrics)
        self._runs = OpenRuns(self._give_up)
        self._latest_elsewhere = False

    def started(self, run: RunInfo) -> None:
        """A run began; its span is made when it is known who else traces it."""
        self._runs.add(run.run_id, self._new())

    def resumed(self, run: RunInfo) -> None:
        """An interrupted run goes on: a new span, linked to the one that ended there."""
        seen, before = self._new(), self._runs.takes_up(run.run_id)
        seen.resumed, seen.link = True, None if before is None else Link(before)
        self._runs.add(run.run_id, seen)

    def replied(self, run: RunInfo, turn: int, step: Step, confidence: Confidence | None) -> None:
        """A model turn: its span, the evaluation event, the metrics."""
        took = Turn(run, turn, step, confidence, time.time_ns())
        seen = self._runs.get(run.run_id)
        if seen is not None and confidence is not None:
            seen.note(confidence)
        inside = None if seen is None else self._inside(run, seen)
        if seen is None or inside is None:
            self._judge(took, outside_span(seen))
            return
        heard, seen.heard = seen.heard, []
        span = self._spans.chat(took, inside, heard)
        self._metrics.chat(took)
        self._judge(took, span)
        seen.chats[turn] = span.get_span_context()
        span.end(took.end_ns)

    def decided(self, run: RunInfo, decision: TurnDecision) -> None:
        """An event for each decision: on the tool that it lets run, once that has, else here."""
        seen = self._runs.get(run.run_id)
        if seen is not None:
            self._inside(run, seen)
        self._gate.decided(run, decision, seen)

    def reviewed(self, run: RunInfo, review: Review) -> None:
        """An event on the part of the run in which the answer came."""
        seen = self._runs.get(run.run_id)
        if seen is not None:
            self._inside(run, seen)
        self._gate.reviewed(run, review, seen)

    def called(self, run: RunInfo, turn: int, position: int, call: ToolCall) -> None:
        """A tool starts to run."""
        seen = self._runs.get(run.run_id)
        if seen is not None and self._inside(run, seen) is not None:
            seen.running[turn, position] = time.time_ns()

    def returned(self, run: RunInfo, turn: int, position: int, call: ToolCall) -> None:
        """A tool returned: its span, unless it never ran."""
        now = time.time_ns()
        seen = self._runs.get(run.run_id)
        if seen is None or (inside := self._inside(run, seen)) is None:
            return
        if self._spans.content:
            seen.heard += _content.answered([call])
        began = seen.running.pop((turn, position), None)
        ruled = seen.held.pop((turn, position), None)
        never_ran = call.status in {"rejected", "missing"} or (turn, position) in seen.stopped
        if began is None and never_ran:
            if ruled is not None:
                self._gate.say(ruled, *seen.spans_of(turn))
            return
        if call.duration_s is not None:
            began = now - int(call.duration_s * 1e9)
        start = now if began is None else began
        span = self._spans.tool(ToolUse(run, turn, position, call, start, now), inside)
        if ruled is not None:
            self._gate.say(ruled, span)
        span.end(now)

    def interrupted(self, run: RunInfo) -> None:
        """The run waits for somebody: its span ends, and is remembered for the link."""
        seen = self._runs.pop(run.run_id)
        if seen is not None and self._inside(run, seen) is not None and seen.root is not None:
            self._gate.left_over(seen)
            self._spans.pause(seen.root, time.time_ns())
            self._runs.left_off(run.run_id, seen.root.get_span_context())

    def ended(self, run: RunInfo, trajectory: Trajectory) -> None:
        """The run is over: its span ends."""
        seen = self._runs.pop(run.run_id)
        if seen is None:
            return
        if seen.elsewhere is None:
            # Nothing happened in it, and a root that is ending tells nothing: as the run before.
            seen.elsewhere = self._latest_elsewhere
        if self._inside(run, seen) is not None and seen.root is not None:
            self._gate.left_over(seen)
            self._spans.finish(seen.root, run, trajectory, seen.scores(), time.time_ns())

    def _judge(self, turn: Turn, span: Span) -> None:
        """What was thought of a turn, said where its operation is; nothing where nobody judges."""
        if not turn.run.calibrated:
            return
        self._metrics.decision(turn, trace.set_span_in_context(span))
        self._events.emit(partial(of_turn, turn), turn.end_ns, span)

    def _new(self) -> OpenRun:
        seen = OpenRun(context.get_current(), time.time_ns())
        if self._rule != "auto":
            seen.elsewhere = self._rule == "never"
        elif (span := foreign_span()) is not None:
            seen.outside, seen.elsewhere = span, True
        return seen

    def _inside(self, run: RunInfo, seen: OpenRun) -> Context | None:
        """Where the spans of this run go; ``None`` where somebody else makes them."""
        if seen.elsewhere is None:
            # Other handlers may have been told of the start after this one: asked again.
            seen.outside = foreign_span()
            seen.elsewhere = self._latest_elsewhere = seen.outside is not None
        if seen.root is None and not seen.elsewhere:
            seen.root = self._spans.agent(run, seen)
            seen.inside = trace.set_span_in_context(seen.root, seen.context)
        return seen.inside

    def _give_up(self, seen: OpenRun) -> None:
        if seen.root is not None:
            self._gate.left_over(seen)
            seen.root.end()
