"""Over the wire: real OTLP/HTTP exporters to a real receiver."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any, cast

import pytest
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

import agentcal as ac
from agentcal.recorder import Recorder
from agentcal.telemetry import SpanObserver
from agentcal.testing import OtlpReceiver
from tests.telemetry_out.conftest import CANARY, Says, two_turns


@pytest.fixture
def receiver() -> Iterator[OtlpReceiver]:
    with OtlpReceiver() as server:
        yield server


def export(receiver: OtlpReceiver, **settings: Any) -> None:
    """One run, through batch processors and over loopback."""
    spans, logs = TracerProvider(shutdown_on_exit=False), LoggerProvider(shutdown_on_exit=False)
    spans.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(receiver.traces_url)))
    logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(receiver.logs_url)))
    observer = SpanObserver(spans, logger_provider=logs, **settings)
    judge = cast(ac.Calibrator, Says(0.5, 0.75))
    with Recorder(judge, observers=[observer]) as recorder:
        two_turns(recorder).ended()
    spans.shutdown()
    logs.shutdown()


def test_spans_and_events_arrive_and_belong_together(receiver: OtlpReceiver) -> None:
    export(receiver)
    assert receiver.wait_for(spans=4, logs=2)
    by_name = {span.name: span for span in receiver.spans}
    assert set(by_name) == {"chat gpt-x", "execute_tool pay", "invoke_agent clerk"}
    root = by_name["invoke_agent clerk"]
    chats = {span.span_id for span in receiver.spans if span.name == "chat gpt-x"}
    assert by_name["execute_tool pay"].parent_span_id == root.span_id
    assert {log.event_name for log in receiver.logs} == {"gen_ai.evaluation.result"}
    assert {log.span_id for log in receiver.logs} == chats
    assert {log.trace_id for log in receiver.logs} == {root.trace_id}


def sent(receiver: OtlpReceiver) -> bytes:
    return b"".join(request.SerializeToString() for request in receiver.requests)


def test_the_bytes_hold_no_content(receiver: OtlpReceiver) -> None:
    export(receiver)
    assert receiver.wait_for(spans=4, logs=2)
    assert b"thread-7" in sent(receiver)
    assert CANARY.encode() not in sent(receiver)


def test_the_bytes_hold_content_where_asked(receiver: OtlpReceiver) -> None:
    export(receiver, content=True)
    assert receiver.wait_for(spans=4, logs=2)
    assert CANARY.encode() in sent(receiver)


_LIGHT = """
import sys
from opentelemetry import _logs, metrics, trace
import agentcal as ac
from agentcal.recorder import Recorder
from agentcal.telemetry import SpanObserver

with Recorder(observers=[SpanObserver()]) as recorder:
    run = recorder.start(task="t")
    run.replied(ac.Step(text="done", latency_s=0.1, usage=ac.Usage(input_tokens=1)))
    assert run.ended() is not None
    assert recorder.stats.errors == 0
for provider in (trace.get_tracer_provider(), metrics.get_meter_provider(),
                 _logs.get_logger_provider()):
    assert "Proxy" in type(provider).__name__, provider
heavy = [name for name in sys.modules if name.startswith("opentelemetry.sdk")]
assert not heavy, heavy
"""

_LATE = """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
import agentcal as ac
from agentcal.recorder import Recorder
from agentcal.telemetry import SpanObserver

recorder = Recorder(observers=[SpanObserver()])
kept, provider = InMemorySpanExporter(), TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(kept))
trace.set_tracer_provider(provider)
run = recorder.start()
run.replied(ac.Step(text="done"))
run.ended()
assert [span.name for span in kept.get_finished_spans()] == ["chat", "invoke_agent"]
"""


@pytest.mark.parametrize("program", [_LIGHT, _LATE], ids=["API alone", "provider set later"])
def test_global_providers_are_used_and_never_set(program: str) -> None:
    done = subprocess.run(  # noqa: S603 - our own interpreter and program
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
