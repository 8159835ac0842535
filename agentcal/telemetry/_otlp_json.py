"""OTLP as JSON: what exporters send, and what the collector's file exporter writes."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from agentcal._fields import as_text
from agentcal.telemetry import _names_in as i
from agentcal.telemetry._dialects._values import fields, listed
from agentcal.telemetry._raw import RawEvent, RawLog, RawSpan

OnTrouble: TypeAlias = Callable[[str], None]

_SPANS = ("resourceSpans", "resource_spans", "batches")
_LOGS = ("resourceLogs", "resource_logs")
_SCOPES = ("scopeSpans", "scope_spans", "instrumentationLibrarySpans")
_LOG_SCOPES = ("scopeLogs", "scope_logs", "instrumentationLibraryLogs")
_ERROR = (2, "2", "STATUS_CODE_ERROR")
_REMOTE = 0x300
_NO_ID = frozenset({"", "0" * 16, "0" * 32})


def is_otlp(record: Any) -> bool:
    """Whether this is an export of spans or of log records."""
    value = _unwrapped(record)
    return any(isinstance(value.get(name), list) for name in (*_SPANS, *_LOGS))


def read_json(record: Any, trouble: OnTrouble) -> Iterator[RawSpan | RawLog]:
    """The spans and the log records of an export. What cannot be read is told, and left out."""
    value = _unwrapped(record)
    for group in _lists(value, _SPANS):
        service = fields(_attributes(fields(group.get("resource")))).get(i.SERVICE_NAME)
        for scope in _lists(group, _SCOPES):
            name = fields(scope.get("scope")).get("name")
            yield from _each(listed(scope.get("spans")), trouble, service, name)
    for group in _lists(value, _LOGS):
        for scope in _lists(group, _LOG_SCOPES):
            yield from _logs(listed(scope.get("logRecords", scope.get("log_records"))), trouble)


def _unwrapped(record: Any) -> dict[str, Any]:
    """Tempo wraps what it is asked for in ``{"trace": ...}``."""
    value = fields(record)
    inner = value.get("trace")
    return inner if isinstance(inner, dict) else value


def _lists(value: dict[str, Any], names: tuple[str, ...]) -> list[dict[str, Any]]:
    found = (value[name] for name in names if isinstance(value.get(name), list))
    return [item for item in next(found, []) if isinstance(item, dict)]


def _each(spans: list[Any], trouble: OnTrouble, service: Any, scope: Any) -> Iterator[RawSpan]:
    for span in spans:
        try:
            found = _span(fields(span), service, as_text(scope))
        except (ValueError, TypeError, OverflowError) as error:
            trouble(f"{type(error).__name__}: {error}"[:120])
            continue
        if found.trace_id in _NO_ID or found.span_id in _NO_ID:
            trouble("a span without an id")
        else:
            yield found


def _span(span: dict[str, Any], service: Any, scope: str) -> RawSpan:
    def got(camel: str, snake: str) -> Any:
        return span.get(camel, span.get(snake))

    parent = _id(got("parentSpanId", "parent_span_id"))
    status = fields(span.get("status"))
    start = _time(got("startTimeUnixNano", "start_time_unix_nano") or 0)
    cuts = [got(f"dropped{what}Count", f"dropped_{what.lower()}_count") for what in _DROPPED]
    return RawSpan(
        trace_id=_id(got("traceId", "trace_id")),
        span_id=_id(got("spanId", "span_id")),
        parent_id=None if parent in _NO_ID else parent,
        name=as_text(span.get("name")),
        start_ns=start,
        end_ns=_time(got("endTimeUnixNano", "end_time_unix_nano") or start),
        attributes=_attributes(span),
        events=[_event(fields(event)) for event in listed(span.get("events"))],
        failed=status.get("code") in _ERROR,
        status_message=as_text(status.get("message")),
        scope=scope,
        service=service if isinstance(service, str) else None,
        remote=int(span.get("flags") or 0) & _REMOTE == _REMOTE,
        cut=sum(int(cut or 0) for cut in cuts),
    )


_DROPPED = ("Attributes", "Events", "Links")


def _event(event: dict[str, Any]) -> RawEvent:
    when = event.get("timeUnixNano", event.get("time_unix_nano"))
    return RawEvent(as_text(event.get("name")), _attributes(event), _time(when or 0))


def _time(value: Any) -> int:
    """Nanoseconds since 1970, a fixed64 in protobuf. Raises ``ValueError`` for what is none."""
    found = int(value)
    if not 0 <= found < 2**64:
        raise ValueError(f"a time that is no fixed64: {found}")
    return found


def _logs(records: list[Any], trouble: OnTrouble) -> Iterator[RawLog]:
    """Log records that belong to a span; most logs belong to none."""
    for record in map(fields, records):
        trace = _id(record.get("traceId", record.get("trace_id")))
        span = _id(record.get("spanId", record.get("span_id")))
        if trace in _NO_ID or span in _NO_ID:
            continue
        try:
            event = _event(record)
        except (ValueError, TypeError, OverflowError) as error:
            trouble(f"a log record: {type(error).__name__}: {error}"[:120])
            continue
        event.name = as_text(record.get("eventName", record.get("event_name")))
        event.body = _value(fields(record.get("body")))
        yield RawLog(trace, span, event)


def _id(value: Any) -> str:
    """Hexadecimal, as OTLP has it, also where a generic encoder has written it as base64."""
    text = as_text(value)
    if text.endswith("="):
        try:
            return base64.b64decode(text, validate=True).hex()
        except binascii.Error:
            return text
    return text.lower()


def _attributes(holder: dict[str, Any]) -> dict[str, Any]:
    pairs = map(fields, listed(holder.get("attributes")))
    return {as_text(pair.get("key")): _value(fields(pair.get("value"))) for pair in pairs}


def _value(value: dict[str, Any]) -> Any:
    """A value of OTLP, in which the name of the one field says the type."""
    for name, inner in value.items():
        kind = name.replace("_", "").lower()
        if kind == "arrayvalue":
            return [_value(fields(item)) for item in listed(fields(inner).get("values"))]
        if kind == "kvlistvalue":
            return _attributes({"attributes": fields(inner).get("values")})
        if kind == "intvalue":
            return int(inner)
        return inner
    return None
