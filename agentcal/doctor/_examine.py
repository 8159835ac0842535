"""Looking at runs: one pass, counters only."""

from __future__ import annotations

from collections.abc import Iterable

from agentcal.doctor._diagnosis import Arrivals, Diagnosis
from agentcal.doctor._findings import Evidence, findings
from agentcal.doctor._folded import Folded
from agentcal.doctor._origin import origins
from agentcal.doctor._tally import Tally
from agentcal.errors import ConfigError
from agentcal.formats import LoadedRuns, LoadReport
from agentcal.trajectory import Trajectory


class Examination:
    """Takes runs one by one. Its memory does not grow with their number."""

    def __init__(self, *, success_at: float = 1.0, labels: bool = True) -> None:
        if not 0 < success_at <= 1:
            raise ConfigError(f"success_at={success_at}: give a number in (0, 1]")
        self._tally, self._folded, self._labels = Tally(success_at), Folded(), labels

    @property
    def runs(self) -> int:
        """How many there were so far."""
        return self._tally.runs

    def add(self, run: Trajectory) -> None:
        """One more run."""
        self._tally.add(run)
        self._folded.add(run)

    def diagnosis(
        self, load: LoadReport | None = None, arrivals: Arrivals | None = None
    ) -> Diagnosis:
        """What was found so far, with the account of where the runs came from."""
        tally = self._tally
        formats = load.formats if load is not None else {}
        found = origins(formats, tally.dialects.counts(), tally.runs)
        seen = Evidence(tally, self._folded, tuple(found), self._labels, load, arrivals)
        return Diagnosis(
            runs=tally.runs,
            turns=tally.turns,
            calls=tally.calls,
            folded=self._folded.runs,
            unfinished=tally.unfinished,
            origins=found,
            agents=tally.agents.counts(),
            models=tally.models.counts(),
            end_reasons=tally.ends.counts(),
            gaps=tally.gaps.counts(),
            outcomes=tally.outcomes(),
            signals=tally.signals(),
            findings=findings(seen),
            load=load,
            arrivals=arrivals,
        )


def examine(
    runs: Iterable[Trajectory], *, success_at: float = 1.0, labels: bool = True
) -> Diagnosis:
    """Say which signals ``runs`` carry, what is missing, what that costs, and how to switch it on.

    One pass in bounded memory; up to a hundred runs of the first hundred, ninety of the next
    thousand and so on are folded to see which features say nothing. Advice is by format where
    ``runs`` come from :func:`agentcal.load`, by dialect where spans told them.

    Args:
        runs: Of any origin; none at all is a finding, not an error.
        success_at: Outcome from which a run is a success, in (0, 1].
        labels: Whether outcomes should be there. Without, their absence blocks nothing.

    Raises:
        ConfigError: ``success_at`` is out of range.
    """
    examination = Examination(success_at=success_at, labels=labels)
    for run in runs:
        examination.add(run)
    return examination.diagnosis(runs.report if isinstance(runs, LoadedRuns) else None)
