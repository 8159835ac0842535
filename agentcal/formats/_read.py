"""One file: from its records to runs, with every misfit accounted for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError

from agentcal.errors import AgentcalError, FormatError
from agentcal.formats._format import Binary, Container, Context, Format, Gatherer, Gathering
from agentcal.formats._paths import Source
from agentcal.formats._records import Raw, records
from agentcal.formats._report import NO_RUN, Issue, LoadReport
from agentcal.formats._seen import Seen
from agentcal.formats._stream import Stream
from agentcal.trajectory import Trajectory

PATIENCE = 1000
"""A file whose first 1,000 records are in no known format is given up."""

_PLACES = 10_000
_HEAD = 64


_FIX_JSON = "The line may be cut off or hold a stray character; repair it or log the run again."
_FIX_RECORD = "Correct or remove it; docs/formats.md says which field goes where."


class UnknownFormat(FormatError):  # noqa: N818 - reads as the finding that it is
    """No record of the file is in a known format."""


class UnreadableFile(FormatError):  # noqa: N818 - reads as the finding that it is
    """The format is known, and yet nothing of the file can be read."""


@dataclass(slots=True)
class Tally:
    """What one pass over all files has seen: the report and the ids of the runs."""

    report: LoadReport = field(default_factory=LoadReport)
    _gathered: dict[str, tuple[Format, Gathering]] = field(default_factory=dict)
    _seen: Seen = field(default_factory=Seen)

    def gathering(self, known: Gatherer) -> Gathering:
        """Where the records of a format come together that only then are runs."""
        return self._gathered.setdefault(known.name, (known, known.gather()))[1]

    def gathered(self) -> Iterator[Trajectory]:
        """The runs that came together, once all files are read."""
        for known, gathering in self._gathered.values():
            for run, context in gathering.runs():
                if run is None:
                    self.take_notes(context)
                elif self.accept(run, known, context):
                    yield run

    def accept(self, run: Trajectory, known: Format, context: Context) -> bool:
        """Count a run and the notes on it, unless there is one with its id already."""
        report, here = self.report, context.issue("skipped", "duplicate run id").where
        first = self._seen.before(run.run_id, here)
        if first is not None:
            fix = "Give every run an id of its own, or remove the copy."
            issue = context.issue("skipped", "duplicate run id", f"first seen at {first}", fix)
            report.add(issue.model_copy(update={"run_id": run.run_id}))
            return False
        self.take_notes(context, run.run_id)
        report.read += 1
        report.labelled += run.outcome is not None
        report.formats[known.name] = report.formats.get(known.name, 0) + 1
        return True

    def take_notes(self, context: Context, run_id: str | None = None) -> None:
        """Enter the notes on a record into the report."""
        for note in context.notes:
            self.report.add(note.model_copy(update={"run_id": run_id}))


class FileReader:
    """Reads one file. Raises :class:`UnknownFormat` when nothing in it is in a known format."""

    def __init__(self, source: Source, formats: tuple[Format, ...], tally: Tally) -> None:
        self._source, self._formats, self._tally = source, formats, tally
        # With one format nothing is to be detected: what it cannot read is its own complaint.
        self._recognised = len(formats) == 1
        self._held: list[Issue] = []

    def runs(self, stream: Stream) -> Iterator[Trajectory | None]:
        """The runs in the order of the file. ``OSError`` where it cannot be opened.

        ``None`` stands for a record that is a part of runs which the tally has when all is read.
        """
        binary = self._binary()
        if binary is not None:
            yield from self._from_bytes(binary, stream)
        else:
            yield from self._from_text(stream)

    def _binary(self) -> Binary | None:
        """The format of a file that is no text."""
        able = [known for known in self._formats if isinstance(known, Binary)]
        head = next(Stream(self._source.path).chunks(), b"")[:_HEAD] if able else b""
        return next((known for known in able if known.sniff_bytes(head)), None)

    def _from_bytes(self, known: Binary, stream: Stream) -> Iterator[None]:
        context = Context(self._source.path, self._source.label)
        gathering, damage, done = self._tally.gathering(known), "", 0
        try:
            for item, record in enumerate(known.records(b"".join(stream.chunks())), 1):
                gathering.add(record, replace(context, item=item))
                done = item
                yield None
        except FormatError as error:
            damage = str(error)
            if not done:
                raise UnreadableFile(f"{self._source.label}: {error}") from error
        self._damaged(context, stream.damage or damage)

    def _from_text(self, stream: Stream) -> Iterator[Trajectory | None]:
        context = Context(self._source.path, self._source.label)
        hollow, seen = 0, False
        for raw in records(stream, lambda value: self._format_of(value) is not None):
            if raw.value == []:
                hollow += 1
                continue
            seen = True
            yield from self._runs(raw)
            if len(self._held) >= PATIENCE:
                break
        if not seen and stream.damage is None:
            self._tally.report.add(context.issue("note", "file is empty"))
        elif not self._recognised:
            raise UnknownFormat(self._not_recognised(stream))
        elif hollow:
            self._tally.report.add(context.issue("note", NO_RUN, "an empty list", count=hollow))
        self._damaged(context, stream.damage)

    def _damaged(self, context: Context, why: str | None) -> None:
        if why:
            fix = "The runs before the damage were kept; copy or export the file again."
            self._tally.report.add(context.issue("skipped", "file is damaged", why, fix))

    def _format_of(self, value: Any) -> Format | None:
        if not isinstance(value, (dict, list)):
            return None
        return next((known for known in self._formats if _sniffs(known, value)), None)

    def _runs(self, raw: Raw) -> Iterator[Trajectory | None]:
        context = Context(self._source.path, self._source.label, raw.line, raw.item)
        if raw.problem:
            self._skip(context.issue("skipped", "not valid JSON", raw.problem, _FIX_JSON))
            return
        known = self._format_of(raw.value)
        if known is None:
            whole = isinstance(raw.value, (dict, list))
            kind = "not in a known format" if whole else "not a JSON object"
            self._skip(context.issue("skipped", kind, f"it is {_kind(raw.value)}", _FIX_RECORD))
            return
        self._recognise()
        if isinstance(known, Gatherer):
            self._gather(known, raw, context)
            yield None
            return
        for item, value in self._pieces(known, raw, context):
            place = replace(context, item=item, notes=[])
            _note_repair(raw, place)
            run = self._read(known, value, place)
            if run is not None:
                yield run

    def _gather(self, known: Gatherer, raw: Raw, context: Context) -> None:
        """A record that is a part of runs."""
        _note_repair(raw, context)
        try:
            self._tally.gathering(known).add(raw.value, context)
        except Exception as error:  # as in reading: one record is lost
            self._skip(context.issue("skipped", "record is not valid", _told(error), _FIX_RECORD))
        self._tally.take_notes(context)
        context.notes = []

    def _pieces(
        self, known: Format, raw: Raw, context: Context
    ) -> Iterator[tuple[int | None, Any]]:
        """The record, or what a container holds, counted from 1."""
        try:
            inside = known.split(raw.value) if isinstance(known, Container) else None
            pieces = None if inside is None else list(inside)
        except Exception as error:  # as in reading: one record is lost
            self._skip(context.issue("skipped", "run is not valid", _told(error), _FIX_RECORD))
            return
        if pieces is None:
            yield raw.item, raw.value
            return
        yield from enumerate(pieces, 1)
        if not pieces:
            self._tally.report.add(context.issue("note", NO_RUN))

    def _read(self, known: Format, value: Any, context: Context) -> Trajectory | None:
        try:
            run = known.read(value, context)
        except Exception as error:  # a format may be anybody's: one record is lost
            self._skip(context.issue("skipped", "run is not valid", _told(error), _FIX_RECORD))
            return None
        return run if run is None or self._tally.accept(run, known, context) else None

    def _skip(self, issue: Issue) -> None:
        if self._recognised:
            self._tally.report.add(issue)
        else:
            self._held.append(issue)

    def _recognise(self) -> None:
        """From now on the file is one of ours, and what was odd before counts one by one."""
        self._recognised = True
        for issue in self._held:
            self._tally.report.add(issue)
        self._held = []

    def _not_recognised(self, stream: Stream) -> str:
        first = self._held[0] if self._held else None
        found = f"{first.kind} ({first.why})" if first else stream.damage or "no record"
        known = "".join(f"\n  {known.about}" for known in self._formats)
        return (
            f"{self._source.label}: in no known format; what stands first in it: {found}. "
            f"Known formats:{known}\nSee docs/formats.md for bringing a format of your own."
        )


def _note_repair(raw: Raw, context: Context) -> None:
    if raw.repaired:
        fix = "Unreadable characters were replaced by U+FFFD; write the file as UTF-8."
        context.note("invalid unicode", fix=fix)


def _sniffs(known: Format, value: Any) -> bool:
    """Whether it says that the record is its own. One that raises has not said so."""
    try:
        return known.sniff(value)
    except Exception:  # a format may be anybody's, and the next one may know the record
        return False


def _kind(value: Any) -> str:
    if isinstance(value, dict):
        keys = ", ".join(repr(key)[:40] for key in list(value)[:8])
        return f"an object with the keys {keys}" if keys else "an empty object"
    names = {list: "a list", str: "text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


def _told(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
        return f"{place}: {first['msg']}{more}"
    if isinstance(error, KeyError):
        return f"the field {error} is missing"
    return str(error) if isinstance(error, AgentcalError) else f"{type(error).__name__}: {error}"
