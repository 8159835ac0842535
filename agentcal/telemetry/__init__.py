"""Spans, events and metrics out by the OpenTelemetry GenAI conventions; spans of others in.

:class:`SpanObserver` watches a recorder and emits. It needs the OpenTelemetry API alone, never sets
a global provider, and exports no content unless asked. ``docs/telemetry.md`` lists every attribute.

:class:`TrajectoryProcessor` puts trajectories together from the spans of anyone's tracer while they
end, :func:`runs_from_spans` from spans in memory, :func:`agentcal.load` from OTLP files.
``docs/telemetry-in.md`` says what each dialect can carry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentcal._lazy import lazily

if TYPE_CHECKING:
    from agentcal.telemetry._from_spans import runs_from_spans
    from agentcal.telemetry._observer import SpanObserver
    from agentcal.telemetry._processor import TrajectoryProcessor
    from agentcal.telemetry._processor_stats import ProcessorStats

_HOME = {
    "ProcessorStats": "_processor_stats",
    "SpanObserver": "_observer",
    "TrajectoryProcessor": "_processor",
    "runs_from_spans": "_from_spans",
}

__all__ = [
    "ProcessorStats",
    "SpanObserver",
    "TrajectoryProcessor",
    "runs_from_spans",
]


__getattr__ = lazily(__name__, _HOME)


def __dir__() -> list[str]:
    return sorted(__all__)
