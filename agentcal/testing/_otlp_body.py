"""The body of an OTLP/HTTP request, protobuf or JSON, as a protobuf message."""

from __future__ import annotations

import base64
import json
from typing import Any

from google.protobuf import json_format  # type: ignore[import-untyped]
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

TraceRequest = ExportTraceServiceRequest
LogsRequest = ExportLogsServiceRequest
Request = ExportTraceServiceRequest | ExportLogsServiceRequest

PROTOBUF, JSON = "application/x-protobuf", "application/json"
_KINDS: dict[str, type[Request]] = {"/v1/traces": TraceRequest, "/v1/logs": LogsRequest}
_IDS = frozenset({"traceId", "spanId", "parentSpanId"})


def parsed(path: str, content_type: str, body: bytes) -> Request | None:
    """The request that was sent to ``path``; ``None`` for a path that takes none.

    Raises ``ValueError`` or ``google.protobuf.message.DecodeError`` for a body that is not OTLP.
    """
    kind = _KINDS.get(path)
    if kind is None:
        return None
    request = kind()
    if content_type == PROTOBUF:
        request.ParseFromString(body)
        return request
    try:
        document = json.loads(body)
        if not isinstance(document, dict):
            raise TypeError("the body is not an object")
        json_format.ParseDict(_with_base64_ids(document), request, ignore_unknown_fields=True)
    except (json_format.ParseError, AttributeError, TypeError) as error:
        raise ValueError(f"not OTLP/JSON: {error}") from error
    return request


def _with_base64_ids(value: Any) -> Any:
    """OTLP/JSON writes ids in hex where protobuf's own JSON mapping expects base64."""
    if isinstance(value, list):
        return [_with_base64_ids(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: base64.b64encode(bytes.fromhex(item)).decode()
        if key in _IDS and isinstance(item, str)
        else _with_base64_ids(item)
        for key, item in value.items()
    }
