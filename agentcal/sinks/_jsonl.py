"""Runs appended to a JSONL file that outlives crashes and does not grow without end."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic_core import PydanticSerializationError

from agentcal.errors import ConfigError
from agentcal.formats._write import encoded
from agentcal.sinks._lock import locked
from agentcal.trajectory import Trajectory

_FLAGS = os.O_APPEND | os.O_CREAT | os.O_RDWR | getattr(os, "O_CLOEXEC", 0)
_FLAGS |= getattr(os, "O_BINARY", 0)


class JsonlSink:
    """Appends one run a line to ``path``, to be read with :func:`agentcal.load`.

    A line goes out in one ``os.write``, so a killed process leaves whole lines and at most one torn
    one, which the next line does not touch. That holds for a killed process, not for a power cut:
    nothing is fsynced. Several processes may append to the same file.

    Before a line would make the file larger than ``max_bytes`` it is renamed: ``runs.jsonl`` to
    ``runs.1.jsonl``, that to ``runs.2.jsonl`` and so on. The newest ``keep`` of these are kept and
    **older ones are deleted**; ``max_bytes=None`` never rotates. A line is never split, so that a
    single run larger than ``max_bytes`` has a file of its own.

    Raises :class:`ConfigError` where the file cannot be opened, is to be gzipped, or a number is
    out of range.
    """

    def __init__(
        self, path: str | Path, *, max_bytes: int | None = 256 * 2**20, keep: int = 8
    ) -> None:
        self.path = Path(path)
        if self.path.suffix == ".gz":
            raise ConfigError(f"{path}: appending works on plain JSONL; compress rotated files")
        if (max_bytes is not None and max_bytes < 1) or keep < 0:
            raise ConfigError(f"max_bytes={max_bytes}, keep={keep}: give at least 1 byte, 0 files")
        self._max_bytes, self._keep = max_bytes, keep
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._open()
        except OSError as error:
            raise ConfigError(f"{path}: cannot be appended to: {error}") from error

    def write(self, run: Trajectory) -> None:
        """Append the run. Raises ``OSError`` where the disk is full or the file gone."""
        line = _line(run)
        if self._max_bytes is not None and self._size() + len(line) > self._max_bytes:
            self._rotate(len(line))
        self._follow()
        self._append(line)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def _open(self) -> int:
        return os.open(self.path, _FLAGS, 0o644)

    def _size(self) -> int:
        return os.fstat(self._file).st_size

    def _append(self, line: bytes) -> None:
        if self._torn():
            line = b"\n" + line
        left = memoryview(line)
        while left:
            left = left[os.write(self._file, left) :]

    def _torn(self) -> bool:
        """Whether the last line has no end: a process was killed, or the disk was full."""
        size = self._size()
        return size > 0 and _read_at(self._file, size - 1) != b"\n"

    def _follow(self) -> None:
        """Go on in the new file if another process has rotated or removed this one."""
        try:
            same = os.path.samestat(os.stat(self.path), os.fstat(self._file))
        except FileNotFoundError:
            same = False
        if not same:
            os.close(self._file)
            self._file = self._open()

    def _rotate(self, needed: int) -> None:
        with locked(self.path.with_name(f".{self.path.name}.lock")):
            self._follow()
            size = self._size()
            if self._max_bytes is None or not size or size + needed <= self._max_bytes:
                return
            os.close(self._file)
            self._shift()
            self._file = self._open()

    def _shift(self) -> None:
        for number in range(self._keep, 0, -1):
            newer = self._numbered(number - 1) if number > 1 else self.path
            if newer.exists():
                newer.replace(self._numbered(number))
        if not self._keep:
            self.path.unlink(missing_ok=True)

    def _numbered(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.stem}.{number}{self.path.suffix}")


def _read_at(file: int, offset: int) -> bytes:
    os.lseek(file, offset, os.SEEK_SET)
    return os.read(file, 1)


def _line(run: Trajectory) -> bytes:
    head = f'{{"schema_version":{run.schema_version},'.encode()
    try:
        body = run.model_dump_json(exclude_defaults=True).encode()
    except PydanticSerializationError:
        body = encoded(run.model_dump(exclude_defaults=True))
    return head + body[1:] + b"\n"
