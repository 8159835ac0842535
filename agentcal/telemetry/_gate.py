"""What a gate decided and what people answered, said where it belongs."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry.trace import Span

from agentcal.recorder import Review, RunInfo
from agentcal.telemetry._evaluations import of_decision, of_review
from agentcal.telemetry._events import EvaluationEvents
from agentcal.telemetry._foreign import foreign_span
from agentcal.telemetry._metrics import Metrics
from agentcal.telemetry._moments import Ruled
from agentcal.telemetry._open import OpenRun

if TYPE_CHECKING:
    from agentcal.policy import TurnDecision


class GateTelemetry:
    """Events and metrics of decisions and reviews."""

    def __init__(self, events: EvaluationEvents, metrics: Metrics) -> None:
        self._events, self._metrics = events, metrics

    def decided(self, run: RunInfo, decision: TurnDecision, seen: OpenRun | None) -> None:
        """Decisions on a turn. Where a tool may run now and have a span, that is waited for."""
        spans = _spans(seen, decision.turn)
        ends = any(one.acts and one.verdict == "abstain" for one in decision.decisions)
        for one in decision.decisions:
            if seen is not None and (ends or one.acts):
                seen.stopped.add((one.turn, one.index))
            self._metrics.verdict(one, trace.set_span_in_context(spans[0]))
            ruled: Ruled | None = Ruled(run, one)
            if seen is not None and seen.root is not None and one.tool is not None and not one.acts:
                ruled = seen.hold(Ruled(run, one))
            if ruled is not None:
                self.say(ruled, *spans)

    def say(self, ruled: Ruled, *spans: Span) -> None:
        """One decision, on the first of ``spans`` that can take it."""
        self._events.emit(partial(of_decision, *ruled), ruled.at_ns, *spans)

    def reviewed(self, run: RunInfo, review: Review, seen: OpenRun | None) -> None:
        """An answer: on the span of the run."""
        span = _spans(seen, review.decision.turn)[-1]
        if seen is not None:
            place = review.decision.turn, review.decision.index
            runs = review.answer in ("approved", "edited")
            (seen.stopped.discard if runs else seen.stopped.add)(place)
        self._metrics.review(review, trace.set_span_in_context(span))
        self._events.emit(partial(of_review, run, review), time.time_ns(), span)

    def left_over(self, seen: OpenRun) -> None:
        """Decisions that let tools run which then did not."""
        held, seen.held = seen.held, {}
        for ruled in held.values():
            self.say(ruled, *seen.spans_of(ruled.decision.turn))


def outside_span(seen: OpenRun | None) -> Span:
    """The span of somebody else that is nearest to what happens now; an invalid one if none is."""
    outside = None if seen is None else seen.outside
    return foreign_span() or outside or trace.get_current_span()


def _spans(seen: OpenRun | None, turn: int) -> list[Span]:
    own = [] if seen is None else seen.spans_of(turn)
    return own or [outside_span(seen)]
