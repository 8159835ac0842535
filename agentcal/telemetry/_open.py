"""What an observer keeps of runs that are going on, within bounds."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from opentelemetry.context import Context
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanContext
from opentelemetry.util.types import AttributeValue

from agentcal.telemetry import _names as n
from agentcal.telemetry._content import Said

if TYPE_CHECKING:
    from agentcal.calibration import Confidence
    from agentcal.telemetry._moments import Ruled

_MAX_OPEN = 20_000
_MAX_PAUSED = 10_000


@dataclass(slots=True)
class OpenRun:
    """One part of a run, from its start or resumption to its end or interruption.

    ``context``: where it began; ``link``: to where the part before it left off, if known.
    ``elsewhere``: somebody else makes its spans (``None``: not known yet), the nearest of which was
    ``outside``. ``root``: its own span, ``inside``: the context for what is under it. ``running``:
    when tools began (ns). ``heard``: results that no model turn has seen yet, kept for content.
    ``chats``: where each turn was told. ``held``: decisions on calls whose tools are yet to run.
    ``stopped``: calls, as (turn, position), that a gate or a person keeps from running.
    """

    context: Context
    started_ns: int
    resumed: bool = False
    link: Link | None = None
    elsewhere: bool | None = None
    outside: Span | None = None
    root: Span | None = None
    inside: Context | None = None
    running: dict[tuple[int, int], int] = field(default_factory=dict)
    heard: list[Said] = field(default_factory=list)
    chats: dict[int, SpanContext] = field(default_factory=dict)
    held: dict[tuple[int, int], Ruled] = field(default_factory=dict)
    stopped: set[tuple[int, int]] = field(default_factory=set)
    last: float | None = None
    lowest: float | None = None

    def note(self, confidence: Confidence) -> None:
        """Remember what the run's own span will say of its scores."""
        self.last = confidence.value
        self.lowest = min(confidence.value, self.lowest if self.lowest is not None else 1.0)

    def hold(self, ruled: Ruled) -> Ruled | None:
        """Keep a decision until its tool has run; gives back an earlier one on the same call."""
        place = ruled.decision.turn, ruled.decision.index
        before = self.held.pop(place, None)
        self.held[place] = ruled
        return before

    def spans_of(self, turn: int) -> list[Span]:
        """Where a turn belongs, the best place first: its own span, then that of the run."""
        chat = self.chats.get(turn)
        told: list[Span] = [] if chat is None else [NonRecordingSpan(chat)]
        return told if self.root is None else [*told, self.root]

    def scores(self) -> dict[str, AttributeValue]:
        """The last and the lowest score of this part of the run, if there was any."""
        if self.last is None or self.lowest is None:
            return {}
        return {n.CONFIDENCE_LAST: self.last, n.CONFIDENCE_LOWEST: self.lowest}


class OpenRuns:
    """Runs by id, and where those that wait for somebody left off; both bounded."""

    def __init__(self, drop: Callable[[OpenRun], None]) -> None:
        self._drop = drop
        self._lock = threading.Lock()
        self._open: dict[str, OpenRun] = {}
        self._paused: dict[str, SpanContext] = {}

    def __len__(self) -> int:
        return len(self._open)

    def add(self, run_id: str, run: OpenRun) -> None:
        """Keep a run; the oldest one gives way where there are too many."""
        with self._lock:
            given_up = [self._open.pop(run_id, None)]
            self._open[run_id] = run
            if len(self._open) > _MAX_OPEN:
                given_up.append(self._open.pop(next(iter(self._open))))
        for old in given_up:
            if old is not None:
                self._drop(old)

    def get(self, run_id: str) -> OpenRun | None:
        """The run, if it is known."""
        return self._open.get(run_id)

    def pop(self, run_id: str) -> OpenRun | None:
        """The run, which is forgotten."""
        with self._lock:
            return self._open.pop(run_id, None)

    def left_off(self, run_id: str, at: SpanContext) -> None:
        """A run waits; the span that ended there is what its next part will link to."""
        with self._lock:
            self._paused[run_id] = at
            if len(self._paused) > _MAX_PAUSED:
                self._paused.pop(next(iter(self._paused)))

    def takes_up(self, run_id: str) -> SpanContext | None:
        """Where an interrupted run left off, if it did so in this process."""
        with self._lock:
            return self._paused.pop(run_id, None)
