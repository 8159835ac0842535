"""What a format is: a name, a way to recognise a record, and a way to read one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeAlias, runtime_checkable

from agentcal.formats._report import Issue, Severity
from agentcal.trajectory import Trajectory

Record: TypeAlias = dict[str, Any] | list[Any]
"""One decoded JSON value: a line of a JSONL file, an item of a JSON list, or a whole document."""

SUFFIXES = (".gz", ".jsonl", ".ndjson", ".json")


@dataclass(slots=True)
class Context:
    """Where a record stands, and where a reader leaves its notes.

    ``label`` is the file's name, or its path where names repeat.
    """

    path: Path
    label: str
    line: int | None = None
    item: int | None = None
    notes: list[Issue] = field(default_factory=list)

    @property
    def stem(self) -> str:
        """The file's name without ``.json``, ``.jsonl``, ``.ndjson`` and ``.gz``."""
        name = self.path.name
        for suffix in SUFFIXES:
            name = name.removesuffix(suffix)
        return name

    @property
    def fallback_id(self) -> str:
        """A run id for records that bring none: file, line and item. Stable between loads."""
        return ":".join(str(p) for p in (self.label, self.line, self.item) if p is not None)

    def note(self, kind: str, why: str = "", fix: str = "", *, count: int = 1) -> None:
        """Say that something was odd about this record although its run is kept."""
        for note in self.notes:
            if (note.kind, note.why) == (kind, why):
                note.count += count
                return
        self.notes.append(self.issue("note", kind, why, fix, count=count))

    def issue(
        self, severity: Severity, kind: str, why: str = "", fix: str = "", *, count: int = 1
    ) -> Issue:
        """An issue that stands where this record stands."""
        return Issue(
            severity=severity,
            kind=kind,
            file=self.label,
            line=self.line,
            item=self.item,
            why=why,
            fix=fix,
            count=count,
        )


class Format(Protocol):
    """A format that :func:`agentcal.formats.load` can read.

    Files, compression, lines, JSON and duplicates are dealt with elsewhere: a format sees decoded
    records, one at a time.
    """

    @property
    def name(self) -> str:
        """What ``load(..., format=name)`` calls it."""

    @property
    def about(self) -> str:
        """One line: what it looks like. Shown where a file is in no known format."""

    def sniff(self, record: Record) -> bool:
        """Whether this record looks like this format's. Cheap, and it never raises."""

    def read(self, record: Record, context: Context) -> Trajectory | None:
        """The run in this record, or ``None`` for a record that belongs there but is not a run.

        Whatever it raises skips this record alone; the message ends up in the load report.
        """


@runtime_checkable
class Container(Format, Protocol):
    """A format whose records may hold many runs, such as one document for a whole experiment."""

    def split(self, record: Record) -> Iterable[Record] | None:
        """The runs inside as records for ``read``, or ``None`` where the record is one run."""


class Gathering(Protocol):
    """Records that only together hold runs, as far as they have come."""

    def add(self, record: Record | bytes, context: Context) -> None:
        """One more record. What it raises skips this record alone."""

    def runs(self) -> Iterator[tuple[Trajectory | None, Context]]:
        """The runs, each with the place it came from; ``None`` for what belongs there but is none.

        Asked once, when all files are read.
        """


@runtime_checkable
class Gatherer(Format, Protocol):
    """A format whose runs are spread over records and files, such as the spans of a trace."""

    def gather(self) -> Gathering:
        """Where the records of one pass over the files come together."""


@runtime_checkable
class Binary(Gatherer, Protocol):
    """A gatherer that also knows files that are no text."""

    def sniff_bytes(self, head: bytes) -> bool:
        """Whether a file that begins so looks like this format's. Cheap, and it never raises."""

    def records(self, data: bytes) -> Iterator[bytes]:
        """The records of such a file. Raises ``FormatError`` where the file is damaged."""
