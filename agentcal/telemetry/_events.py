"""One evaluation event for each decision point: on a log where there is one, else on the span."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry._logs import (
    Logger,
    LoggerProvider,
    NoOpLogger,
    SeverityNumber,
    get_logger,
)
from opentelemetry.context import Context
from opentelemetry.trace import Span
from opentelemetry.util.types import AttributeValue

from agentcal.telemetry import _names as n
from agentcal.telemetry._moments import Turn

if TYPE_CHECKING:
    from agentcal.calibration import Confidence

Attributes = dict[str, AttributeValue]


class EvaluationEvents:
    """Emits ``gen_ai.evaluation.result``.

    A log-based event where a logger is enabled, that is, the provider given (or the global one)
    has somewhere to send log records to; a span event otherwise; never both.
    """

    def __init__(self, provider: LoggerProvider | None, version: str) -> None:
        self._logger = get_logger(n.SCOPE, version, provider)

    def emit(self, turn: Turn, span: Span, where: Context) -> None:
        """Say what was thought of ``turn``; ``span`` (in ``where``) is the operation evaluated."""
        logged = _enabled(self._logger)
        if not logged and not span.is_recording():
            return
        attributes = _attributes(turn)
        if not logged:
            span.add_event(n.EVALUATION_EVENT, attributes, turn.end_ns)
            return
        self._logger.emit(
            timestamp=turn.end_ns,
            context=where,
            severity_number=SeverityNumber.INFO,
            attributes=attributes,
            event_name=n.EVALUATION_EVENT,
        )


def _enabled(logger: Logger) -> bool:
    ask = getattr(logger, "enabled", None)
    if ask is not None:
        return bool(ask(event_name=n.EVALUATION_EVENT))
    # Before API 1.45 a logger cannot be asked; one that does nothing is known by its class.
    return not isinstance(getattr(logger, "_logger", logger), NoOpLogger)


def _attributes(turn: Turn) -> Attributes:
    attributes: Attributes = {
        n.EVALUATION_NAME: n.SUCCESS_PROBABILITY,
        n.EVALUATION_LABEL: turn.label,
        n.RUN_ID: turn.run.run_id,
        n.TURN: turn.number,
        n.DECISION_KIND: turn.kind,
    }
    if turn.run.conversation is not None:
        attributes[n.CONVERSATION_ID] = turn.run.conversation
    if turn.confidence is None:
        attributes[n.ERROR_TYPE] = turn.label
        attributes[n.EVALUATION_EXPLANATION] = "no score for this decision point"
    else:
        attributes |= _scored(turn.confidence)
    return attributes


def _scored(c: Confidence) -> Attributes:
    seen = "runs like this one" if c.supported else "runs like this one, of which few were seen,"
    return {
        n.EVALUATION_VALUE: c.value,
        n.EVALUATION_EXPLANATION: f"{c.value:.0%} of {seen} succeed "
        f"(90% interval {c.low:.0%} to {c.high:.0%})",
        n.INTERVAL_LOW: c.low,
        n.INTERVAL_HIGH: c.high,
        n.THINNESS: c.thinness,
        n.SUPPORT: c.support,
        n.SUPPORTED: c.supported,
        n.FINGERPRINT: c.fingerprint,
    }
