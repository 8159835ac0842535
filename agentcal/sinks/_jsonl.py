"""Runs appended to a JSONL file that outlives crashes and does not grow without end."""

from __future__ import annotations

from pathlib import Path

from agentcal._json import as_json
from agentcal._lines import LineFile
from agentcal.trajectory import Trajectory


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
        self._file = LineFile(path, max_bytes=max_bytes, keep=keep)
        self.path = self._file.path

    def write(self, run: Trajectory) -> None:
        """Append the run. Raises ``OSError`` where the disk is full, say."""
        self._file.append(as_json(run) + b"\n")

    def close(self) -> None:
        """Close the file; writing opens it again."""
        self._file.close()
