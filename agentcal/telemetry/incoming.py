"""From exports to runs, piece by piece: for the rooms of agentcal that read or receive spans.

:func:`read_json` and :func:`read_protobuf` take an export apart, :class:`Collector` puts runs of
many exports together, :class:`Trace` those of one trace, and :class:`Joiner` the parts of a run
that was interrupted. :func:`facts_of` says what a span tells in its dialect.
"""

from __future__ import annotations

from agentcal.telemetry._collect import Collector, Trace
from agentcal.telemetry._dialects import facts_of
from agentcal.telemetry._join import Joiner
from agentcal.telemetry._otlp_json import is_otlp, read_json
from agentcal.telemetry._otlp_proto import exports, looks_like_protobuf, read_protobuf
from agentcal.telemetry._raw import RawLog, RawSpan

__all__ = [
    "Collector",
    "Joiner",
    "RawLog",
    "RawSpan",
    "Trace",
    "exports",
    "facts_of",
    "is_otlp",
    "looks_like_protobuf",
    "read_json",
    "read_protobuf",
]
