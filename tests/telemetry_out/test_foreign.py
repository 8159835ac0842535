"""Who makes the spans where somebody else may be tracing already."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from opentelemetry import trace

from tests.telemetry_out.conftest import Watched, two_turns

EVENT = "gen_ai.evaluation.result"
THEIRS = [
    ("opentelemetry.instrumentation.genai.langchain", {}),
    ("opentelemetry.instrumentation.langchain", {}),
    ("openinference.instrumentation.openai_agents", {}),
    ("somebody", {"gen_ai.operation.name": "invoke_agent"}),
    ("somebody", {"openinference.span.kind": "AGENT"}),
    ("somebody", {"traceloop.span.kind": "workflow"}),
]


@contextmanager
def span_of(watched: Watched, scope: str, attributes: Any) -> Iterator[trace.Span]:
    tracer = watched.to.tracer_provider.get_tracer(scope)
    with tracer.start_as_current_span("theirs", attributes=attributes) as span:
        yield span


@pytest.mark.parametrize(("scope", "attributes"), THEIRS)
def test_where_another_traces_only_events_are_emitted(
    watched: Watched, scope: str, attributes: Any
) -> None:
    with watched.recorder(0.5, 0.75) as recorder, span_of(watched, scope, attributes) as theirs:
        two_turns(recorder).ended()
    assert [span.name for span in watched.to.spans] == ["theirs"]
    ids = {event.log_record.span_id for event in watched.to.events}
    assert (len(watched.to.events), ids) == (2, {theirs.get_span_context().span_id})


def test_without_a_logger_the_events_are_on_their_span(watched: Watched) -> None:
    with (
        watched.recorder(0.5, 0.75, logger_provider=None) as recorder,
        span_of(watched, *THEIRS[0]),
    ):
        two_turns(recorder).ended()
    (theirs,) = watched.to.spans
    assert [event.name for event in theirs.events] == [EVENT, EVENT]


def test_a_span_that_begins_after_the_run_counts(watched: Watched) -> None:
    with watched.recorder(0.5) as recorder:
        run = recorder.start(run_id="r1")
        with span_of(watched, *THEIRS[0]):
            run.replied(two_turns(recorder, run_id="other").trajectory().steps[0])
        run.ended()
    assert [span.name for span in watched.to.spans] == ["theirs"]


def test_a_context_that_was_lost_is_remembered(watched: Watched) -> None:
    with watched.recorder(0.5, 0.75) as recorder:
        with span_of(watched, *THEIRS[0]) as theirs:
            run = recorder.start(run_id="r1")
        run.replied(two_turns(recorder, run_id="other").trajectory().steps[0])
        run.ended()
    events = [e.log_record for e in watched.to.events]
    mine = [e for e in events if e.attributes["agentcal.run.id"] == "r1"]
    assert [e.span_id for e in mine] == [theirs.get_span_context().span_id]


@pytest.mark.parametrize("attributes", [{}, {"http.route": "/chat"}])
def test_the_users_own_span_is_nobodys_dialect(watched: Watched, attributes: Any) -> None:
    with watched.recorder() as recorder, span_of(watched, "app", attributes):
        two_turns(recorder).ended()
    assert len(watched.to.spans) == 5


def test_a_span_that_is_not_recorded_does_not_silence(watched: Watched) -> None:
    ghost = trace.NonRecordingSpan(trace.SpanContext(1, 2, False))
    with watched.recorder(spans="auto") as recorder, trace.use_span(ghost):
        two_turns(recorder).ended()
    assert watched.to.spans == [], "its trace was sampled away, and agentcal's spans with it"


def test_always_makes_spans_under_theirs(watched: Watched) -> None:
    with (
        watched.recorder(0.5, 0.75, spans="always") as recorder,
        span_of(watched, *THEIRS[0]) as theirs,
    ):
        two_turns(recorder).ended()
    (root,) = watched.named("invoke_agent")
    assert root.parent.span_id == theirs.get_span_context().span_id
    chats = {chat.context.span_id for chat in watched.named("chat")}
    assert {event.log_record.span_id for event in watched.to.events} == chats


def test_never_emits_events_all_the_same(watched: Watched) -> None:
    with watched.recorder(0.5, 0.75, spans="never") as recorder:
        two_turns(recorder).ended()
    assert watched.to.spans == []
    assert [event.log_record.trace_id for event in watched.to.events] == [0, 0]
    said = {event.log_record.attributes["agentcal.run.id"] for event in watched.to.events}
    assert said == {"r1"}


def test_an_empty_run_is_traced_by_whoever_traced_the_one_before(watched: Watched) -> None:
    observed = watched.recorder(0.5, 0.75)
    with observed as recorder:
        run = recorder.start()
        with span_of(watched, *THEIRS[0]):
            run.replied(two_turns(recorder, run_id="other").trajectory().steps[0])
        run.ended()
        watched.to.clear()
        recorder.start().ended("error")
    assert watched.to.spans == []
