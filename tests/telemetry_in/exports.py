"""Runs as OTLP exports, for tests of the readers."""

from __future__ import annotations

from typing import Any

from tests.telemetry_in.spans import RawSpan, agent, answers, chat, proposes, says, tool, user

HI = [user("hi")]


def one_run(number: int = 1) -> list[RawSpan]:
    """The spans of one run in a trace of its own."""
    trace, root = f"{number:032x}", f"{number:08x}"
    told = [*HI, says([proposes()]), answers("x")]
    ran = {"gen_ai__tool__call__id": "1", "gen_ai__tool__call__result": "x"}
    spans = [
        agent(f"{root}0000000a", None, (100 * number, 100 * number + 9), trace=trace),
        chat("0" * 15 + "b", f"{root}0000000a", (1, 2), [proposes()], HI, trace=trace),
        tool("0" * 15 + "c", f"{root}0000000a", (3, 5), trace=trace, **ran),
        chat("0" * 15 + "d", f"{root}0000000a", (6, 8), "bye", told, trace=trace),
    ]
    for span in spans[1:]:
        span.start_ns += 100 * number * 10**9
        span.end_ns += 100 * number * 10**9
    return spans


def as_json(spans: list[RawSpan]) -> dict[str, Any]:
    """What an exporter sends, as the OTLP specification encodes it in JSON."""
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": [attribute("service.name", "shop")]},
                "scopeSpans": [{"scope": {"name": "s"}, "spans": [_span(s) for s in spans]}],
            }
        ]
    }


def _span(span: RawSpan) -> dict[str, Any]:
    return {
        "traceId": span.trace_id,
        "spanId": span.span_id,
        "parentSpanId": span.parent_id or "",
        "name": span.name,
        "startTimeUnixNano": str(span.start_ns),
        "endTimeUnixNano": str(span.end_ns),
        "attributes": [attribute(name, value) for name, value in span.attributes.items()],
        "status": {"code": 2} if span.failed else {},
    }


def attribute(name: str, value: Any) -> dict[str, Any]:
    return {"key": name, "value": any_value(value)}


def any_value(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, list):
        return {"arrayValue": {"values": [any_value(item) for item in value]}}
    if isinstance(value, dict):
        pairs = [attribute(key, inner) for key, inner in value.items()]
        return {"kvlistValue": {"values": pairs}}
    return {"stringValue": value}
