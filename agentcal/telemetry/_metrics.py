"""Counts and histograms; every attribute has few values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from opentelemetry.context import Context
from opentelemetry.metrics import MeterProvider, get_meter
from opentelemetry.util.types import AttributeValue

from agentcal.recorder import Review
from agentcal.telemetry import _names as n
from agentcal.telemetry._moments import Turn

if TYPE_CHECKING:
    from agentcal.policy import Decision

_SHARES: Final = [k / 20 for k in range(1, 20)]
# The two boundary lists that the conventions ask for.
_SECONDS: Final = [0.01 * 2**k for k in range(14)]
_TOKENS: Final = [4.0**k for k in range(14)]
_SCORING_SECONDS: Final = [0.0001 * 2**k for k in range(12)]
_HOUR_S: Final = 3600.0
_WAITING_SECONDS: Final = [
    *(1.0, 5.0, 15.0, 60.0, 300.0, 900.0),
    *(_HOUR_S * hours for hours in (1, 4, 24, 7 * 24)),
]


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
        self._verdicts = meter.create_counter(
            n.VERDICTS, "{decision}", "Decisions of a policy, on calls and on answers."
        )
        self._reviews = meter.create_counter(
            n.REVIEWS, "{review}", "Answers of people whom a policy had asked."
        )
        self._waited = meter.create_histogram(
            n.REVIEW_DURATION,
            "s",
            "Time from a policy's question to the answer.",
            explicit_bucket_boundaries_advisory=_WAITING_SECONDS,
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

    def verdict(self, decision: Decision, where: Context) -> None:
        """A policy decided."""
        attributes: dict[str, AttributeValue] = {
            n.DECISION_VERDICT: decision.verdict.value,
            n.DECISION_BY: decision.by,
            n.DECISION_MODE: decision.mode,
        }
        self._verdicts.add(1, attributes, where)

    def review(self, review: Review, where: Context) -> None:
        """Somebody answered to a decision."""
        attributes: dict[str, AttributeValue] = {n.REVIEW_ANSWER: review.answer}
        self._reviews.add(1, attributes, where)
        if review.waited_s is not None:
            self._waited.record(review.waited_s, attributes, where)

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
