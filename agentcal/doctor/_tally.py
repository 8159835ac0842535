"""Counters over runs that go by, of bounded size however many come."""

from __future__ import annotations

import re
from collections import Counter

from agentcal.doctor._counting import calls_of
from agentcal.doctor._diagnosis import Outcomes, SignalShare
from agentcal.doctor._origin import dialects
from agentcal.doctor._signals import SIGNALS
from agentcal.trajectory import Trajectory

_NAMES = 50
_NAME_LENGTH = 120
_GROUPS = 10_000
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_UNFINISHED = frozenset({"unknown", "interrupted"})

OTHERS = "..."


class Names:
    """Counts the first 50 names one by one and the rest together."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def add(self, name: str) -> None:
        """One more."""
        name = name[:_NAME_LENGTH]
        known = name in self._counts or len(self._counts) < _NAMES
        self._counts[name if known else OTHERS] += 1

    def counts(self) -> dict[str, int]:
        """The most frequent first."""
        return dict(self._counts.most_common())


class Tally:
    """What has been seen so far."""

    def __init__(self, success_at: float) -> None:
        self._success_at = success_at
        self._has, self._of = [0] * len(SIGNALS), [0] * len(SIGNALS)
        self._groups: set[int] = set()
        self._labelled = self._succeeded = 0
        self._sources = Names()
        self.runs = self.turns = self.calls = self.unfinished = self.with_gaps = 0
        self.agents, self.models, self.gaps = Names(), Names(), Names()
        self.ends, self.dialects = Names(), Names()

    def add(self, run: Trajectory) -> None:
        """One more run."""
        self.runs += 1
        self.turns += len(run.steps)
        self.calls += sum(1 for _ in calls_of(run))
        for at, signal in enumerate(SIGNALS):
            has, of = signal.count(run)
            self._has[at] += has
            self._of[at] += of
        self._who(run)
        self._label(run)
        self.ends.add(run.end_reason)
        self.unfinished += run.end_reason in _UNFINISHED
        self.with_gaps += bool(run.gaps)
        for gap in dict.fromkeys(_NUMBER.sub("N", gap) for gap in run.gaps):
            self.gaps.add(gap)
        for dialect in dialects(run):
            self.dialects.add(dialect)

    def _who(self, run: Trajectory) -> None:
        agents = {step.agent for step in run.steps if step.agent}
        for name in sorted(agents | ({run.agent} if run.agent else set())):
            self.agents.add(name)
        models = {step.model for step in run.steps if step.model}
        for name in sorted(models | ({run.model} if run.model else set())):
            self.models.add(name)

    def _label(self, run: Trajectory) -> None:
        if run.outcome is None:
            return
        self._labelled += 1
        self._succeeded += run.outcome.value >= self._success_at
        self._sources.add(run.outcome.source or "not said")
        if len(self._groups) < _GROUPS:
            self._groups.add(hash(run.group or run.task))

    def signals(self) -> list[SignalShare]:
        """The share of every signal."""
        return [
            SignalShare(name=s.name, title=s.title, per=s.per, has=has, of=of)
            for s, has, of in zip(SIGNALS, self._has, self._of, strict=True)
        ]

    def outcomes(self) -> Outcomes:
        """The labels."""
        return Outcomes(
            labelled=self._labelled,
            succeeded=self._succeeded,
            success_at=self._success_at,
            groups=len(self._groups),
            sources=self._sources.counts(),
        )
