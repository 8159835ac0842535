"""Which runs the alarm is fitted on, and which the threshold is tested on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from agentcal.certification._walked import Walked
from agentcal.errors import NotEnoughData
from agentcal.policy import Policy

_FOR_THE_ALARM = 1 / 3
"""Share of the groups, where a threshold is certified as well."""


def parted(
    policy: Policy, runs: Sequence[Walked], seed: int
) -> tuple[Sequence[Walked], Sequence[Walked]]:
    """Runs for the alarm and runs for the threshold; no group is in both."""
    if policy.alarm is None:
        return (), runs
    if policy.risk_target is None:
        return runs, ()
    groups = sorted({run.group for run in runs})
    if len(groups) < 2:
        raise NotEnoughData(
            "a single group: an alarm and a threshold cannot come from the same one; "
            "give runs of more groups"
        )
    count = max(1, round(_FOR_THE_ALARM * len(groups)))
    drawn = np.random.default_rng(seed).permutation(len(groups))[:count]
    chosen = {groups[index] for index in drawn}
    return (
        [run for run in runs if run.group in chosen],
        [run for run in runs if run.group not in chosen],
    )
