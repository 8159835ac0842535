"""What a whole policy makes of a run, as one number to hold against a threshold."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from agentcal.certification._walked import Walked
from agentcal.policy import GatedTurn, Policy, RiskTarget, Verdict


class ComposedScore:
    """The thresholds at which every decision in a run would be "proceed": those up to this number.

    The lowest ``RiskTarget.score`` of its gated steps; inf where nothing is gated, -inf where
    another rule, or a missing score, holds the run up whatever the threshold.
    """

    def __init__(self, policy: Policy, target: RiskTarget) -> None:
        silent = target.model_copy(update={"certificate": None, "uncertified": Verdict.PROCEED})
        rules = tuple(silent if rule is target else rule for rule in policy.rules)
        self._others, self._target = policy.with_(rules=rules), target

    def __call__(self, runs: Iterable[Walked]) -> list[float]:
        """One number a run."""
        return [self._of(run) for run in runs]

    def _of(self, run: Walked) -> float:
        return min((score for turn in run.turns for score in self._at(turn)), default=math.inf)

    def _at(self, turn: GatedTurn) -> Iterator[float]:
        for subject, ruling in self._others.rulings(turn):
            if ruling.verdict is not Verdict.PROCEED:
                yield -math.inf
            elif subject.gated and turn.value is not None:
                yield self._target.score(turn.value, subject.tier)
