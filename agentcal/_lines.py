"""Lines appended to a file that outlives crashes, rotates, and can be shared."""

from __future__ import annotations

import os
import threading
import weakref
from itertools import pairwise
from pathlib import Path

from agentcal._lock import locked
from agentcal.errors import ConfigError

_FLAGS = os.O_APPEND | os.O_CREAT | os.O_RDWR | getattr(os, "O_CLOEXEC", 0)
_FLAGS |= getattr(os, "O_BINARY", 0)
_ALL: weakref.WeakSet[LineFile] = weakref.WeakSet()


class LineFile:
    """The file at ``path``, from any thread and any number of processes.

    What is appended at once goes out in one ``os.write``. Before that would make the file larger
    than ``max_bytes`` the file is renamed: ``x.jsonl`` to ``x.1.jsonl``, that to ``x.2.jsonl`` and
    so on; the newest ``keep`` of these are kept.

    Raises :class:`ConfigError` where the file cannot be opened, is to be gzipped, or a number is
    out of range.
    """

    def __init__(self, path: str | Path, *, max_bytes: int | None, keep: int) -> None:
        self.path = Path(path)
        if self.path.suffix == ".gz":
            raise ConfigError(f"{path}: appending works on plain JSONL; compress rotated files")
        if (max_bytes is not None and max_bytes < 1) or keep < 0:
            raise ConfigError(f"max_bytes={max_bytes}, keep={keep}: give at least 1 byte, 0 files")
        self._max_bytes, self._keep = max_bytes, keep
        self._lock = threading.Lock()
        self._file: int | None = None
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._current()
        except OSError as error:
            raise ConfigError(f"{path}: cannot be appended to: {error}") from error
        _ALL.add(self)

    def append(self, lines: bytes) -> None:
        """Append whole lines. Raises ``OSError`` where the disk is full, say."""
        with self._lock:
            file = self._current()
            if self._is_full(file, len(lines)):
                file = self._rotate(len(lines))
            if _ends_torn(file):
                lines = b"\n" + lines
            left = memoryview(lines)
            while left:
                left = left[os.write(file, left) :]

    def close(self) -> None:
        """Close the file; appending opens it again."""
        with self._lock:
            self._close()

    def after_fork(self) -> None:
        """In a child process: whoever held the lock is not there."""
        self._lock = threading.Lock()

    def _close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _current(self) -> int:
        """The file of that name, even if another process has rotated or removed the one before."""
        if self._file is not None and not _is_at(self.path, self._file):
            self._close()
        if self._file is None:
            self._file = os.open(self.path, _FLAGS, 0o644)
        return self._file

    def _is_full(self, file: int, more: int) -> bool:
        size = os.fstat(file).st_size
        return self._max_bytes is not None and size > 0 and size + more > self._max_bytes

    def _rotate(self, more: int) -> int:
        with locked(self.path.with_name(f".{self.path.name}.lock")):
            if self._is_full(self._current(), more):  # another process may have been quicker
                self._close()
                self._shift()
        return self._current()

    def _shift(self) -> None:
        names = [self.path, *(self._numbered(i) for i in range(1, self._keep + 1))]
        names[-1].unlink(missing_ok=True)
        for newer, older in reversed(list(pairwise(names))):
            if newer.exists():
                newer.replace(older)

    def _numbered(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.stem}.{number}{self.path.suffix}")


def _is_at(path: Path, file: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file))
    except FileNotFoundError:
        return False


def _ends_torn(file: int) -> bool:
    """Whether the last line has no end: a process was killed in it, or the disk was full."""
    size = os.fstat(file).st_size
    return size > 0 and _byte_at(file, size - 1) != b"\n"


def _byte_at(file: int, offset: int) -> bytes:
    if hasattr(os, "pread"):
        return os.pread(file, 1, offset)
    os.lseek(file, offset, os.SEEK_SET)
    return os.read(file, 1)


def _after_fork() -> None:
    for file in list(_ALL):
        file.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
