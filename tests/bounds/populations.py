"""Real runs as a population to draw tasks from, with the failure rate at every threshold."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

import agentcal as ac
from agentcal.evaluation import score_runs
from tests.bounds.worlds import Drawn, Floats

DOJO = Path(__file__).parents[2].parent / "shared" / "data" / "agentdojo"


class Population(NamedTuple):
    """Each task: the scores of its runs, and which failed."""

    tasks: list[tuple[Floats, np.ndarray]]

    def risk(self, threshold: float) -> float:
        kept = [score >= threshold for score, _ in self.tasks]
        failing = sum((k & f).mean() for k, (_, f) in zip(kept, self.tasks, strict=True))
        return float(failing / sum(k.mean() for k in kept))

    def coverage(self, threshold: float) -> float:
        return float(np.mean([(score >= threshold).mean() for score, _ in self.tasks]))

    def draw(self, rng: np.random.Generator, groups: int, most: int) -> Drawn:
        """``groups`` tasks, the same one more than once if need be, and ``most`` runs of each."""
        chosen = [self.tasks[i] for i in rng.integers(len(self.tasks), size=groups)]
        parts = []
        for score, failed in chosen:
            some = rng.permutation(score.size)[:most]
            parts.append((score[some], failed[some]))
        sizes = [score.size for score, _ in parts]
        return Drawn(
            np.concatenate([score for score, _ in parts]),
            np.concatenate([failed for _, failed in parts]),
            np.repeat(np.arange(groups), sizes),
        )


def agentdojo() -> Population:
    """The runs of half of AgentDojo's tasks, scored by a calibrator fitted on the other half."""
    if not DOJO.is_dir():
        pytest.skip("needs the AgentDojo runs, in ../shared/data/agentdojo beside the repository")
    runs = list(ac.load(DOJO, progress=False))
    names = sorted({run.group for run in runs})
    learnt = set(np.random.default_rng(0).permutation(names)[: len(names) // 2].tolist())
    calibrator = ac.fit(
        [run for run in runs if run.group in learnt], nested=False, folds=3, progress=False
    )
    scored = score_runs(calibrator, (run for run in runs if run.group not in learnt)).runs
    tasks = []
    for name in sorted({run.group for run in scored}):
        own = [run for run in scored if run.group == name]
        lowest = [min((point.value for point in run.points), default=1.0) for run in own]
        tasks.append((np.array(lowest), np.array([not run.success for run in own])))
    return Population(tasks)
