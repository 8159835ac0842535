"""What a dialect is: a way to recognise its spans, and a way to read one."""

from __future__ import annotations

from typing import Protocol

from agentcal.telemetry._raw import RawSpan
from agentcal.telemetry._span import SpanFacts


class Dialect(Protocol):
    """How one family of tracers writes down what an agent does."""

    @property
    def name(self) -> str:
        """How it is called in ``gaps`` and in ``Trajectory.metadata``."""

    def speaks(self, span: RawSpan) -> bool:
        """Whether this span is in the dialect. Cheap: it is asked of every span."""

    def read(self, span: RawSpan) -> SpanFacts:
        """What the span says. It may raise: such a span counts as one that says nothing."""
