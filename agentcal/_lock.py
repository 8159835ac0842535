"""One process at a time, where the system has file locks."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file ``path``. Windows has no ``fcntl``: there, only this process is safe."""
    if sys.platform == "win32":
        yield
        return
    import fcntl  # noqa: PLC0415 - not on Windows

    with path.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
