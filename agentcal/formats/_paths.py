"""From what the user names to the files that are read: a file, a folder, a glob, or several."""

from __future__ import annotations

import glob
import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from agentcal.errors import FormatError

AnyPath: TypeAlias = str | os.PathLike[str]

SUFFIXES = tuple(
    kind + gz for kind in (".json", ".jsonl", ".ndjson", ".binpb", ".pb") for gz in ("", ".gz")
)


@dataclass(frozen=True, slots=True)
class Source:
    """A file to read; ``label`` names it in reports, ``alone``: it is all that was asked for."""

    path: Path
    label: str
    alone: bool = False


def sources(paths: AnyPath | Iterable[AnyPath]) -> tuple[Source, ...]:
    """The files, each once, those of a folder in the order of their names.

    A label is the file's name (in a folder: its path below the folder), or its whole path where two
    files would share a label. Raises :class:`FormatError` for a path that does not exist, a glob
    that matches nothing, and a folder that holds no file with a known suffix.
    """
    given = [Path(paths)] if isinstance(paths, (str, os.PathLike)) else [Path(p) for p in paths]
    if not given:
        raise FormatError("no path was given; name a file, a folder or a glob")
    found: dict[str, tuple[Path, str]] = {}
    for path in given:
        for file, label in _expand(path.expanduser()):
            found.setdefault(os.path.realpath(file), (file, label))
    times = Counter(label for _, label in found.values())
    alone = len(given) == 1 and given[0].expanduser().is_file()
    return tuple(
        Source(file, label if times[label] == 1 else file.as_posix(), alone)
        for file, label in found.values()
    )


def _expand(path: Path) -> list[tuple[Path, str]]:
    if path.is_dir():
        return _folder(path)
    if path.exists():
        return [(path, path.name)]
    if any(sign in str(path) for sign in "*?["):
        return _matches(path)
    raise FormatError(f"{path}: no such file or folder (seen from {Path.cwd()}); check the path")


def _readable(path: Path) -> bool:
    return path.name.lower().endswith(SUFFIXES) and path.is_file()


def _folder(folder: Path) -> list[tuple[Path, str]]:
    inside = ((file, file.relative_to(folder)) for file in sorted(folder.rglob("*")))
    found = [
        (file, below.as_posix())
        for file, below in inside
        if _readable(file) and not any(part.startswith(".") for part in below.parts)
    ]
    if not found:
        raise FormatError(f"{folder}: holds no file that ends in {', '.join(SUFFIXES)}")
    return found


def _matches(pattern: Path) -> list[tuple[Path, str]]:
    """Files and folders that match; of the files those with a known suffix, if there are any."""
    matched = [Path(match) for match in sorted(glob.glob(str(pattern), recursive=True))]
    files = [path for path in matched if path.is_file()]
    known = [path for path in files if _readable(path)] or files
    if known:
        return [(path, path.name) for path in known]
    inside = [pair for path in matched if path.is_dir() for pair in _folder(path)]
    if not inside:
        raise FormatError(f"{pattern}: no file matches this pattern; check the path")
    return inside
