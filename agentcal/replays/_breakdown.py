"""Where the stops of a policy fall: by tool, by kind of task, by budget."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from agentcal.replays._baselines import Rivals
from agentcal.replays._figures import Figures, Flags, Stops, was_stopped
from agentcal.replays._result import Curve, CurvePoint, FamilyRow, ToolRow

_STEPS = 100


def by_tool(figures: Figures, stops: Stops) -> list[ToolRow]:
    """One row for each tool and tier that runs are stopped at, the most often first."""
    places = [None if stop is None or not stop.tier else (stop.tool, stop.tier) for stop in stops]
    rows = []
    for tool, tier in {place for place in places if place is not None}:
        here = np.array([place == (tool, tier) for place in places])
        failing = figures.over.share(figures.failed, here)
        if failing is not None:
            rows.append(ToolRow(tool=tool, tier=tier, stopped=int(here.sum()), failing=failing))
    return sorted(rows, key=lambda row: (-row.stopped, row.tool or "", row.tier))


def by_family(figures: Figures, stops: Stops) -> list[FamilyRow]:
    """One row for each kind of task, the most runs first; none where no run names its kind."""
    families = np.array([run.family or "" for run in figures.runs])
    if not any(families):
        return []
    stopped = was_stopped(stops)
    rows = [_family_row(figures, stopped, str(name), families == name) for name in set(families)]
    return sorted(rows, key=lambda row: (-row.runs, row.family))


def _family_row(figures: Figures, stopped: Flags, family: str, mine: Flags) -> FamilyRow:
    failed = mine & figures.failed
    return FamilyRow(
        family=family,
        runs=int(mine.sum()),
        failed=int(failed.sum()),
        interrupted=int((mine & stopped).sum()),
        failures_stopped=figures.over.share(stopped, failed),
        successes_interrupted=figures.over.share(stopped, mine & ~figures.failed),
    )


def curves(figures: Figures, rivals: Rivals) -> list[Curve]:
    """Failures stopped against successes interrupted as the budget grows, ties at random."""
    return [
        Curve(method=method, points=list(_points(watched.order, figures.failed)))
        for method, watched in rivals.watched.items()
    ]


def _points(order: NDArray[np.intp], failed: Flags) -> Iterator[CurvePoint]:
    runs, bad = failed.size, max(1, int(failed.sum()))
    good = max(1, runs - int(failed.sum()))
    caught = np.concatenate([[0], np.cumsum(failed[order])])
    budgets = {round(step * runs / _STEPS) for step in range(_STEPS + 1)}
    for stops in sorted({min(budget, caught.size - 1) for budget in budgets}):
        yield CurvePoint(
            interrupted=stops / runs,
            failures_stopped=float(caught[stops]) / bad,
            successes_interrupted=float(stops - caught[stops]) / good,
        )
