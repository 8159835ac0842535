"""Spans of the OpenTelemetry SDK, as they end in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentcal.telemetry import _names_in as i
from agentcal.telemetry._raw import RawEvent, RawLog, RawSpan

if TYPE_CHECKING:
    from opentelemetry.sdk._logs import ReadableLogRecord
    from opentelemetry.sdk.trace import ReadableSpan


def raw(span: ReadableSpan) -> RawSpan:
    """A span of the SDK. One that has not ended ends now where it begins."""
    context, parent = span.context, span.parent
    assert context is not None  # noqa: S101 - every span of the SDK has one
    start = span.start_time or 0
    return RawSpan(
        trace_id=f"{context.trace_id:032x}",
        span_id=f"{context.span_id:016x}",
        parent_id=None if parent is None else f"{parent.span_id:016x}",
        name=span.name,
        start_ns=start,
        end_ns=span.end_time or start,
        attributes=span.attributes or {},
        events=[RawEvent(e.name, e.attributes or {}, e.timestamp) for e in span.events],
        failed=not span.status.is_ok and not span.status.is_unset,
        status_message=span.status.description or "",
        scope=span.instrumentation_scope.name if span.instrumentation_scope else "",
        service=_text(span.resource.attributes.get(i.SERVICE_NAME)),
        remote=parent is not None and parent.is_remote,
        cut=span.dropped_attributes + span.dropped_events + span.dropped_links,
    )


def raw_log(log: ReadableLogRecord) -> RawLog | None:
    """A log record of the SDK that names its span; ``None`` for one that does not."""
    record = log.log_record
    if not record.trace_id or not record.span_id:
        return None
    when = record.timestamp or record.observed_timestamp or 0
    event = RawEvent(record.event_name or "", record.attributes or {}, when, record.body)
    return RawLog(f"{record.trace_id:032x}", f"{record.span_id:016x}", event)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
