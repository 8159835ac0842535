"""From two sets of runs to an advice."""

from __future__ import annotations

from collections.abc import Iterable

from agentcal.calibration import GroupBy
from agentcal.errors import ConfigError
from agentcal.metrics import Estimate
from agentcal.pilot import _rates as rates
from agentcal.pilot._advice import Advice, PilotAdvice
from agentcal.pilot._arm import Arm, read_arm
from agentcal.pilot._pairs import Pairs, pair
from agentcal.trajectory import Trajectory


def pilot(
    baseline_runs: Iterable[Trajectory],
    intervened_runs: Iterable[Trajectory],
    *,
    success_at: float = 1.0,
    group: GroupBy = "task",
    confidence: float = 0.95,
) -> PilotAdvice:
    """Whether to interrupt runs as the second set was interrupted: gate, do not gate, more data.

    Interrupting pays only where p > d / (r + d) (arXiv 2602.03338): p the share of runs that fail
    without it, d how often a run that would succeed fails with it, r how often one that would fail
    succeeds with it. With runs of the same groups in both sets, paired by ``group``, all three are
    estimated. Otherwise only the net effect can be, by pairing groups at random, with a fixed seed.
    Every run of the second set counts, interrupted or not: leaving out those that were let go on
    would compare the hard runs of one set with all of the other. A run that was ended from outside
    and has no outcome has failed.

    Intervals at ``confidence`` are over groups and hold for any number of them (see
    :class:`agentcal.bounds.GroupedRate`). Raises ``NotEnoughData`` for a set without outcomes or
    less than two groups to compare, ``ConfigError`` for settings out of range, and where no run of
    the second set was intervened on.
    """
    if not 0 < success_at <= 1:
        raise ConfigError(f"success_at={success_at}: must lie in (0, 1]")
    if not 0 < confidence < 1:
        raise ConfigError(f"confidence must lie between 0 and 1, got {confidence}")
    baseline, before = read_arm(baseline_runs, group, success_at, "first")
    gated, after = read_arm(intervened_runs, group, success_at, "second")
    _check_order(baseline, gated)
    return _found(baseline, gated, pair(before, after), success_at, confidence)


def _check_order(baseline: Arm, gated: Arm) -> None:
    if not gated.intervened:
        hint = (
            "the first set has some: are they the wrong way round?"
            if baseline.intervened
            else "record what was done in `interventions`"
        )
        raise ConfigError(f"no run of the second set was intervened on; {hint}")


def _found(
    baseline: Arm, gated: Arm, pairs: Pairs, success_at: float, confidence: float
) -> PilotAdvice:
    effect = rates.net(pairs, confidence)
    advice = _advice(effect)
    paired = bool(pairs.same)
    return PilotAdvice(
        advice=advice,
        paired=paired,
        success_at=success_at,
        confidence=confidence,
        baseline=baseline,
        intervened=gated,
        unmatched=pairs.unmatched,
        failure_rate=rates.failure_rate(pairs).estimate(confidence),
        disruption=rates.known(rates.disruption(pairs), confidence) if paired else None,
        recovery=rates.known(rates.recovery(pairs), confidence) if paired else None,
        threshold=rates.threshold(pairs, confidence) if paired else None,
        luck=rates.luck(pairs.same, confidence),
        net=effect,
        more_groups=rates.more(pairs, confidence) if advice == "more data" else None,
    )


def _advice(effect: Estimate) -> Advice:
    if effect.low is not None and effect.low > 0:
        return "gate"
    return "do not gate" if effect.high is not None and effect.high < 0 else "more data"
