"""What else could interrupt as many runs: by chance, by steps, by what the model itself says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

from agentcal.policy import Tier, Verdict
from agentcal.replays._recorded import EVERY, WRITING, RecordedRun
from agentcal.replays._signals import Signal, least_stated, least_sure, random_turns, step_count
from agentcal.replays._stop import Stop
from agentcal.replays._watch import Watched, watch

CALIBRATOR, ANYWHERE = "agentcal", "agentcal, at any step"
STATED, ALWAYS = "stated confidence", "always before writing"
MIN_STATED = 20
"""Stated confidence is a baseline where at least so many runs have it."""


class Rule(NamedTuple):
    """A signal with a limit, on the steps of ``reach`` (None: those that the policy may stop)."""

    method: str
    about: str
    signal: Signal
    reach: frozenset[Tier] | None = None


_RULES = (
    Rule(CALIBRATOR, "what the calibrator is least sure of", least_sure),
    Rule("step count", "a limit on the number of turns", step_count, EVERY),
    Rule(STATED, "what the model itself says, the lowest first", least_stated),
    Rule("random", "any step that the policy may stop, with one chance", random_turns),
    Rule(ANYWHERE, "what the calibrator is least sure of, whatever it calls", least_sure, EVERY),
)


class Rivals:
    """The baselines that ``runs`` allow; ``reach``: the tiers of steps that the policy may stop.

    Where the policy may stop some steps only, the calibrator itself is there once more at all.
    """

    def __init__(self, runs: Sequence[RecordedRun], reach: frozenset[Tier], seed: int) -> None:
        self.runs, self.reach, self._seed = runs, reach, seed
        self.absent = dict(_absent(runs))
        without = {*self.absent, ANYWHERE} if reach == EVERY else set(self.absent)
        self._rules = [rule for rule in _RULES if rule.method not in without]
        self.about = {rule.method: rule.about for rule in self._rules}

    @cached_property
    def watched(self) -> dict[str, Watched]:
        """Every signal on every run, the calibrator's first."""
        return {
            rule.method: watch(rule.signal, self.runs, rule.reach or self.reach, self._seed)
            for rule in self._rules
        }

    def stops(self, method: str, budget: int) -> list[Stop | None]:
        """Stop so many runs, or all that ``method`` can stop: a question each time it is over."""
        watched = self.watched[method]
        crossings = watched.crossings(watched.limit(budget))
        pairs = zip(self.runs, crossings, strict=True)
        return [_asked(run.gated(self.reach), turns) for run, turns in pairs]

    def always(self) -> list[Stop | None]:
        """A question before every writing or destructive call."""
        return [_asked(calls, _where(calls)) for calls in (r.gated(WRITING) for r in self.runs)]


def _asked(gated: list[int], turns: list[int]) -> Stop | None:
    """``gated``: calls to ask about in each turn; some rules ask where the policy would not."""
    calls = sum(max(1, gated[turn - 1]) for turn in turns)
    return Stop(turns[0], Verdict.ESCALATE, len(turns), calls) if turns else None


def _where(calls: list[int]) -> list[int]:
    return [turn for turn, number in enumerate(calls, 1) if number]


def _absent(runs: Sequence[RecordedRun]) -> Iterator[tuple[str, str]]:
    stated = sum(any(value is not None for value in run.stated) for run in runs)
    if stated < MIN_STATED:
        yield STATED, f"{stated} of {len(runs)} runs state a confidence; it takes {MIN_STATED}"
    if all(run.writes_at is None for run in runs):
        yield ALWAYS, "no run calls a tool that writes"
