"""Runs scored once, and where each of several policies would have stopped them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from agentcal.calibration import Calibrator, GroupBy
from agentcal.evaluation import LabelledRuns
from agentcal.policy import MemoryLedger, Policy, Tiers
from agentcal.replays._recorded import RecordedRun, recorded
from agentcal.replays._stop import Stop, stop_of
from agentcal.trajectory import Trajectory


@dataclass(frozen=True, slots=True)
class WalkedRuns:
    """The runs that could be used, and for each policy by name where it would have stopped them.

    ``left_out`` counts the other runs by reason; ``calibrator`` is its fingerprint.
    """

    runs: tuple[RecordedRun, ...]
    stops: dict[str, tuple[Stop | None, ...]]
    left_out: dict[str, int]
    success_at: float
    calibrator: str


def walk_runs(
    calibrator: Calibrator,
    policies: Mapping[str, Policy],
    runs: Iterable[Trajectory],
    *,
    tiers: Tiers,
    group: GroupBy | None = None,
    success_at: float | None = None,
) -> WalkedRuns:
    """Score every labelled run once and let every policy walk through it, in the order given.

    Each policy has a review budget of its own. ``tiers``: what baselines take the tools for.
    Left out, settings and errors as :class:`agentcal.evaluation.LabelledRuns`.
    """
    certified = [policy.seen for policy in policies.values() if policy.seen is not None]
    usable = LabelledRuns(calibrator, runs, group=group, success_at=success_at, certified=certified)
    ledgers = {name: MemoryLedger() for name in policies}
    stops: dict[str, list[Stop | None]] = {name: [] for name in policies}
    kept: list[RecordedRun] = []
    for run, group_of, success in usable:
        points = calibrator.score(run)[:-1]
        # Ids may repeat between files, and a ledger answers a key that it knows as it did before.
        alone = run.model_copy(update={"run_id": f"{len(kept)}/{run.run_id}"})
        for name, policy in policies.items():
            stops[name].append(stop_of(policy, alone, points, ledgers[name]))
        kept.append(recorded(run, points, tiers, group=group_of, success=success))
    return WalkedRuns(
        tuple(kept),
        {name: tuple(found) for name, found in stops.items()},
        usable.left_out,
        usable.success_at,
        calibrator.fingerprint,
    )
