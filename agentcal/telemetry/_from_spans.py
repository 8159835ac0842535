"""Runs from spans that are in memory."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from agentcal.formats import Context
from agentcal.telemetry._collect import Collector
from agentcal.telemetry._sdk import raw, raw_log
from agentcal.trajectory import Trajectory

if TYPE_CHECKING:
    from opentelemetry.sdk._logs import ReadableLogRecord
    from opentelemetry.sdk.trace import ReadableSpan


def runs_from_spans(
    spans: Iterable[ReadableSpan], logs: Iterable[ReadableLogRecord] = ()
) -> list[Trajectory]:
    """The runs that spans of the OpenTelemetry SDK tell of, the earliest first.

    They may come in any order and more than once; ``InMemorySpanExporter`` has such. ``logs`` are
    the log records that hold the messages, where a tracer puts them there. For files there is
    :func:`agentcal.load`, for a running program :class:`TrajectoryProcessor`.
    """
    collector = Collector()
    for span in spans:
        collector.add(raw(span))
    for log in logs:
        record = raw_log(log)
        if record is not None:
            collector.add(record)
    found = collector.runs(lambda _: Context(Path(), "spans"))
    return [run for run, _ in found if run is not None]
