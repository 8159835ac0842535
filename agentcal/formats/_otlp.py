"""OpenTelemetry exports: spans of many traces, in any order and over many files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar

from agentcal.errors import FormatError
from agentcal.formats._format import Context, Record
from agentcal.formats._report import NO_RUN
from agentcal.trajectory import Trajectory

if TYPE_CHECKING:
    from agentcal.telemetry.incoming import Collector, RawLog, RawSpan

_KEYS = ("resourceSpans", "resource_spans", "resourceLogs", "resource_logs", "batches", "trace")


class Otlp:
    """``{"resourceSpans": [...]}`` as JSON, or the same as protobuf.

    Spans in the dialects of the GenAI conventions, OpenInference, OpenLLMetry and agentcal are put
    together to runs once all files are read; ``docs/telemetry-in.md`` says what each can carry.
    """

    name: ClassVar[str] = "otlp"
    about: ClassVar[str] = 'OpenTelemetry: {"resourceSpans": [...]}, or the same as protobuf'

    def sniff(self, record: Record) -> bool:
        """An export of spans or of log records."""
        if not isinstance(record, dict) or not any(key in record for key in _KEYS):
            return False
        from agentcal.telemetry.incoming import is_otlp  # noqa: PLC0415 - heavy

        return is_otlp(record)

    def read(self, record: Record, context: Context) -> Trajectory | None:
        """The first run in one export by itself; :meth:`gather` is for all of them."""
        gathered = self.gather()
        gathered.add(record, context)
        return next((run for run, _ in gathered.runs() if run is not None), None)

    def gather(self) -> Gathered:
        """Where the spans of many records come together."""
        return Gathered()

    def sniff_bytes(self, head: bytes) -> bool:
        """Whether a file that begins so may be OTLP as protobuf."""
        from agentcal.telemetry.incoming import looks_like_protobuf  # noqa: PLC0415 - heavy

        return looks_like_protobuf(head)

    def records(self, data: bytes) -> Iterator[bytes]:
        """The requests in a protobuf file."""
        from agentcal.telemetry.incoming import exports  # noqa: PLC0415 - heavy

        return exports(data)


class Gathered:
    """Spans gathered so far, and where each trace was first met."""

    def __init__(self) -> None:
        from agentcal.telemetry.incoming import Collector  # noqa: PLC0415 - heavy

        self._collector: Collector = Collector()
        self._places: dict[str, Context] = {}

    def add(self, record: Record | bytes, context: Context) -> None:
        """One more export. Raises :class:`FormatError` for bytes that are none."""
        found = 0
        for item in _items(record, context):
            found += 1
            self._places.setdefault(item.trace_id, context)
            self._collector.add(item)
        if not found:
            if isinstance(record, bytes):
                raise FormatError("no span and no log record in it")
            context.note(NO_RUN, "no span and no log record of one")

    def runs(self) -> Iterator[tuple[Trajectory | None, Context]]:
        """The runs, each with the place of its trace; ``None`` for a trace without any."""
        for run, context in self._collector.runs(lambda trace_id: self._places[trace_id]):
            if run is None:
                context.note(NO_RUN, "a trace without a model turn or a tool")
            yield run, context


def _items(record: Any, context: Context) -> Iterator[RawSpan | RawLog]:
    from agentcal.telemetry import incoming  # noqa: PLC0415 - heavy

    if isinstance(record, bytes):
        return incoming.read_protobuf(record)
    fix = "It was left out; the rest of its trace is kept."
    return incoming.read_json(record, lambda why: context.note("span is not valid", why, fix))
