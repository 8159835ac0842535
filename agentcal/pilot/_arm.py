"""One of the two sets of runs, read once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from agentcal.calibration import GroupBy, group_name
from agentcal.errors import NotEnoughData
from agentcal.trajectory import Trajectory


class Arm(BaseModel):
    """What was read of one set: runs that count, their groups, and how many succeeded.

    ``intervened``: runs with an intervention other than a mere resumption. ``ended``: runs without
    an outcome that were stopped from outside; they count as failed. ``left_out``: runs without an
    outcome that were not.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    runs: int
    groups: int
    succeeded: int
    intervened: int
    ended: int
    left_out: int

    def __str__(self) -> str:
        left_out = f"; {self.left_out} without an outcome left out" if self.left_out else ""
        ended = f"; {self.ended} ended by a gate count as failed" if self.ended else ""
        return (
            f"{self.runs} runs in {self.groups} groups, {self.succeeded} succeed, "
            f"{self.intervened} intervened on{ended}{left_out}"
        )


@dataclass(frozen=True, slots=True)
class Tally:
    """Outcomes of one group: how many of its ``runs`` succeeded, how many were intervened on."""

    runs: int = 0
    succeeded: int = 0
    intervened: int = 0

    def plus(self, success: bool, intervened: bool) -> Tally:
        """With one run more."""
        return Tally(self.runs + 1, self.succeeded + success, self.intervened + intervened)

    @property
    def rate(self) -> float:
        """The share that succeeded."""
        return self.succeeded / self.runs


def read_arm(
    runs: Iterable[Trajectory], group: GroupBy, success_at: float, name: str
) -> tuple[Arm, dict[str, Tally]]:
    """The set, and its outcomes by group. Raises ``NotEnoughData`` where no run counts."""
    tallies: dict[str, Tally] = {}
    ended = left_out = 0
    for run in runs:
        stopped = run.outcome is None and _stopped(run)
        if run.outcome is None and not stopped:
            left_out += 1
            continue
        ended += stopped
        success = run.outcome is not None and run.outcome.value >= success_at
        key = group_name(run, group)
        tallies[key] = tallies.get(key, Tally()).plus(success, intervened(run))
    if not tallies:
        raise NotEnoughData(f"no run of the {name} set has an outcome ({left_out} have none)")
    arm = Arm(
        runs=sum(t.runs for t in tallies.values()),
        groups=len(tallies),
        succeeded=sum(t.succeeded for t in tallies.values()),
        intervened=sum(t.intervened for t in tallies.values()),
        ended=ended,
        left_out=left_out,
    )
    return arm, tallies


def intervened(run: Trajectory) -> bool:
    """Whether anybody stepped in; that a process was resumed is not that."""
    return any(entry.kind != "resumed" for entry in run.interventions)


def _stopped(run: Trajectory) -> bool:
    return run.end_reason == "abstained" or any(i.kind == "aborted" for i in run.interventions)
