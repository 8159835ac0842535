"""What a gate decided and what people answered, out and in again."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Tracer

import agentcal as ac
from agentcal.calibration import censored
from agentcal.recorder import Recorder, Review, Run
from agentcal.sinks import MemorySink
from agentcal.telemetry import SpanObserver
from agentcal.telemetry._raw import RawEvent
from agentcal.testing import CapturedTelemetry, OtlpReceiver, capture_telemetry
from agentcal.trajectory import WAITING
from tests.recorder.agents import asks, call
from tests.recorder.gates import decided
from tests.telemetry_in.spans import agent, chat, proposes, run, says

Story = Callable[[Recorder], None]


def begin(recorder: Recorder) -> Run:
    run = recorder.start(run_id="r", conversation="c", task="Pay bob.", agent="clerk")
    run.replied(asks(call("1"), call("2"), text="I pay."))
    return run


def resumed(recorder: Recorder) -> Run:
    run = recorder.resume("c", detail="go on")
    assert run is not None
    return run


def checked_then_stopped(recorder: Recorder) -> None:
    run = begin(recorder)
    run.decided(decided("proceed", "verify"))
    run.returned("1", "found")
    run.returned("2", "not run", "error")
    run.replied(asks(call("3"), text="I have checked."))
    run.decided(decided("abstain", turn=2))
    run.returned("3", "not run", "error")
    run.ended("abstained")


def asked_and_answered(recorder: Recorder) -> None:
    run = begin(recorder)
    question = decided("escalate", "escalate")
    run.decided(question)
    run.interrupted("may I?")
    run = resumed(recorder)
    first, second = question.decisions
    run.reviewed(Review(first, "approved", by="ann", waited_s=61.5))
    run.reviewed(Review(second, "rejected", by="ann", detail="too much", waited_s=61.5))
    run.returned("1", "paid")
    run.returned("2", "declined", "rejected")
    run.replied(asks(call("3"), call("4"), text="Paid one of them."))
    question = decided("escalate", "escalate", turn=2)
    run.decided(question)
    first, second = question.decisions
    run.reviewed(Review(first, "rejected"))
    run.reviewed(Review(second, "responded"))
    run.returned("3", "not run", "error")
    run.returned("4", "he has it already")
    run.replied(asks(text="Well then."))
    run.ended()


def nobody_answered(recorder: Recorder) -> None:
    run = begin(recorder)
    run.decided(decided("proceed", "escalate"))
    run.returned("1", "found")
    run.interrupted("may I?")


def only_watched(recorder: Recorder) -> None:
    run = begin(recorder)
    run.decided(decided("abstain", "escalate", mode="shadow"))
    run.returned("1", "found")
    run.returned("2", "paid")
    run.replied(asks(text="Paid."))
    run.ended()


STORIES: list[Story] = [checked_then_stopped, asked_and_answered, nobody_answered, only_watched]


def lived(
    story: Story, folder: Path, *, logs: bool = True, content: bool = True, drop: str = ""
) -> tuple[ac.Trajectory, ac.Trajectory]:
    """The run as the recorder has it, and as it comes back from what was exported."""
    sink = MemorySink()
    with capture_telemetry() as to:
        observer = SpanObserver(
            to.tracer_provider,
            logger_provider=to.logger_provider if logs else None,
            content=content,
        )
        with Recorder(sinks=[sink], observers=[observer]) as recorder:
            story(recorder)
        _export(to, folder, drop)
    (known,) = sink.runs
    (told,) = ac.load(folder, progress=False)
    return known, told


def _export(to: CapturedTelemetry, folder: Path, drop: str = "") -> None:
    spans = [span for span in to.spans if not drop or not span.name.startswith(drop)]
    (folder / "spans.binpb").write_bytes(encode_spans(spans).SerializeToString())
    (folder / "logs.binpb").write_bytes(encode_logs(to.logs).SerializeToString())


def entries(run: ac.Trajectory) -> list[dict[str, Any]]:
    return [entry.model_dump() for entry in run.interventions]


def waiting(run: ac.Trajectory) -> Any:
    return run.metadata.get(WAITING)


@pytest.mark.parametrize("logs", [True, False])
@pytest.mark.parametrize("story", STORIES)
def test_a_run_comes_back_as_it_was(story: Story, logs: bool, tmp_path: Path) -> None:
    known, told = lived(story, tmp_path, logs=logs)
    assert entries(told) == entries(known)
    assert (told.end_reason, waiting(told)) == (known.end_reason, waiting(known))
    if known.end_reason == "abstained":  # no later turn tells what became of the last calls
        known.steps[-1].tool_calls[0].status = "missing"
    assert [[c.status for c in s.tool_calls] for s in told.steps] == [
        [c.status for c in s.tool_calls] for s in known.steps
    ]
    assert [s.decided for s in told.steps] == [s.decided for s in known.steps]
    assert any(s.decided for s in known.steps)
    for one in (known, told):
        one.outcome = ac.Outcome(value=1.0)
    assert censored(told) == censored(known)


@pytest.mark.parametrize("story", [checked_then_stopped, asked_and_answered])
def test_over_the_wire_too(story: Story, tmp_path: Path) -> None:
    """Real exporters, batches and a receiver on loopback; what it got is what is loaded."""
    sink = MemorySink()
    with OtlpReceiver() as receiver:
        spans, logs = TracerProvider(shutdown_on_exit=False), LoggerProvider(shutdown_on_exit=False)
        spans.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(receiver.traces_url)))
        logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(receiver.logs_url)))
        observer = SpanObserver(spans, logger_provider=logs, content=True)
        with Recorder(sinks=[sink], observers=[observer]) as recorder:
            story(recorder)
        spans.shutdown()
        logs.shutdown()
        assert receiver.wait_for(spans=4, logs=3)
        for number, request in enumerate(receiver.requests):
            (tmp_path / f"{number}.binpb").write_bytes(request.SerializeToString())
        ids = {span.span_id for span in receiver.spans}
        assert all(log.span_id in ids for log in receiver.logs)
    (known,), (told,) = sink.runs, ac.load(tmp_path, progress=False)
    assert entries(told) == entries(known)
    assert told.end_reason == known.end_reason


@pytest.mark.parametrize("story", STORIES)
def test_without_content_only_peoples_words_are_missing(story: Story, tmp_path: Path) -> None:
    known, told = lived(story, tmp_path, content=False)
    for entry in known.interventions:
        entry.detail = entry.detail if entry.by == "agentcal" else ""
    assert entries(told) == entries(known)


@pytest.mark.parametrize("story", [checked_then_stopped, asked_and_answered])
def test_where_the_span_of_the_run_is_lost_the_events_tell(story: Story, tmp_path: Path) -> None:
    known, told = lived(story, tmp_path, drop="invoke_agent")
    kept = [entry for entry in known.interventions if entry.kind in ("verified", "aborted")]
    assert [e for e in told.interventions if e.by == "agentcal"] == kept


THEIRS = "opentelemetry.instrumentation.genai.langchain"


def their_span(tracer: Tracer, operation: str, **said: Any) -> Any:
    """A span of another instrumentor, by the conventions."""
    told = {f"gen_ai.{name.replace('__', '.')}": value for name, value in said.items()}
    return tracer.start_as_current_span(
        operation, attributes={"gen_ai.operation.name": operation, **told}
    )


def part(tracer: Tracer) -> Any:
    return their_span(tracer, "invoke_agent", agent__name="clerk", conversation__id="c")


def turn(tracer: Tracer, *parts: dict[str, Any]) -> None:
    said = json.dumps([says(list(parts))])
    with their_span(tracer, "chat", output__messages=said):
        pass


def a_review_beside(to: CapturedTelemetry, recorder: Recorder) -> None:
    """A graph asks and goes on, with another tracer's spans around."""
    tracer, question = to.tracer_provider.get_tracer(THEIRS), decided("proceed", "escalate")
    with part(tracer):
        run = recorder.start(run_id="r", conversation="c")
        turn(tracer, proposes("pay", "1"), proposes("pay", "2"))
        run.replied(asks(call("1", "pay"), call("2", "pay")))
        run.decided(question)
        run.interrupted()
    with part(tracer):
        run = resumed(recorder)
        run.reviewed(Review(question.decisions[1], "rejected", by="ann", waited_s=3.5))
        with their_span(tracer, "execute_tool", tool__name="pay", tool__call__id="1"):
            run.returned("1", "paid")
        turn(tracer, {"type": "text", "content": "Paid one."})
        run.replied(asks(text="Paid one."))
        run.decided(decided("verify", turn=2, tool=None, tier="answer", at=datetime.now(UTC)))
        run.ended()


@pytest.mark.parametrize("logs", [True, False])
def test_on_anothers_spans_the_events_tell(logs: bool, tmp_path: Path) -> None:
    sink = MemorySink()
    with capture_telemetry() as to:
        provider = to.logger_provider if logs else None
        observer = SpanObserver(to.tracer_provider, logger_provider=provider)
        with Recorder(sinks=[sink], observers=[observer]) as recorder:
            a_review_beside(to, recorder)
        assert {span.instrumentation_scope.name for span in to.spans} == {THEIRS}
        _export(to, tmp_path)
    (known,), (told,) = sink.runs, ac.load(tmp_path, progress=False)
    assert [i.kind for i in told.interventions] == ["resumed", "rejected", "verified"]
    (known.interventions[0].detail, told.interventions[0].detail) = "", ""
    assert entries(told) == entries(known)
    assert waiting(told) is None


def test_a_question_on_anothers_spans_that_nobody_answered(tmp_path: Path) -> None:
    with capture_telemetry() as to:
        tracer = to.tracer_provider.get_tracer(THEIRS)
        observer = SpanObserver(to.tracer_provider, logger_provider=to.logger_provider)
        with Recorder(observers=[observer]) as recorder, part(tracer):
            turn(tracer, proposes("pay", "1"))
            run = recorder.start(run_id="r", conversation="c")
            run.replied(asks(call("1", "pay")))
            run.decided(decided("escalate"))
            run.interrupted()
        _export(to, tmp_path)
    (told,) = ac.load(tmp_path, progress=False)
    told.outcome = ac.Outcome(value=0.0)
    assert (told.interventions, waiting(told)) == ([], 1)
    assert censored(told) == "a gate asked, nobody answered"


def event(at: float, name: str, label: str, **said: Any) -> RawEvent:
    told = {f"agentcal.{key.replace('__', '.')}": value for key, value in said.items()}
    told |= {"gen_ai.evaluation.name": name, "gen_ai.evaluation.score.label": label}
    return RawEvent("gen_ai.evaluation.result", told, int(at * 1e9))


def ruled(at: float, verdict: str, turn: Any = 1, mode: str = "enforce", **said: Any) -> RawEvent:
    return event(at, "agentcal.decision", verdict, turn=turn, decision__mode=mode, **said)


def kinds(*events: RawEvent, turns: int = 2) -> list[tuple[int, str]]:
    """Of a run with so many turns of another tracer, with these events on its root."""
    chats = [chat(f"c{i}", "a", (i, i + 1), f"turn {i}") for i in range(turns)]
    return [(i.step, i.kind) for i in run(agent("a", events=events), *chats).interventions]


def test_one_entry_a_turn_for_the_gate_and_one_an_answer() -> None:
    said = [
        ruled(5, "abstain", 2, call__position=1),
        ruled(5, "verify", 2, call__position=0),
        ruled(1, "verify", 1, call__position=1),
        ruled(1, "verify", 1, call__position=0),
        event(3, "agentcal.review", "edited", turn=1, call__position=1),
        event(3, "agentcal.review", "approved", turn=1, call__position=0),
    ]
    expected = [(0, "verified"), (0, "approved"), (0, "edited"), (1, "aborted")]
    assert kinds(*said) == expected
    assert kinds(*said[::-1], *said) == expected, "in any order, however often"


@pytest.mark.parametrize(
    "odd",
    [
        ruled(1, "abstain", mode="shadow"),
        ruled(1, "abstain", mode="?"),
        ruled(1, "proceed"),
        ruled(1, "approved"),
        ruled(1, "abstain", turn=0),
        ruled(1, "abstain", turn="soon"),
        ruled(1, "abstain", turn=None),
        event(1, "agentcal.review", "escalate", turn=1),
        event(1, "agentcal.review", "", turn=1),
        event(1, "somebody's", "abstain", turn=1, decision__mode="enforce"),
        RawEvent("gen_ai.evaluation.result", {}),
    ],
)
def test_odd_events_are_nothing(odd: RawEvent) -> None:
    assert kinds(odd) == []


@pytest.mark.parametrize("waited", [-1, "long", float("nan"), True])
def test_a_wait_that_is_none_is_missing(waited: Any) -> None:
    odd = event(1, "agentcal.review", "approved", turn=1, review__waited=waited)
    told = run(agent("a", events=[odd]), chat("c", "a", (1, 2), "hi"))
    assert [i.waited_s for i in told.interventions] == [None]


def test_a_turn_that_no_span_tells_stands_with_the_newest() -> None:
    assert kinds(ruled(1, "abstain", turn=9)) == [(1, "aborted")]
