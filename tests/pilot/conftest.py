"""Made-up runs of tasks with a known effect of interrupting."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

import agentcal as ac
from tests.commands import Command, commands


class Effect(NamedTuple):
    """Each task succeeds with a chance of its own; ``spread`` 0: all alike, large: 0 or 1 each.

    ``d``: an interruption spoils so many of the runs that would succeed; ``r``: it saves so many
    of the others. ``share``: so many runs under the gate are interrupted.
    """

    p: float
    d: float
    r: float
    spread: float = 1.0
    share: float = 1.0

    @property
    def net(self) -> float:
        return self.share * (self.r * self.p - self.d * (1 - self.p))

    def chances(self, rng: np.random.Generator, tasks: int) -> np.ndarray:
        if not self.spread:
            return np.full(tasks, 1 - self.p)
        return rng.beta((1 - self.p) / self.spread, self.p / self.spread, tasks)

    def runs(
        self,
        rng: np.random.Generator,
        chances: np.ndarray,
        each: int,
        *,
        gated: bool,
        name: str = "task",
    ) -> list[ac.Trajectory]:
        return [
            self._run(rng, chance, gated, f"{name}-{task}", f"{gated}-{task}-{i}")
            for task, chance in enumerate(chances)
            for i in range(each)
        ]

    def _run(
        self, rng: np.random.Generator, chance: float, gated: bool, group: str, name: str
    ) -> ac.Trajectory:
        success = rng.random() < chance
        stopped = gated and rng.random() < self.share
        if stopped:
            success = rng.random() < (1 - self.d if success else self.r)
        return run(name, group, float(success), stopped)


def run(
    name: str,
    group: str,
    outcome: float | None,
    stopped: bool = False,
    kind: ac.Intervention | None = None,
) -> ac.Trajectory:
    entry = kind or ac.Intervention(step=0, kind="verified", by="agentcal")
    return ac.Trajectory(
        run_id=name,
        group=group,
        outcome=None if outcome is None else ac.Outcome(value=outcome),
        interventions=[entry] if stopped or kind else [],
    )


@pytest.fixture
def agentcal(capsys: pytest.CaptureFixture[str]) -> Command:
    return commands(capsys)
