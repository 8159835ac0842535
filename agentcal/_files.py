"""Files that appear whole or not at all."""

from __future__ import annotations

import gzip
import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any


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
