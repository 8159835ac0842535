"""Writing runs so that a crash never leaves half a file."""

from __future__ import annotations

import gzip
import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from pydantic_core import PydanticSerializationError, to_json

from agentcal.formats._json import scrub
from agentcal.formats._paths import AnyPath
from agentcal.trajectory import Trajectory


def write_jsonl(runs: Iterable[Trajectory], path: AnyPath) -> int:
    """Write one run a line (UTF-8; gzipped if the name ends in ``.gz``) and return their number.

    Everything goes to a temporary file beside ``path`` that takes its place at the end: after a
    crash, or an exception from ``runs``, the old file is still there, whole. So ``runs`` may be
    read from ``path`` itself. Reading gives back equal runs, save that lone surrogates become
    U+FFFD. Raises ``OSError`` where the folder does not exist or cannot be written to.
    """
    return write_lines((as_json(run) + b"\n" for run in runs), Path(path))


def write_lines(lines: Iterable[bytes], target: Path) -> int:
    """Write the lines to a file that appears whole or not at all, and return their number."""
    with draft_of(target) as draft:
        with draft.open("xb") as file:
            count = _write_all(lines, file, packed=target.name.endswith(".gz"))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
    return count


@contextmanager
def draft_of(target: Path) -> Iterator[Path]:
    """A name beside ``target`` to write to first; a file that is left there is removed."""
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    try:
        yield draft
    finally:
        if draft.is_file():
            draft.unlink()


def _write_all(lines: Iterable[bytes], file: IO[bytes], *, packed: bool) -> int:
    if not packed:
        return _write_each(lines, file.write)
    # Without name and time in its header the same runs give the same bytes.
    with gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=6, mtime=0) as archive:
        return _write_each(lines, archive.write)


def _write_each(lines: Iterable[bytes], write: Callable[[bytes], Any]) -> int:
    count = 0
    for line in lines:
        write(line)
        count += 1
    return count


def as_json(run: Trajectory) -> bytes:
    """One JSON document without line breaks; lone surrogates become U+FFFD."""
    # the version is a default and would be left out, but it is what marks the format
    head = f'{{"schema_version":{run.schema_version},'.encode()
    try:
        body = run.model_dump_json(exclude_defaults=True).encode()
    except PydanticSerializationError:
        body = encoded(run.model_dump(exclude_defaults=True))
    return head + body[1:]


def encoded(value: Any, *, indent: int | None = None) -> bytes:
    """The value as JSON; lone surrogates become U+FFFD, numbers that are not finite ``null``."""
    try:
        return to_json(value, inf_nan_mode="null", indent=indent)
    except PydanticSerializationError:
        return to_json(scrub(value), inf_nan_mode="null", indent=indent)
