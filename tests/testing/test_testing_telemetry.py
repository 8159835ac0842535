"""Captured telemetry stays private; the receiver takes OTLP as real exporters send it."""

from __future__ import annotations

import gzip
import json
import sys
import urllib.error
import urllib.request

import pytest
from opentelemetry import metrics, trace
from opentelemetry._logs import get_logger_provider
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

import agentcal.testing
from agentcal.testing import CapturedTelemetry, OtlpReceiver, capture_telemetry

TRACE_ID, SPAN_ID = "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174"
SPAN = {"traceId": TRACE_ID, "spanId": SPAN_ID, "parentSpanId": "00f067aa0ba902b7", "name": "chat"}
DOCUMENT = {"resourceSpans": [{"scopeSpans": [{"spans": [SPAN]}]}]}


def use(captured: CapturedTelemetry) -> None:
    with captured.tracer_provider.get_tracer("t").start_as_current_span("invoke_agent"):
        logger = captured.logger_provider.get_logger("t")
        logger.emit(event_name="gen_ai.evaluation.result", attributes={"score": 0.5})
        logger.emit(body="only a line")
    captured.meter_provider.get_meter("t").create_counter("decisions").add(3)


def test_what_was_emitted_can_be_read() -> None:
    with capture_telemetry() as captured:
        use(captured)
        (span,), (event,) = captured.spans, captured.events
        assert span.name == "invoke_agent"
        assert event.log_record.event_name == "gen_ai.evaluation.result"
        assert event.log_record.span_id == span.context.span_id
        assert len(captured.logs) == 2
        (point,) = captured.metrics["decisions"]
        assert point.value == 3
        captured.clear()
        assert (captured.spans, captured.logs) == ([], [])


def test_no_global_provider_is_set() -> None:
    before = (trace.get_tracer_provider(), metrics.get_meter_provider(), get_logger_provider())
    with capture_telemetry() as captured:
        use(captured)
        after = (trace.get_tracer_provider(), metrics.get_meter_provider(), get_logger_provider())
    assert after == before


@pytest.mark.parametrize("compression", list(Compression))
def test_real_exporters_reach_the_receiver(compression: Compression) -> None:
    with OtlpReceiver() as receiver, capture_telemetry() as captured:
        spans = OTLPSpanExporter(receiver.traces_url, compression=compression)
        logs = OTLPLogExporter(receiver.logs_url, compression=compression)
        captured.tracer_provider.add_span_processor(SimpleSpanProcessor(spans))
        captured.logger_provider.add_log_record_processor(SimpleLogRecordProcessor(logs))
        use(captured)
        assert receiver.wait_for(spans=1, logs=2)
        (span,) = receiver.spans
        assert span.name == "invoke_agent"
        assert int.from_bytes(span.span_id) == captured.spans[0].context.span_id
        assert receiver.logs[0].event_name == "gen_ai.evaluation.result"


def post(url: str, body: bytes, **headers: str) -> int:
    sent = urllib.request.Request(  # noqa: S310 - loopback
        url, body, {name.replace("_", "-"): value for name, value in headers.items()}
    )
    try:
        with urllib.request.urlopen(sent, timeout=5) as answer:  # noqa: S310 - loopback
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_json_is_read_with_hex_ids() -> None:
    body = json.dumps(DOCUMENT).encode()
    with OtlpReceiver() as receiver:
        assert post(receiver.traces_url, body, Content_Type="application/json") == 200
        zipped = {"Content_Type": "application/json; charset=utf-8", "Content_Encoding": "gzip"}
        assert post(receiver.traces_url, gzip.compress(body), **zipped) == 200
        assert [span.trace_id.hex() for span in receiver.spans] == [TRACE_ID] * 2
        assert receiver.spans[0].span_id.hex() == SPAN_ID


def test_what_is_not_otlp_is_refused() -> None:
    kinds = {"Content_Type": "application/json"}
    with OtlpReceiver() as receiver:
        assert post(receiver.traces_url, b"{", **kinds) == 400
        assert post(receiver.traces_url, b"[]", **kinds) == 400
        assert post(receiver.traces_url, b'{"resourceSpans": 3}', **kinds) == 400
        assert post(receiver.traces_url, b"\xff", Content_Type="application/x-protobuf") == 400
        assert post(receiver.traces_url, b"x", Content_Type="text/plain") == 415
        assert post(receiver.traces_url, b"x", Content_Encoding="gzip", **kinds) == 400
        assert post(receiver.endpoint + "/v1/nothing", b"{}", **kinds) == 404
        assert receiver.requests == []


def test_refused_requests_are_retried_by_the_exporter() -> None:
    with OtlpReceiver() as receiver, capture_telemetry() as captured:
        exporter = OTLPSpanExporter(receiver.traces_url)
        captured.tracer_provider.add_span_processor(SimpleSpanProcessor(exporter))
        receiver.refuse(times=1, status=503)
        use(captured)
        assert receiver.wait_for(spans=1)


def test_waiting_ends() -> None:
    with OtlpReceiver() as receiver:
        assert not receiver.wait_for(spans=1, timeout_s=0.01)


def test_without_the_extra_it_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("agentcal.testing._otlp", "agentcal.testing._otlp_body"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.delitem(agentcal.testing.__dict__, "OtlpReceiver", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry.proto.trace.v1.trace_pb2", None)
    with pytest.raises(ModuleNotFoundError, match=r"trace_pb2.*agentcal\[otlp\]"):
        _ = agentcal.testing.OtlpReceiver
