"""Counts and histograms; every attribute has few values."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Final

from opentelemetry.context import Context
from opentelemetry.metrics import CallbackOptions, MeterProvider, Observation, get_meter
from opentelemetry.util.types import AttributeValue

from agentcal.telemetry import _names as n
from agentcal.telemetry._moments import Turn

_SHARES: Final = [k / 20 for k in range(1, 20)]
# The two boundary lists that the conventions ask for.
_SECONDS: Final = [0.01 * 2**k for k in range(14)]
_TOKENS: Final = [4.0**k for k in range(14)]


class Metrics:
    """The instruments of one observer."""

    def __init__(self, provider: MeterProvider | None, version: str) -> None:
        meter = get_meter(n.SCOPE, version, provider)
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, str]] = Counter()
        # Counted here and asked for at export: a tenth of what adding to a counter costs the agent.
        meter.create_observable_counter(
            n.DECISIONS, [self._decisions], "{decision}", "Decision points, scored or not."
        )
        self._confidence = meter.create_histogram(
            n.CONFIDENCE,
            "1",
            "Calibrated probability that the run succeeds, at each scored decision point.",
            explicit_bucket_boundaries_advisory=_SHARES,
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
        if turn.confidence is not None:
            attributes = {n.DECISION_KIND: turn.kind}
            self._confidence.record(turn.confidence.value, attributes, where)
        with self._lock:
            self._counts[turn.kind, turn.label] += 1

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

    def _decisions(self, _: CallbackOptions) -> list[Observation]:
        with self._lock:
            counts = dict(self._counts)
        return [
            Observation(count, {n.DECISION_KIND: kind, n.DECISION_LABEL: label})
            for (kind, label), count in counts.items()
        ]
