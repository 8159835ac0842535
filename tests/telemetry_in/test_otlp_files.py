"""OTLP in files: JSON and protobuf, as exporters, the collector and converters write them."""

from __future__ import annotations

import base64
import builtins
import gzip
import json
import struct
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.internal.encoder import _VarintBytes
from google.protobuf.json_format import MessageToDict, Parse
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from agentcal import Trajectory, load
from agentcal.errors import FormatError
from tests.telemetry_in.exports import any_value, as_json, attribute, one_run
from tests.telemetry_in.spans import shape

WHOLE = [("", [("f", "x", "ok")]), ("bye", [])]


def proto(value: dict[str, Any], kind: Any = ExportTraceServiceRequest) -> Any:
    """The message that this JSON is; protobuf's own JSON has ids in base64."""
    text = json.dumps(value)
    for name in ("traceId", "spanId", "parentSpanId"):
        for found in {m for m in _ids(value, name) if m}:
            coded = base64.b64encode(bytes.fromhex(found)).decode()
            text = text.replace(f'"{name}": "{found}"', f'"{name}": "{coded}"')
    return Parse(text, kind(), ignore_unknown_fields=True)


def _ids(value: Any, name: str) -> list[str]:
    if isinstance(value, list):
        return [found for item in value for found in _ids(item, name)]
    if not isinstance(value, dict):
        return []
    inner = [found for item in value.values() for found in _ids(item, name)]
    return [*inner, *([value[name]] if name in value else [])]


def parts(count: int = 3) -> list[dict[str, Any]]:
    """The exports of so many runs, two spans in each: as a batch processor cuts them."""
    spans = [span for number in range(1, count + 1) for span in one_run(number)]
    return [as_json(spans[at : at + 2]) for at in range(0, len(spans), 2)]


def snake(value: Any) -> Any:
    """Field names as in the .proto files, which JSON may have as well."""
    if isinstance(value, list):
        return [snake(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        "".join(f"_{c.lower()}" if c.isupper() else c for c in k): snake(v)
        for k, v in value.items()
    }


def binary(framing: str) -> bytes:
    messages = [proto(part).SerializeToString() for part in parts()]
    if framing == "bare":
        return b"".join(messages)
    if framing == "fixed":
        return b"".join(struct.pack(">I", len(m)) + m for m in messages)
    return b"".join(_VarintBytes(len(m)) + m for m in messages)


FILES = {
    "lines.jsonl": "\n".join(map(json.dumps, parts())).encode(),
    "lines.log": "\n".join(map(json.dumps, parts())).encode(),
    "packed.jsonl.gz": gzip.compress("\n".join(map(json.dumps, parts())).encode()),
    "list.json": json.dumps(parts()).encode(),
    "document.json": json.dumps(
        as_json([s for n in (1, 2, 3) for s in one_run(n)]), indent=2
    ).encode(),
    "snake.jsonl": "\n".join(json.dumps(snake(part)) for part in parts()).encode(),
    "base64.jsonl": "\n".join(json.dumps(MessageToDict(proto(part))) for part in parts()).encode(),
    "tempo.json": json.dumps(
        {"batches": [r for part in parts() for r in part["resourceSpans"]]}
    ).encode(),
    "bare.binpb": binary("bare"),
    "fixed.pb": binary("fixed"),
    "varint.pb": binary("varint"),
    "packed.pb.gz": gzip.compress(binary("fixed")),
    "no-suffix": binary("varint"),
}


@pytest.fixture
def known(tmp_path: Path) -> list[Trajectory]:
    path = tmp_path / "known.jsonl"
    path.write_text("\n".join(map(json.dumps, parts())))
    return list(load(path))


@pytest.mark.parametrize("name", FILES)
def test_every_encoding_gives_the_same_runs(
    tmp_path: Path, known: list[Trajectory], name: str
) -> None:
    path = tmp_path / name
    path.write_bytes(FILES[name])
    runs = load(path)
    found = list(runs)
    assert found == known
    assert [shape(run) for run in found] == [WHOLE] * 3
    assert (runs.report.formats, runs.report.skipped) == ({"otlp": 3}, 0)
    assert list(load(path, format="otlp")) == known
    assert found[0].metadata["service"] == "shop"


def test_a_trace_may_lie_in_several_files(tmp_path: Path, known: list[Trajectory]) -> None:
    """Files that were rotated, one of them exported twice, and a file of another format."""
    for at, part in enumerate(parts()):
        (tmp_path / f"traces-{at}.json").write_text(json.dumps(part))
    (tmp_path / "traces-again.pb").write_bytes(binary("fixed"))
    (tmp_path / "own.jsonl").write_text(json.dumps({"run_id": "own", "steps": []}))
    runs = load(tmp_path)
    found = list(runs)
    assert [run.run_id for run in found] == ["own", *(run.run_id for run in known)]
    assert found[1:] == known
    assert runs.report.formats == {"agentcal": 1, "otlp": 3}
    assert list(runs) == found


def logs(record: dict[str, Any]) -> dict[str, Any]:
    return {"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}


@pytest.mark.parametrize("kind", ["json", "protobuf"])
def test_messages_that_are_in_a_file_of_logs(tmp_path: Path, kind: str) -> None:
    spans = one_run()
    turn = spans[1]
    told = {k: turn.attributes.pop(k) for k in list(turn.attributes) if "messages" in k}
    record = {
        "traceId": turn.trace_id,
        "spanId": turn.span_id,
        "timeUnixNano": "5",
        "eventName": "gen_ai.client.inference.operation.details",
        "attributes": [attribute(k, json.loads(v)) for k, v in told.items()],
        "body": any_value({"a": [1, 2.5, True, "x"]}),
    }
    (tmp_path / "traces.jsonl").write_text(json.dumps(as_json(spans)))
    if kind == "json":
        (tmp_path / "logs.jsonl").write_text(json.dumps(logs(record)))
    else:
        sent = proto(logs(record), ExportLogsServiceRequest).SerializeToString()
        (tmp_path / "logs.pb").write_bytes(sent)
    (run,) = load(tmp_path)
    assert shape(run) == WHOLE
    assert run.task == "hi"


@pytest.mark.parametrize("framing", ["fixed", "varint"])
def test_a_file_that_is_cut_off_keeps_what_came_before(tmp_path: Path, framing: str) -> None:
    path = tmp_path / "cut.pb"
    path.write_bytes(binary(framing)[:-20])
    runs = load(path)
    found = list(runs)
    assert [shape(run) for run in found[:2]] == [WHOLE] * 2
    assert "cut off after 5 whole requests" in str(runs.report)


def test_an_export_that_is_cut_off_costs_what_is_in_it(tmp_path: Path) -> None:
    path = tmp_path / "cut.jsonl"
    path.write_text("\n".join(map(json.dumps, parts()))[:-20])
    runs = load(path)
    assert [shape(run) for run in runs][:2] == [WHOLE] * 2
    assert runs.report.counts == {"not valid JSON": 1}


def test_a_span_that_is_not_valid_costs_itself(tmp_path: Path) -> None:
    value = as_json(one_run())
    spans = value["resourceSpans"][0]["scopeSpans"][0]["spans"]
    spans += [{"traceId": "", "spanId": ""}, "x", {**spans[0], "startTimeUnixNano": "noon"}]
    spans += [{**spans[0], "spanId": "f" * 16, "startTimeUnixNano": time} for time in (-1, 2**64)]
    path = tmp_path / "odd.json"
    path.write_text(json.dumps(value))
    runs = load(path)
    assert [shape(run) for run in runs] == [WHOLE]
    assert runs.report.counts == {"span is not valid": 5}
    assert "a span without an id" in str(runs.report)


def test_a_log_record_that_is_not_valid_costs_itself(tmp_path: Path) -> None:
    """The spans beside it, and those that come later, are read."""
    good, odd = as_json(one_run()), {"traceId": "a" * 32, "spanId": "b" * 16, "timeUnixNano": "x"}
    logs = {"resourceLogs": [{"scopeLogs": [{"logRecords": [odd, {**odd, "timeUnixNano": -1}]}]}]}
    path = tmp_path / "logs.json"
    path.write_text(json.dumps(logs | good))
    runs = load(path)
    assert [shape(run) for run in runs] == [WHOLE]
    assert runs.report.counts == {"span is not valid": 2}
    assert "a log record" in str(runs.report)


def test_a_trace_without_an_agent_is_noted(tmp_path: Path) -> None:
    spans = [span for span in one_run() if "agent" in span.attributes["gen_ai.operation.name"]]
    path = tmp_path / "no-agent.jsonl"
    path.write_text("\n".join([json.dumps(as_json(spans)), json.dumps({"resourceSpans": []})]))
    runs = load(path)
    assert list(runs) == []
    assert runs.report.counts == {"record holds no run": 2}


def test_protobuf_of_something_else_is_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "model.pb"
    path.write_bytes(b"\x0a\x05\x0a\x03abc\xff\xff")
    with pytest.raises(FormatError, match=r"model\.pb: not OTLP protobuf"):
        load(path)
    (tmp_path / "good.jsonl").write_text(json.dumps(as_json(one_run())))
    runs = load(tmp_path)
    assert len(list(runs)) == 1
    assert runs.report.files_skipped == 1


def test_binary_that_nobody_knows_is_in_no_known_format(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR")
    with pytest.raises(FormatError, match="in no known format"):
        load(path)


def test_without_the_extra_json_is_read_and_protobuf_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.startswith(("opentelemetry.proto", "google.protobuf")):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    (tmp_path / "a.jsonl").write_bytes(FILES["lines.jsonl"])
    (tmp_path / "a.pb").write_bytes(FILES["fixed.pb"])
    assert len(list(load(tmp_path / "a.jsonl"))) == 3
    with pytest.raises(FormatError, match=r"pip install 'agentcal\[otlp\]'"):
        load(tmp_path / "a.pb")
    runs = load(tmp_path)
    assert len(list(runs)) == 3
    assert "agentcal[otlp]" in str(runs.report)
