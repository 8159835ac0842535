"""``fit_alarm``: labelled runs in, the alarm with its promise out."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from math import inf, nan

import numpy as np

from agentcal.errors import ConfigError, NotEnoughData
from agentcal.sequential._bound import AlarmBound
from agentcal.sequential._learn import Lesson, learn
from agentcal.sequential._rank import least, rank
from agentcal.sequential._runs import Runs

LEARNT_FROM = 0.4
"""Share of the groups with a successful run that the normaliser learns from; fixed beforehand."""
AGREES = 0.5
"""The second signal agrees once it is as low as it ever gets in this share of successful runs."""


def fit_alarm(
    sequences: Sequence[Sequence[float]],
    success: Sequence[bool],
    groups: Sequence[str],
    *,
    false_alarm_rate: float,
    confidence: float = 0.95,
    quiet_turns: int = 0,
    second: Sequence[Sequence[float]] | None = None,
    seed: int = 0,
) -> AlarmBound:
    """An alarm that at most the share ``false_alarm_rate`` of successful runs ever hears.

    ``sequences``: for each run its scores at its decision points, in order; any real numbers,
    higher is better, NaN where there is none. ``groups``: labels of what is independent, the task
    as a rule. ``second``: another signal at the same points, higher is better as well, that must
    have been low before the alarm sounds. In the first ``quiet_turns`` points it never does.

    40% of the groups with a successful run, drawn with ``seed`` blind to scores, and all groups
    without one teach the normaliser what failing looks like. Of each of the others one successful
    run is drawn, blind too, and the threshold is an order statistic of their running scores; see
    :class:`AlarmBound` for what that promises and docs/alarms.md for why. Where the others
    are too few for the promise, and there is no ``second``, all carry the threshold and the score
    is taken as it is.

    Raises ``NotEnoughData`` where the groups with a successful run are too few for the promise,
    saying how many more would do, and ``ConfigError`` for malformed input.
    """
    _check(false_alarm_rate, confidence, quiet_turns)
    runs = Runs.checked(sequences, success, groups, second)
    rng = np.random.default_rng(seed)
    fit, held = _divided(runs, least(false_alarm_rate, confidence), rng)
    drawn = [int(rng.choice(runs.successful_of(group))) for group in held]
    place = rank(len(drawn), false_alarm_rate, confidence)
    agrees_at = None if second is None else _agrees_at(runs, fit)
    lessons = list(_lessons(runs, fit))
    normaliser = learn(lessons, quiet_turns=quiet_turns, agrees_at=agrees_at)
    silent = AlarmBound(
        false_alarm_rate=false_alarm_rate,
        confidence=confidence,
        n=len(drawn),
        rank=place,
        threshold=sys.float_info.max,
        quiet_turns=quiet_turns,
        normaliser=normaliser,
        fitted=len(fit),
        agrees_at=agrees_at,
    )
    highest = sorted(silent.running(*runs.points_of(run)) for run in drawn)
    return silent.model_copy(update={"threshold": highest[place - 1]})


def _check(false_alarm_rate: float, confidence: float, quiet_turns: int) -> None:
    for name, share in (("false_alarm_rate", false_alarm_rate), ("confidence", confidence)):
        if not 0 < share < 1:
            raise ConfigError(f"{name} must lie between 0 and 1, got {share}")
    if isinstance(quiet_turns, bool) or not isinstance(quiet_turns, int) or quiet_turns < 0:
        raise ConfigError(f"quiet_turns must be an integer of at least 0, got {quiet_turns}")


def _divided(
    runs: Runs, needed: int, rng: np.random.Generator
) -> tuple[Sequence[int], Sequence[int]]:
    """Groups to learn from, and groups of which each gives a run to the bound."""
    winners, losers = runs.winners(), runs.losers()
    drawn = rng.permutation(winners).tolist()
    if _carrying(len(drawn)) >= needed:
        apart = len(drawn) - _carrying(len(drawn))
        return sorted(losers + drawn[:apart]), sorted(drawn[apart:])
    if runs.second is None and len(drawn) >= needed:
        return [], sorted(drawn)
    total = needed
    while runs.second is not None and _carrying(total) < needed:
        total += 1
    raise NotEnoughData(
        f"the promise takes {total} groups with a successful run, and there are {len(drawn)}: "
        f"about {total - len(drawn)} more groups with a successful run would do, and so would a "
        "higher false alarm rate or a lower confidence"
    )


def _carrying(winners: int) -> int:
    """How many of the groups with a successful run carry the bound."""
    return winners - int(LEARNT_FROM * winners)


def _lessons(runs: Runs, fit: Sequence[int]) -> Iterator[Lesson]:
    """The runs of these groups; every group weighs the same."""
    for group in fit:
        for run in runs.members[group]:
            scores, second = runs.points_of(run)
            other = [nan] * len(scores) if second is None else second
            weight = 1 / len(runs.members[group])
            yield Lesson(scores, other, not runs.success[run], weight)


def _agrees_at(runs: Runs, fit: Sequence[int]) -> float:
    """The median of how low the second signal gets in successful runs, of those that have it."""
    succeeded = [run for group in fit for run in runs.successful_of(group)]
    lows = [low for run in succeeded if (low := runs.lowest_second(run)) < inf]
    if not lows:
        raise NotEnoughData("no successful run has the second signal: nothing to compare with")
    return float(np.quantile(lows, AGREES, method="lower"))
