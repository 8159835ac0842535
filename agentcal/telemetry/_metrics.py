"""Counts and histograms; every attribute has few values."""

from __future__ import annotations

from typing import Final

from opentelemetry.context import Context
from opentelemetry.metrics import MeterProvider, get_meter
from opentelemetry.util.types import AttributeValue

from agentcal.telemetry import _names as n
from agentcal.telemetry._moments import Turn

_SHARES: Final = [k / 20 for k in range(1, 20)]
# The two boundary lists that the conventions ask for.
_SECONDS: Final = [0.01 * 2**k for k in range(14)]
_TOKENS: Final = [4.0**k for k in range(14)]
_SCORING_SECONDS: Final = [0.0001 * 2**k for k in range(12)]


class Metrics:
    """The instruments of one observer."""

    def __init__(self, provider: MeterProvider | None, version: str) -> None:
        meter = get_meter(n.SCOPE, version, provider)
        self._decisions = meter.create_counter(
            n.DECISIONS, "{decision}", "Decision points, scored or not."
        )
        self._confidence = meter.create_histogram(
            n.CONFIDENCE,
            "1",
            "Calibrated probability that the run succeeds, at each scored decision point.",
            explicit_bucket_boundaries_advisory=_SHARES,
        )
        self._scoring = meter.create_histogram(
            n.SCORING_DURATION,
            "s",
            "Time that scoring a decision point took, or failing at it.",
            explicit_bucket_boundaries_advisory=_SCORING_SECONDS,
        )
        self._operation = meter.create_histogram(
            n.OPERATION_DURATION,
            "s",
            "Duration of a model call.",
            explicit_bucket_boundaries_advisory=_SECONDS,
        )
        self._tokens = meter.create_histogram(
            n.USED_TOKENS,
            "{token}",
            "Tokens that a model call consumed and produced.",
            explicit_bucket_boundaries_advisory=_TOKENS,
        )

    def decision(self, turn: Turn, where: Context) -> None:
        """A decision point was reached; exemplars point at the span in ``where``."""
        attributes: dict[str, AttributeValue] = {n.DECISION_KIND: turn.kind}
        if turn.confidence is not None:
            self._confidence.record(turn.confidence.value, attributes, where)
        labelled = {**attributes, n.DECISION_LABEL: turn.label}
        self._decisions.add(1, labelled, where)
        if turn.run.scoring_s is not None:
            self._scoring.record(turn.run.scoring_s, labelled, where)

    def chat(self, turn: Turn) -> None:
        """A model call, by the two client metrics of the GenAI conventions."""
        attributes: dict[str, AttributeValue] = {n.OPERATION_NAME: n.CHAT}
        if turn.model:
            attributes[n.REQUEST_MODEL] = turn.model
        if turn.step.latency_s is not None:
            self._operation.record(turn.step.latency_s, attributes)
        if turn.step.usage is None:
            return
        used = turn.step.usage
        for kind, tokens in (("input", used.input_tokens), ("output", used.output_tokens)):
            if tokens is not None:
                self._tokens.record(tokens, {**attributes, n.TYPE_OF_TOKENS: kind})
