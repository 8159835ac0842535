"""A calibrator that was fitted on real sample runs, and runs of other tasks, as files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

import agentcal as ac
from agentcal.cli import main
from agentcal.policy import CostTarget, Policy, ReviewBudget


class Answer(NamedTuple):
    code: int
    out: str
    err: str


Command = Callable[..., Answer]


class Files(NamedTuple):
    model: Path
    policy: Path
    runs: Path


@pytest.fixture
def agentcal(capsys: pytest.CaptureFixture[str]) -> Command:
    """Run a command as `agentcal ...` would."""

    def run(*arguments: str | Path) -> Answer:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        seen = capsys.readouterr()
        code = ended.value.code
        return Answer(code if isinstance(code, int) else 0, seen.out, seen.err)

    return run


def _without_logprobs(run: ac.Trajectory) -> ac.Trajectory:
    """A fit on observable signals alone takes a third of the time."""
    steps = [step.model_copy(update={"logprobs": None}) for step in run.steps]
    return run.model_copy(update={"steps": steps})


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    folder = tmp_path_factory.mktemp("replay")
    runs = ac.sample_runs()
    groups = sorted({run.group or "" for run in runs})
    early, late = set(groups[::5]), set(groups[1::5])
    made = Files(folder / "model.json", folder / "policy.json", folder / "runs.jsonl")
    calibrator = ac.fit(
        [_without_logprobs(run) for run in runs if run.group in early], nested=False, progress=False
    )
    calibrator.save(made.model)
    Policy.of(CostTarget(), ReviewBudget(0.2)).save(made.policy)
    ac.write_jsonl((run for run in runs if run.group in late), made.runs)
    return made
