"""A span as it was recorded, whoever recorded it and however it was carried here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class RawEvent:
    """An event on a span, or a log record that names the span; ``body`` is that of the log."""

    name: str
    attributes: Mapping[str, Any]
    time_ns: int = 0
    body: Any = None


@dataclass(slots=True)
class RawLog:
    """A log record that belongs to a span."""

    trace_id: str
    span_id: str
    event: RawEvent


@dataclass(slots=True)
class RawSpan:
    """Ids are lower-case hexadecimal, times are nanoseconds since 1970, values are plain Python.

    ``remote``: the parent is known to be in another process. ``cut``: how many attributes, events
    and links were lost to limits of the tracer, as far as it says.
    """

    trace_id: str
    span_id: str
    parent_id: str | None
    name: str
    start_ns: int
    end_ns: int
    attributes: Mapping[str, Any]
    events: list[RawEvent] = field(default_factory=list)
    failed: bool = False
    status_message: str = ""
    scope: str = ""
    service: str | None = None
    remote: bool = False
    cut: int = 0
