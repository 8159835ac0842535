"""From the stops of one method to its row of figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from agentcal.bounds import GroupedRate
from agentcal.metrics import Estimate
from agentcal.policy import Verdict
from agentcal.replays._estimates import Floats, Over
from agentcal.replays._recorded import RecordedRun
from agentcal.replays._result import Passed, Row
from agentcal.replays._stop import Stop

Flags = NDArray[np.bool_]
Stops = Sequence[Stop | None]


class Figures:
    """Rows about the same ``runs``. ``confidence``: of the bound on those that pass whole."""

    def __init__(
        self, runs: Sequence[RecordedRun], *, level: float, seed: int, confidence: float
    ) -> None:
        self.runs = runs
        self.over = Over([run.group for run in runs], level, seed)
        self.failed: Flags = np.array([not run.success for run in runs])
        self._confidence = confidence
        self._turns = np.array([run.turns for run in runs], dtype=np.float64)

    def row(
        self,
        method: str,
        about: str,
        stops: Stops,
        *,
        budget: int | None = None,
        policy: Stops | None = None,
    ) -> Row:
        """All figures; ``policy``: the stops of the policy that this method is compared with."""
        stopped, failed = was_stopped(stops), self.failed
        hits = [stop for stop in stops if stop is not None]
        per_run = 100 / len(self.runs)
        return Row(
            method=method,
            about=about,
            budget=budget,
            interrupted=len(hits),
            verdicts=dict(Counter(stop.verdict.value for stop in hits)),
            rules=dict(Counter(stop.by for stop in hits if stop.by)),
            failures_stopped=self.over.share(stopped, failed),
            successes_interrupted=self.over.share(stopped, ~failed),
            before_writing=self._before_writing(stops),
            seen_at_stop=self.over.median(self._seen(stops), stopped & failed),
            steps_saved=self._steps_saved(stops),
            tokens_saved=self._tokens_saved(stops),
            first_questions=per_run * sum(stop.verdict is Verdict.ESCALATE for stop in hits),
            questions=per_run * sum(stop.questions for stop in hits),
            calls=per_run * sum(stop.calls for stop in hits),
            passed=self._passed(~stopped),
            policy_ahead=None
            if policy is None
            else self.over.difference(was_stopped(policy), stopped, failed),
        )

    def _seen(self, stops: Stops) -> Floats:
        """The share of each run that was there when it was stopped; all of it where it was not."""
        pairs = zip(self.runs, stops, strict=True)
        return np.array([1.0 if stop is None else stop.turn / run.turns for run, stop in pairs])

    def _steps_saved(self, stops: Stops) -> Estimate | None:
        return self.over.mean(1 - self._seen(stops), self._turns * self.failed)

    def _tokens_saved(self, stops: Stops) -> Estimate | None:
        spent, saved = np.zeros(len(self.runs)), np.zeros(len(self.runs))
        for place, (run, stop) in enumerate(zip(self.runs, stops, strict=True)):
            counted = [n for n in run.tokens if n is not None]
            total = sum(counted)
            if len(counted) == run.turns and total > 0:
                spent[place] = total
                saved[place] = 0.0 if stop is None else sum(counted[stop.turn :]) / total
        return self.over.mean(saved, spent * self.failed)

    def _before_writing(self, stops: Stops) -> Estimate | None:
        writes = np.array([run.writes_at is not None for run in self.runs])
        in_time = [
            stop is not None and run.writes_at is not None and stop.turn <= run.writes_at
            for run, stop in zip(self.runs, stops, strict=True)
        ]
        return self.over.share(in_time, self.failed & writes)

    def _passed(self, whole: Flags) -> Passed:
        failed = whole & self.failed
        rate = GroupedRate.of_runs(whole, failed, self.over.groups)
        return Passed(
            runs=int(whole.sum()),
            failed=int(failed.sum()),
            share=self.over.share(whole, np.ones(whole.size)),
            failure_rate=rate.value if whole.any() else None,
            at_most=rate.upper(self._confidence),
            confidence=self._confidence,
        )


def was_stopped(stops: Stops) -> Flags:
    """Which runs were stopped, (n,)."""
    return np.array([stop is not None for stop in stops], dtype=bool)
