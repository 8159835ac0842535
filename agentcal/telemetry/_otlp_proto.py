"""OTLP as protobuf: a bare export request, or many, each with its length in front."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from agentcal.errors import FormatError
from agentcal.telemetry import _names_in as i
from agentcal.telemetry._raw import RawEvent, RawLog, RawSpan

if TYPE_CHECKING:
    from opentelemetry.proto.common.v1.common_pb2 import AnyValue
    from opentelemetry.proto.logs.v1.logs_pb2 import LogsData
    from opentelemetry.proto.trace.v1.trace_pb2 import Span, TracesData

_FIRST_FIELD = 0x0A
_CONTROL = bytes({*range(9), *range(14, 32)} - {27})
_ERROR = 2
_REMOTE = 0x300
_MISSING = (
    "OTLP as protobuf needs opentelemetry-proto: pip install 'agentcal[otlp]'. "
    "OTLP as JSON is read without it"
)


def looks_like_protobuf(head: bytes) -> bool:
    """Whether a file that begins so may be OTLP protobuf, of any framing; text never is."""
    if not any(byte in _CONTROL for byte in head):
        return False
    return any(_opens_request(head, at) for at in (0, _fixed(head, 0)[1], _varint(head, 0)[1]))


def _opens_request(data: bytes, at: int) -> bool:
    """Field 1, which holds a message that begins with one of its own first three fields."""
    if data[at : at + 1] != bytes([_FIRST_FIELD]):
        return False
    size, inner = _varint(data, at + 1)
    return size > 0 and data[inner : inner + 1] in (b"\x0a", b"\x12", b"\x1a")


def exports(data: bytes) -> Iterator[bytes]:
    """The requests in a file.

    The collector writes a length of four bytes before each, protobuf's own delimiter is a length of
    variable size, and what an exporter sends is one request alone. Raises :class:`FormatError`,
    after those that could be read, where a file is cut off.
    """
    for framing in (_fixed, _varint):
        frames, whole = _frames(data, framing)
        if frames and (whole or len(frames) > 1):
            yield from frames
            if not whole:
                raise FormatError(f"cut off after {len(frames)} whole requests")
            return
    yield data


def _frames(data: bytes, framing: Any) -> tuple[list[bytes], bool]:
    """The frames, if every one of them begins as a request does; whether nothing is left."""
    frames: list[bytes] = []
    at = 0
    while at < len(data):
        size, start = framing(data, at)
        if size < 2 or not _opens_request(data, start):
            return frames, False
        if start + size > len(data):
            return frames, False
        frames.append(data[start : start + size])
        at = start + size
    return frames, True


def _fixed(data: bytes, at: int) -> tuple[int, int]:
    return int.from_bytes(data[at : at + 4], "big"), at + 4


def _varint(data: bytes, at: int) -> tuple[int, int]:
    size = shift = 0
    for byte in data[at : at + 5]:
        at += 1
        size |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return size, at
    return 0, at


def read_protobuf(request: bytes) -> Iterator[RawSpan | RawLog]:
    """The spans or the log records of one request.

    Raises :class:`FormatError` where it is neither, or where opentelemetry-proto is missing.
    """
    try:
        from opentelemetry.proto.logs.v1.logs_pb2 import LogsData  # noqa: PLC0415 - an extra
        from opentelemetry.proto.trace.v1.trace_pb2 import TracesData  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise FormatError(_MISSING) from error
    traces = _parsed(TracesData, request)
    spans = [] if traces is None else list(_spans(traces))
    if spans:
        yield from spans
        return
    logs = _parsed(LogsData, request)
    if traces is None and logs is None:
        raise FormatError("not OTLP protobuf, neither of spans nor of log records")
    yield from [] if logs is None else _logs(logs)


def _parsed(kind: Any, request: bytes) -> Any:
    """The message, if it can be one; exports are the same on the wire as these."""
    from google.protobuf.message import (  # type: ignore[import-untyped]  # noqa: PLC0415 - extra
        DecodeError,
    )

    try:
        return kind.FromString(request)
    except DecodeError:
        return None


def _spans(data: TracesData) -> Iterator[RawSpan]:
    for group in data.resource_spans:
        service = _attributes(group.resource).get(i.SERVICE_NAME)
        for scope in group.scope_spans:
            for span in scope.spans:
                if span.trace_id and span.span_id:
                    yield _span(span, service, scope.scope.name)


def _span(span: Span, service: Any, scope: str) -> RawSpan:
    return RawSpan(
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex() or None,
        name=span.name,
        start_ns=span.start_time_unix_nano,
        end_ns=span.end_time_unix_nano or span.start_time_unix_nano,
        attributes=_attributes(span),
        events=[RawEvent(e.name, _attributes(e), e.time_unix_nano) for e in span.events],
        failed=span.status.code == _ERROR,
        status_message=span.status.message,
        scope=scope,
        service=service if isinstance(service, str) else None,
        remote=span.flags & _REMOTE == _REMOTE,
        cut=span.dropped_attributes_count + span.dropped_events_count + span.dropped_links_count,
    )


def _logs(data: LogsData) -> Iterator[RawLog]:
    for group in data.resource_logs:
        for scope in group.scope_logs:
            for log in scope.log_records:
                if log.trace_id and log.span_id:
                    event = RawEvent(log.event_name, _attributes(log), log.time_unix_nano)
                    event.body = _value(log.body)
                    yield RawLog(log.trace_id.hex(), log.span_id.hex(), event)


def _attributes(holder: Any) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in holder.attributes}


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(item) for item in value.array_value.values]
    if kind == "kvlist_value":
        return {pair.key: _value(pair.value) for pair in value.kvlist_value.values}
    if kind == "bytes_value":
        return value.bytes_value.hex()
    return getattr(value, kind) if kind else None
