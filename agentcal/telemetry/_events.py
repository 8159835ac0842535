"""Evaluation events: on a log where there is one, else on a span; never both."""

from __future__ import annotations

from collections.abc import Callable

from opentelemetry import trace
from opentelemetry._logs import (
    Logger,
    LoggerProvider,
    NoOpLogger,
    SeverityNumber,
    get_logger,
)
from opentelemetry.trace import Span
from opentelemetry.util.types import AttributeValue

from agentcal.telemetry import _names as n

Attributes = dict[str, AttributeValue]


class EvaluationEvents:
    """Emits ``gen_ai.evaluation.result``.

    A log-based event where a logger is enabled, that is, the provider given (or the global one)
    has somewhere to send log records to; a span event otherwise.
    """

    def __init__(self, provider: LoggerProvider | None, version: str) -> None:
        self._logger = get_logger(n.SCOPE, version, provider)

    def emit(self, said: Callable[[], Attributes], at_ns: int, *spans: Span) -> None:
        """Say something about ``spans[0]``, which may have ended: logs can name it all the same.

        An event of a span goes to the first of ``spans`` that is still recording.
        """
        if _enabled(self._logger):
            self._logger.emit(
                timestamp=at_ns,
                context=trace.set_span_in_context(spans[0]),
                severity_number=SeverityNumber.INFO,
                attributes=said(),
                event_name=n.EVALUATION_EVENT,
            )
            return
        span = next((span for span in spans if span.is_recording()), None)
        if span is not None:
            span.add_event(n.EVALUATION_EVENT, said(), at_ns)


def _enabled(logger: Logger) -> bool:
    ask = getattr(logger, "enabled", None)
    if ask is not None:
        return bool(ask(event_name=n.EVALUATION_EVENT))
    # Before API 1.45 a logger cannot be asked; one that does nothing is known by its class.
    return not isinstance(getattr(logger, "_logger", logger), NoOpLogger)
