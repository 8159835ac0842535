"""Thresholds tested one after the other until one fails."""

from __future__ import annotations

from dataclasses import dataclass

from agentcal.bounds._checked import Floats
from agentcal.bounds._more import more_groups, rounded_up
from agentcal.bounds._results import Attempt, NotCertified, Order, ThresholdCertificate
from agentcal.bounds._runs import Runs

SET_APART = 0.15
"""Share of the groups that order the tests where no other runs do."""


@dataclass(frozen=True, slots=True)
class Search:
    """``tests``, a part of ``grid`` in the order of testing, on ``runs`` that neither has seen."""

    runs: Runs
    grid: Floats
    tests: Floats
    order: Order
    seed: int | None

    def result(
        self, max_failure_rate: float, confidence: float
    ) -> ThresholdCertificate | NotCertified:
        """The last threshold before the first that fails its test."""
        tested: list[float] = []
        found = None
        for threshold in self.tests.tolist():
            tested.append(threshold)
            if self.runs.risk(threshold).p_value(max_failure_rate) > 1 - confidence:
                break
            found = threshold
        if found is None:
            return self._none(max_failure_rate, confidence)
        accepted, failures = self.runs.counts(found)
        return ThresholdCertificate(
            threshold=found,
            max_failure_rate=max_failure_rate,
            confidence=confidence,
            groups=self.runs.groups,
            runs=self.runs.score.size,
            accepted=accepted,
            failures=failures,
            upper=min(self.runs.risk(found).upper(confidence), max_failure_rate),
            coverage=self.runs.coverage(found).estimate(confidence),
            method=self.order,
            seed=self.seed,
            tested=tested,
        )

    def _none(self, max_failure_rate: float, confidence: float) -> NotCertified:
        risks = {threshold: self.runs.risk(threshold) for threshold in self.grid.tolist()}
        best = min(risks, key=lambda t: risks[t].p_value(max_failure_rate))
        accepted, failures = self.runs.counts(best)
        more = more_groups(risks.values(), max_failure_rate, confidence)
        if more is not None and self.order == "split":
            more = rounded_up(more / (1 - SET_APART))
        return NotCertified(
            max_failure_rate=max_failure_rate,
            confidence=confidence,
            groups=self.runs.groups,
            best=Attempt(
                threshold=best,
                accepted=accepted,
                failures=failures,
                upper=risks[best].upper(confidence),
            ),
            more_groups=more,
        )
