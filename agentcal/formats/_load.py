"""Loading runs from anywhere: lazy, re-iterable, and with an account of what was left out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from agentcal._progress import reading
from agentcal.errors import FormatError
from agentcal.formats._format import Context, Format
from agentcal.formats._paths import AnyPath, Source, sources
from agentcal.formats._read import FileReader, Tally, UnknownFormat, UnreadableFile
from agentcal.formats._registry import chosen
from agentcal.formats._report import LoadReport
from agentcal.formats._stream import Stream
from agentcal.trajectory import Trajectory


class LoadedRuns:
    """Runs that are read while one iterates, each time anew from the files.

    ``report`` is the account of the latest pass; it is whole once the pass has come to its end.
    """

    def __init__(
        self, files: tuple[Source, ...], formats: tuple[Format, ...], *, progress: bool = True
    ) -> None:
        self._sources, self._formats, self._progress = files, formats, progress
        self._report = LoadReport()

    @property
    def files(self) -> tuple[Path, ...]:
        """The files in the order in which they are read."""
        return tuple(source.path for source in self._sources)

    @property
    def report(self) -> LoadReport:
        """What the latest pass read, skipped and noted; ``complete`` says whether it has ended."""
        return self._report

    def __repr__(self) -> str:
        names = ", ".join(source.label for source in self._sources[:3])
        more = f", and {len(self._sources) - 3} more" if len(self._sources) > 3 else ""
        return f"LoadedRuns({names}{more})"

    def __iter__(self) -> Iterator[Trajectory]:
        return (run for run in self.steps() if run is not None)

    def steps(self) -> Iterator[Trajectory | None]:
        """One pass; ``None`` where a record was read that is a part of a run to come."""
        tally = Tally()
        self._report = tally.report
        with reading(self.files, show=self._progress) as advance:
            for source in self._sources:
                yield from self._file(source, tally, advance)
        yield from tally.gathered()
        tally.report.complete = True

    def _file(
        self, source: Source, tally: Tally, advance: Callable[[int], None]
    ) -> Iterator[Trajectory | None]:
        reader = FileReader(source, self._formats, tally)
        try:
            yield from reader.runs(Stream(source.path, advance))
            tally.report.files += 1
        except UnknownFormat as error:
            if source.alone:
                raise
            _skip_file(source, tally, "file is in no known format", str(error).splitlines()[0])
        except UnreadableFile as error:
            if source.alone:
                raise
            _skip_file(source, tally, "file cannot be read", str(error))
        except OSError as error:
            if source.alone:
                raise FormatError(f"{source.path}: cannot be opened: {error}") from error
            _skip_file(source, tally, "file cannot be opened", str(error))


def _skip_file(source: Source, tally: Tally, kind: str, why: str) -> None:
    tally.report.files_skipped += 1
    fix = "Move it elsewhere if it holds no runs; docs/formats.md says what can be read."
    issue = Context(source.path, source.label).issue("skipped", kind, why, fix)
    tally.report.add(issue)


def load(
    path: AnyPath | Iterable[AnyPath],
    *,
    format: str | Format = "auto",  # noqa: A002 - the word that users expect
    progress: bool = True,
) -> LoadedRuns:
    """Read recorded runs from a file, a folder, a glob, or a list of these.

    Formats are told apart by content, record by record: agentcal JSONL, ATIF, AgentDojo, tau-bench,
    tau2-bench, ``local_llm``, Who&When, LangChain messages, OpenAI Responses, OpenAI-style chat,
    OpenTelemetry exports (JSON or protobuf) and what other distributions bring, plain or gzipped.
    JSONL is read line by line, so that a file may be larger than memory; a JSON list or document is
    held in memory while it is read. Spans of a trace may lie anywhere: runs that are told by spans
    come last, when all files are read.

    Nothing is read before the first iteration but the first run of a single file, to tell at once
    whether it can be read. Bad input is skipped or noted in ``report`` and costs no good run.

    Args:
        path: Where the runs are. Of a folder, the files below it that end in ``.json``, ``.jsonl``
            or ``.ndjson``, also with ``.gz``; a file that is named itself may be called anything.
        format: ``"auto"``, the name of a format in ``FORMATS``, or a :class:`Format` of your own.
        progress: Show a progress bar by bytes where standard error is a terminal.

    Raises:
        FormatError: A path does not exist, a glob or folder holds nothing to read, or the one file
            that was named is in no known format.
        ConfigError: ``format`` is not the name of a format.
    """
    files, formats = sources(path), chosen(format)
    runs = LoadedRuns(files, formats, progress=progress)
    if files[0].alone:
        next(LoadedRuns(files, formats, progress=False).steps(), None)
    return runs
