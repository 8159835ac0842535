"""Writing runs so that a crash never leaves half a file."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from agentcal._files import write_lines
from agentcal._json import as_json
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
