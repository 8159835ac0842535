"""Writing runs as ATIF documents: a folder with a file a run, or lines of one file."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from agentcal._files import draft_of, write_lines
from agentcal._json import encoded
from agentcal.errors import ConfigError
from agentcal.formats._atif_write import VERSIONS, to_atif
from agentcal.formats._paths import AnyPath
from agentcal.trajectory import Trajectory

_LINES = (".jsonl", ".jsonl.gz")
_UNSAFE = re.compile(r"[^\w@+=-]+")
_LONGEST = 100


def write_atif(runs: Iterable[Trajectory], path: AnyPath, *, version: str = "1.7") -> int:
    """Write the runs as ATIF documents and return their number.

    A ``path`` that ends in ``.jsonl`` or ``.jsonl.gz`` becomes a file with one document a line;
    any other is a folder, new or empty, with a file for each run, named after its id. Either
    appears whole or not at all. Reading gives back equal runs, save that lone surrogates become
    U+FFFD, and a usage or log-probabilities without any number become ``None``.

    Raises :class:`ConfigError` for a folder that holds something, a file in the place of the
    folder, or a version other than "1.4" to "1.8"; ``OSError`` where nothing can be written.
    """
    if version not in VERSIONS:
        raise ConfigError(f"ATIF version {version!r} is not known; give one of {VERSIONS}")
    target = Path(path)
    if target.name.endswith(_LINES):
        return write_lines((encoded(to_atif(r, version=version)) + b"\n" for r in runs), target)
    return _write_folder(runs, target, version)


def _write_folder(runs: Iterable[Trajectory], target: Path, version: str) -> int:
    if target.is_file():
        raise ConfigError(f"{target} is a file; name a folder, or a file that ends in .jsonl")
    if target.is_dir() and any(target.iterdir()):
        raise ConfigError(f"{target} is not empty; name a new folder for the ATIF documents")
    names: set[str] = set()
    with draft_of(target) as draft:
        draft.mkdir()
        try:
            for run in runs:
                document = encoded(to_atif(run, version=version), indent=2)
                (draft / _name(run.run_id, names)).write_bytes(document + b"\n")
            if target.is_dir():
                target.rmdir()
            draft.rename(target)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return len(names)


def _name(run_id: str, used: set[str]) -> str:
    """A file name that no file system minds, and that no other run has."""
    base = _UNSAFE.sub("_", run_id).strip("_")[:_LONGEST] or "run"
    name, number = base, 1
    while name.casefold() in used:
        number += 1
        name = f"{base}-{number}"
    used.add(name.casefold())
    return f"{name}.json"
