"""An HTTP server on 127.0.0.1 that runs while it is used as a context manager."""

from __future__ import annotations

import threading
from http.server import ThreadingHTTPServer
from types import TracebackType
from typing import Self

HOST = "127.0.0.1"
_POLL_S = 0.05


class Loopback:
    """Serves ``server``, which must be bound to :data:`HOST`, in a thread called ``name``."""

    def __init__(self, server: ThreadingHTTPServer, name: str) -> None:
        self._server = server
        self._thread = threading.Thread(
            target=server.serve_forever, args=(_POLL_S,), name=name, daemon=True
        )

    @property
    def endpoint(self) -> str:
        """``http://127.0.0.1:PORT``, as ``OTEL_EXPORTER_OTLP_ENDPOINT`` takes it."""
        return f"http://{HOST}:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
