"""A real OTLP/HTTP receiver on loopback, for tests of what is exported."""

from __future__ import annotations

import gzip
import threading
import zlib
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from agentcal._loopback import HOST, Loopback
from agentcal.testing._otlp_body import JSON, PROTOBUF, LogsRequest, Request, TraceRequest, parsed


class OtlpReceiver(Loopback):
    """Receives traces and logs over OTLP/HTTP on ``127.0.0.1``, as protobuf or JSON, gzip or not.

    Use it as a context manager; the port is chosen by the system. Point exporters at
    ``traces_url`` and ``logs_url``, or set ``OTEL_EXPORTER_OTLP_ENDPOINT`` to ``endpoint``.
    """

    def __init__(self) -> None:
        self._arrived = threading.Condition()
        self._requests: list[Request] = []
        self._refusals: list[int] = []
        super().__init__(_Server(self), "otlp-receiver")

    @property
    def traces_url(self) -> str:
        """Where a span exporter sends to."""
        return f"{self.endpoint}/v1/traces"

    @property
    def logs_url(self) -> str:
        """Where a log exporter sends to."""
        return f"{self.endpoint}/v1/logs"

    @property
    def requests(self) -> list[Request]:
        """The accepted requests as OTLP protobuf messages, oldest first."""
        with self._arrived:
            return list(self._requests)

    @property
    def spans(self) -> list[Span]:
        """Every span received, in order of arrival."""
        resources = (
            r for request in self.requests if isinstance(request, TraceRequest)
            for r in request.resource_spans
        )  # fmt: skip
        return [span for r in resources for scope in r.scope_spans for span in scope.spans]

    @property
    def logs(self) -> list[LogRecord]:
        """Every log record received, events among them, in order of arrival."""
        resources = (
            r for request in self.requests if isinstance(request, LogsRequest)
            for r in request.resource_logs
        )  # fmt: skip
        return [log for r in resources for scope in r.scope_logs for log in scope.log_records]

    def refuse(self, times: int = 1, status: int = 503) -> None:
        """Answer the next requests with an HTTP status and forget their content."""
        with self._arrived:
            self._refusals += [status] * times

    def wait_for(self, *, spans: int = 0, logs: int = 0, timeout_s: float = 10.0) -> bool:
        """Whether so many spans and log records have arrived in time."""
        with self._arrived:
            return self._arrived.wait_for(
                lambda: len(self.spans) >= spans and len(self.logs) >= logs, timeout_s
            )

    def _take(self, path: str, content_type: str, body: bytes) -> int:
        """Keep a request; the HTTP status to answer with."""
        with self._arrived:
            if self._refusals:
                return self._refusals.pop(0)
        if content_type not in {PROTOBUF, JSON}:
            return 415
        try:
            request = parsed(path, content_type, body)
        except (DecodeError, ValueError):
            return 400
        if request is None:
            return 404
        with self._arrived:
            self._requests.append(request)
            self._arrived.notify_all()
        return 200


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, receiver: OtlpReceiver) -> None:
        super().__init__((HOST, 0), _Handler)
        self.take = receiver._take


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        kind = self.headers.get("Content-Type", "").partition(";")[0].strip()
        status = self._status(kind, body)
        answer = b"{}" if kind == JSON and status == 200 else b""
        self.send_response(status)
        self.send_header("Content-Type", kind if status == 200 else "text/plain")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def _status(self, kind: str, body: bytes) -> int:
        unpack: dict[str, Callable[[bytes], bytes]] = {
            "": bytes, "identity": bytes, "gzip": gzip.decompress, "deflate": zlib.decompress,
        }  # fmt: skip
        encoding = self.headers.get("Content-Encoding", "").lower()
        if encoding not in unpack:
            return 415
        try:
            plain = unpack[encoding](body)
        except (OSError, EOFError, zlib.error):
            return 400
        return cast(_Server, self.server).take(self.path, kind, plain)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing: a test's output is its own."""
