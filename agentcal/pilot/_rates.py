"""The rates of a pilot, with their intervals."""

from __future__ import annotations

import numpy as np

from agentcal.bounds import GroupedRate, more_groups
from agentcal.metrics import Estimate
from agentcal.pilot._advice import Luck
from agentcal.pilot._arm import Tally
from agentcal.pilot._pairs import Pairs


def failure_rate(pairs: Pairs) -> GroupedRate:
    """p: of runs without interventions."""
    return GroupedRate(np.ones_like(pairs.without), 1 - pairs.without)


def disruption(pairs: Pairs) -> GroupedRate:
    """d: of two runs of a group, one a success without, how often is the one with a failure?"""
    return GroupedRate(pairs.without, pairs.without * (1 - pairs.under))


def recovery(pairs: Pairs) -> GroupedRate:
    """r: of two runs of a group, one a failure without, how often is the one with a success?"""
    return GroupedRate(1 - pairs.without, (1 - pairs.without) * pairs.under)


def net(pairs: Pairs, confidence: float) -> Estimate:
    """The success rate with interventions less that without, in [-1, 1]."""
    moved = _moved(pairs).estimate(confidence)
    return moved.model_copy(
        update={name: 2 * getattr(moved, name) - 1 for name in ("value", "low", "high")}
    )


def more(pairs: Pairs, confidence: float) -> int | None:
    """How many more pairs would show the sign of the net effect."""
    gain = _moved(pairs)
    loss = GroupedRate(gain.base, gain.base - gain.hits)
    return more_groups([gain, loss], 0.5, (1 + confidence) / 2)


def _moved(pairs: Pairs) -> GroupedRate:
    """Differences in [-1, 1], moved to [0, 1]: no effect is one half."""
    return GroupedRate(np.ones_like(pairs.under), (1 + pairs.under - pairs.without) / 2)


def known(rate: GroupedRate, confidence: float) -> Estimate | None:
    """The estimate; None where nothing counts."""
    return rate.estimate(confidence) if rate.base.any() else None


def threshold(pairs: Pairs, confidence: float) -> Estimate | None:
    """d / (r + d), its interval from the ends of two that hold together."""
    each = (1 + confidence) / 2
    d, r = known(disruption(pairs), each), known(recovery(pairs), each)
    if d is None or r is None or not d.value + r.value:
        return None
    ends = {
        "value": d.value / (r.value + d.value),
        "low": _share(d.low or 0.0, r.high or 0.0),
        "high": _share(d.high or 0.0, r.low or 0.0),
    }
    return d.model_copy(update={**ends, "n": min(d.n, r.n), "level": confidence})


def _share(d: float, r: float) -> float:
    return d / (r + d) if d else 0.0


def luck(tallies: list[Tally], confidence: float) -> Luck | None:
    """From pairs of different runs of one group, neither with interventions."""
    several = [tally for tally in tallies if tally.runs > 1]
    good = np.array([tally.rate for tally in several])
    if not good.any() or (good == 1).all():
        return None
    mixed = np.array(
        [t.succeeded * (t.runs - t.succeeded) / t.runs / (t.runs - 1) for t in several]
    )
    return Luck(
        disruption=GroupedRate(good, np.minimum(mixed, good)).estimate(confidence),
        recovery=GroupedRate(1 - good, np.minimum(mixed, 1 - good)).estimate(confidence),
    )
