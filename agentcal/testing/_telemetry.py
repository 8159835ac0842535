"""OpenTelemetry signals kept in memory, with providers that nobody else sees."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from opentelemetry.sdk._logs import LoggerProvider, ReadableLogRecord
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter


class CapturedTelemetry:
    """Three providers to pass on, and what was recorded through them so far."""

    def __init__(self, span_processors: Sequence[SpanProcessor] = ()) -> None:
        self._spans = InMemorySpanExporter()
        self._logs = InMemoryLogRecordExporter()  # type: ignore[no-untyped-call]
        self._reader = InMemoryMetricReader()
        self.tracer_provider = TracerProvider(shutdown_on_exit=False)
        for processor in (SimpleSpanProcessor(self._spans), *span_processors):
            self.tracer_provider.add_span_processor(processor)
        self.logger_provider = LoggerProvider(shutdown_on_exit=False)
        self.logger_provider.add_log_record_processor(SimpleLogRecordProcessor(self._logs))
        self.meter_provider = MeterProvider([self._reader], shutdown_on_exit=False)

    @property
    def spans(self) -> list[ReadableSpan]:
        """The ended spans, in the order in which they ended."""
        return list(self._spans.get_finished_spans())

    @property
    def events(self) -> list[ReadableLogRecord]:
        """The log records that have an event name, oldest first."""
        return [record for record in self.logs if record.log_record.event_name]

    @property
    def logs(self) -> list[ReadableLogRecord]:
        """All log records, oldest first."""
        return list(self._logs.get_finished_logs())

    @property
    def metrics(self) -> dict[str, list[Any]]:
        """The data points of each metric by its name, as of now."""
        data = self._reader.get_metrics_data()
        found: dict[str, list[Any]] = {}
        for resource in [] if data is None else data.resource_metrics:
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    found.setdefault(metric.name, []).extend(metric.data.data_points)
        return found

    def clear(self) -> None:
        """Forget spans and log records; metrics are cumulative and stay."""
        self._spans.clear()
        self._logs.clear()

    def shutdown(self) -> None:
        """Shut the providers down; what was captured stays readable, metrics apart."""
        self.tracer_provider.shutdown()
        self.logger_provider.shutdown()
        self.meter_provider.shutdown()


@contextmanager
def capture_telemetry(
    span_processors: Sequence[SpanProcessor] = (),
) -> Iterator[CapturedTelemetry]:
    """Providers of traces, logs and metrics that keep everything in memory.

    No global provider is set: hand ``tracer_provider``, ``logger_provider`` and ``meter_provider``
    to what is tested. ``span_processors`` are added behind the one that captures.
    """
    captured = CapturedTelemetry(span_processors)
    try:
        yield captured
    finally:
        captured.shutdown()
