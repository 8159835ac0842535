"""The dialects of those who trace agents: one small file each.

A dialect of your own is a class with the members of :class:`Dialect`, added to ``DIALECTS``.
"""

from __future__ import annotations

from agentcal.telemetry._dialects._agentcal import Agentcal
from agentcal.telemetry._dialects._base import bare
from agentcal.telemetry._dialects._dialect import Dialect
from agentcal.telemetry._dialects._events import content_of
from agentcal.telemetry._dialects._gate_events import decided_turns, gate_events
from agentcal.telemetry._dialects._genai import GenAI
from agentcal.telemetry._dialects._openinference import OpenInference
from agentcal.telemetry._dialects._openllmetry import OpenLLMetry
from agentcal.telemetry._raw import RawSpan
from agentcal.telemetry._span import SpanFacts

DIALECTS: tuple[Dialect, ...] = (Agentcal(), OpenInference(), OpenLLMetry(), GenAI())
"""Asked in this order: the first that speaks reads the span."""


def facts_of(span: RawSpan) -> SpanFacts:
    """What a span says in the dialect that it is in; of one in none, only where it belongs."""
    for dialect in DIALECTS:
        if dialect.speaks(span):
            try:
                return dialect.read(span)
            except Exception:  # other people's data: one span is lost, the run is not
                lost = bare(span, dialect.name)
                lost.cut_off += 1
                return lost
    return bare(span)


__all__ = [
    "DIALECTS",
    "Agentcal",
    "Dialect",
    "GenAI",
    "OpenInference",
    "OpenLLMetry",
    "bare",
    "content_of",
    "decided_turns",
    "facts_of",
    "gate_events",
]
