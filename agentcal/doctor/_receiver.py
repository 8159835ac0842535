"""A receiver of OTLP over HTTP on loopback, for spans and log records."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeAlias, cast

from agentcal._loopback import HOST, Loopback
from agentcal.errors import ConfigError, FormatError
from agentcal.telemetry.incoming import RawLog, RawSpan, read_json, read_protobuf

MOST_BYTES = 64 * 2**20
"""Of one request, unpacked: what an exporter sends at a time is a thousandth of it."""

_PROTOBUF, _JSON = "application/x-protobuf", "application/json"
_READ = frozenset({"/v1/traces", "/v1/logs"})
_IGNORED = frozenset({"/v1/metrics"})
_INFLATE = {"gzip": zlib.MAX_WBITS | 16, "deflate": zlib.MAX_WBITS}

Items: TypeAlias = Sequence[RawSpan | RawLog]


class Refused(Exception):  # noqa: N818 - an answer, not an error of ours
    """A request is answered with a status and a reason."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class Receiver(Loopback):
    """Listens on ``127.0.0.1`` while it is used as a context manager; port 0: a free one.

    ``take`` gets the items of each request, ``refuse`` the reason where one could not be read; both
    are called from threads of the receiver. Raises :class:`ConfigError` where the port is taken.
    """

    def __init__(
        self, port: int, take: Callable[[Items], None], refuse: Callable[[str], None]
    ) -> None:
        try:
            server = _Server(port, take, refuse)
        except OSError as error:
            raise ConfigError(
                f"port {port} of {HOST} cannot be had ({error.strerror}): perhaps a collector "
                "listens there; give another one, 0 for any that is free"
            ) from error
        super().__init__(server, "agentcal-doctor")


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(
        self, port: int, take: Callable[[Items], None], refuse: Callable[[str], None]
    ) -> None:
        self.take, self.refuse = take, refuse
        super().__init__((HOST, port), _Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_POST(self) -> None:
        server = cast(_Server, self.server)
        kind = self.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        try:
            server.take(self._items(kind))
        except Refused as refused:
            server.refuse(str(refused))
            self._answer(refused.status, "text/plain", str(refused).encode())
        else:
            self._answer(200, kind or _JSON, b"{}" if kind == _JSON else b"")

    def _items(self, kind: str) -> Items:
        body = self._body()
        if self.path in _IGNORED:
            return []
        if self.path not in _READ:
            raise Refused(404, f"a request to {self.path[:80]}, where nothing is received")
        try:
            return list(_items(kind, body))
        except (ValueError, TypeError, AttributeError, OverflowError) as error:
            raise Refused(400, f"a body that is not OTLP: {error}"[:200]) from error

    def _body(self) -> bytes:
        size = self.headers.get("Content-Length", "")
        if not size.isdecimal():
            self.close_connection = True
            raise Refused(411, "a request without a length")
        if int(size) > MOST_BYTES:
            self.close_connection = True
            raise Refused(413, "a request that is too large")
        return _unpacked(self.headers.get("Content-Encoding", ""), self.rfile.read(int(size)))

    def _answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing: what arrived is told at the end."""


def _unpacked(encoding: str, body: bytes) -> bytes:
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return body
    if name not in _INFLATE:
        raise Refused(415, f"the encoding {name[:40]!r}, which is not known")
    unpacker = zlib.decompressobj(_INFLATE[name])
    try:
        plain = unpacker.decompress(body, MOST_BYTES)
    except zlib.error as error:
        raise Refused(400, f"a body that is not {name}") from error
    if unpacker.unconsumed_tail:
        raise Refused(413, "a request that is too large")
    return plain


def _items(kind: str, body: bytes) -> Iterator[RawSpan | RawLog]:
    if kind == _PROTOBUF:
        try:
            yield from read_protobuf(body)
        except FormatError as error:
            raise Refused(400, str(error)) from error
    elif kind == _JSON:
        yield from read_json(_decoded(body), lambda _: None)
    else:
        raise Refused(415, f"the content type {kind[:40]!r}, which is not OTLP")


def _decoded(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refused(400, "a body that is not JSON") from error
