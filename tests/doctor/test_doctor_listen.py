"""`agentcal doctor --listen`: a real exporter, real requests, and requests that are none."""

from __future__ import annotations

import gzip
import json
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agentcal.doctor import _receiver, _ward
from agentcal.doctor._receiver import Receiver
from agentcal.doctor._ward import Ward
from tests.commands import Command

ROOT = Path(__file__).parents[2]
JSON = "application/json"


class Listening:
    """The command in a process of its own, from when it is open."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "agentcal", "doctor", "--listen", "--port", "0", "--json"]
        self.process = subprocess.Popen(  # noqa: S603 - our own interpreter and command
            [*command, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        assert self.process.stderr is not None
        self.endpoint = self.process.stderr.readline().split()[2].rstrip(".")

    def told(self) -> tuple[int, dict[str, Any]]:
        out, err = self.process.communicate(timeout=60)
        assert out, err
        return self.process.returncode, json.loads(out)


def post(
    endpoint: str, body: bytes, path: str = "/v1/traces", kind: str = JSON, **headers: str
) -> int:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(  # noqa: S310 - loopback
        endpoint + path, body, {"Content-Type": kind, **named}
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code


def span(number: int, parent: int | None = 1, trace: int = 1, **attributes: str) -> dict[str, Any]:
    named = [
        {"key": f"gen_ai.{key.replace('__', '.')}", "value": {"stringValue": value}}
        for key, value in attributes.items()
    ]
    return {
        "traceId": f"{trace:032x}",
        "spanId": f"{number:016x}",
        "parentSpanId": "" if parent is None else f"{parent:016x}",
        "name": "s",
        "startTimeUnixNano": str(number * 10**9),
        "endTimeUnixNano": str((20 if parent is None else number + 1) * 10**9),
        "attributes": named,
    }


ROOT_SPAN = span(1, None, operation__name="invoke_agent", agent__name="clerk")
TURN = span(
    2,
    operation__name="chat",
    request__model="m",
    input__messages='[{"role": "user", "parts": [{"type": "text", "content": "hi"}]}]',
    output__messages='[{"role": "assistant", "parts": [{"type": "text", "content": "yes"}]}]',
)


def body(*spans: dict[str, Any]) -> bytes:
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": list(spans)}]}]}).encode()


def test_a_real_exporter_is_heard_until_its_runs_are_over() -> None:
    listening = Listening("--runs", "2")
    agent = ["-m", "tests.doctor.instrumented", "openinference", listening.endpoint, "2"]
    sent = subprocess.run(  # noqa: S603 - our own interpreter and script
        [sys.executable, *agent],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert sent.returncode == 0, sent.stderr
    code, told = listening.told()
    assert code == 0, "outcomes come later"
    assert (told["runs"], told["turns"], told["calls"]) == (2, 4, 4)
    assert told["origins"] == {"openinference": 2}
    assert told["arrivals"]["refused"] == {}
    shares = {s["name"]: (s["has"], s["of"]) for s in told["signals"]}
    assert shares["logprobs"] == (2, 4), "only the answers have them"
    assert shares["results"] == shares["call_ids"] == (4, 4)
    assert shares["status"] == (2, 2)
    assert shares["conversation"] == (2, 2)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_who_stops_it_gets_the_report(number: signal.Signals) -> None:
    listening = Listening()
    assert post(listening.endpoint, body(TURN)) == 200
    assert post(listening.endpoint, body(ROOT_SPAN)) == 200
    listening.process.send_signal(number)
    code, told = listening.told()
    assert code == 0
    assert (told["runs"], told["turns"], told["arrivals"]["spans"]) == (1, 1, 2)
    assert told["agents"] == {"clerk": 1}


def test_silence_is_a_finding(doctor: Command) -> None:
    done = doctor("--listen", "--port", "0", "--seconds", "0.1")
    assert done.code == 1
    assert "no span arrived" in done.out
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" in done.out
    assert "Listening on http://127.0.0.1:" in done.err


def test_a_port_that_is_taken_is_told(doctor: Command) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = doctor("--listen", "--port", port, "--seconds", "1")
    assert done.code == 1
    assert f"port {port}" in done.err
    assert "collector" in done.err


@pytest.fixture
def ward() -> Ward:
    return Ward(settle_s=-1, idle_s=3600)


@pytest.fixture
def endpoint(ward: Ward) -> Iterator[str]:
    with Receiver(0, ward.take, ward.refuse) as receiver:
        yield receiver.endpoint


def test_compressed_requests_are_read(endpoint: str, ward: Ward) -> None:
    packed = gzip.compress(body(TURN, ROOT_SPAN))
    assert post(endpoint, packed, Content_Encoding="gzip") == 200
    assert [len(run.steps) for run in ward.settled()] == [1]


def test_protobuf_is_read(endpoint: str, ward: Ward) -> None:
    proto = pytest.importorskip("opentelemetry.proto.trace.v1.trace_pb2")
    data = proto.TracesData()
    known = data.resource_spans.add().scope_spans.add().spans.add()
    known.trace_id, known.span_id, known.name = b"t" * 16, b"s" * 8, "chat"
    attribute = known.attributes.add(key="gen_ai.operation.name")
    attribute.value.string_value = "chat"
    sent = data.SerializeToString()
    assert post(endpoint, sent, kind="application/x-protobuf") == 200
    assert [len(run.steps) for run in ward.settled()] == [1]


def test_metrics_are_welcome_and_ignored(endpoint: str, ward: Ward) -> None:
    assert post(endpoint, b"whatever", "/v1/metrics") == 200
    assert (ward.arrivals().spans, ward.arrivals().refused) == (0, {})


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"body": b"{"}, 400),
        ({"body": b'{"resourceLogs": [{"scopeLogs": [{"logRecords": 7}]}]}'}, 200),
        ({"body": b"\xff\xff\xff", "kind": "application/x-protobuf"}, 400),
        ({"body": b"[" * 100_000}, 400),
        ({"body": b"{}", "kind": "text/plain"}, 415),
        ({"body": b"{}", "path": "/v1/profiles"}, 404),
        ({"body": b"{}", "Content_Encoding": "br"}, 415),
        ({"body": b"no gzip", "Content_Encoding": "gzip"}, 400),
    ],
)
def test_what_is_no_telemetry_is_refused_and_counted(
    endpoint: str, ward: Ward, sent: dict[str, Any], status: int
) -> None:
    assert post(endpoint, **sent) == status
    assert sum(ward.arrivals().refused.values()) == (status != 200)
    assert post(endpoint, body(TURN, ROOT_SPAN)) == 200
    assert len(list(ward.settled())) == 1


def test_a_bomb_is_not_unpacked(endpoint: str, ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_receiver, "MOST_BYTES", 10_000)
    packed = gzip.compress(b" " * 1_000_000)
    assert post(endpoint, packed, Content_Encoding="gzip") == 413
    assert post(endpoint, b" " * 20_000) == 413
    assert ward.arrivals().refused == {"a request that is too large": 2}


def _take(ward: Ward, *spans: dict[str, Any]) -> None:
    from agentcal.telemetry._otlp_json import read_json  # noqa: PLC0415 - as the receiver does

    ward.take(list(read_json(json.loads(body(*spans)), lambda _: None)))


def test_a_trace_is_told_once_its_root_has_come(ward: Ward) -> None:
    _take(ward, TURN)
    assert list(ward.settled()) == []
    _take(ward, ROOT_SPAN)
    (run,) = ward.settled()
    assert (run.agent, run.steps[0].text, run.gaps) == ("clerk", "yes", [])
    assert list(ward.settled()) == []
    assert list(ward.rest()) == []


def test_what_never_ends_is_told_at_the_end(ward: Ward) -> None:
    _take(ward, TURN)
    (run,) = ward.rest()
    assert run.gaps


def test_more_than_can_be_held_is_told_as_it_is(
    ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_ward, "MOST_ITEMS", 3)
    for trace in range(1, 6):
        _take(ward, span(2, 1, trace, operation__name="chat", request__model="m"))
    early = list(ward.settled())
    assert len(early) == 2
    assert len(list(ward.rest())) == 3


def test_traces_without_an_agent_are_counted(ward: Ward) -> None:
    _take(ward, span(1, None))
    assert list(ward.settled()) == []
    assert ward.arrivals().traces_without_run == 1


def test_an_interrupted_run_goes_on_in_another_trace(ward: Ward) -> None:
    asks = (
        '[{"role": "assistant", "parts": [{"type": "tool_call", "id": "c1", "name": "pay", '
        '"arguments": {}}]}]'
    )
    talk = {"conversation__id": "t1"}
    first = [
        span(1, None, operation__name="invoke_agent", **talk),
        span(2, operation__name="chat", output__messages=asks, **talk),
    ]
    second = [
        span(11, None, 2, operation__name="invoke_agent", **talk),
        span(12, 11, 2, operation__name="execute_tool", tool__name="pay", tool__call__id="c1"),
        span(13, 11, 2, operation__name="chat", output__messages=asks.replace("c1", "c2"), **talk),
    ]
    _take(ward, *first)
    assert list(ward.settled()) == [], "it waits"
    _take(ward, *second)
    runs = [*ward.settled(), *ward.rest()]
    assert [len(run.steps) for run in runs] == [2]
