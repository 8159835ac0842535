"""What every dialect leaves to OpenTelemetry itself: ids, times, and how an operation failed."""

from __future__ import annotations

from agentcal.telemetry import _names as n
from agentcal.telemetry import _names_in as i
from agentcal.telemetry._dialects._gate_events import decided_turns, gate_events
from agentcal.telemetry._raw import RawSpan
from agentcal.telemetry._span import SpanFacts


def bare(span: RawSpan, dialect: str = "") -> SpanFacts:
    """A span of which nothing is known but where it belongs, how long it took and its error."""
    kind, text = _fault(span)
    return SpanFacts(
        trace_id=span.trace_id,
        span_id=span.span_id,
        parent_id=span.parent_id,
        start_ns=span.start_ns,
        end_ns=span.end_ns,
        dialect=dialect,
        remote=span.remote,
        service=span.service,
        fault=kind,
        fault_text=text,
        failed=span.failed,
        cut_off=span.cut,
        gate=gate_events(span.events),
        decided=decided_turns(span.events),
    )


def _fault(span: RawSpan) -> tuple[str, str]:
    """Type and text of the error; an interrupt is told even where the status is fine."""
    raised = [event.attributes for event in span.events if event.name == i.EXCEPTION]
    last = raised[-1] if raised else {}
    kind = str(span.attributes.get(n.ERROR_TYPE) or last.get(i.EXCEPTION_TYPE) or "")
    text = str(last.get(i.EXCEPTION_MESSAGE) or span.status_message or "")
    kind = kind.rpartition(".")[2]
    if span.failed:
        return kind or "error", text
    return (kind, text) if kind in i.INTERRUPTS else ("", "")
