"""A calibrator that was fitted on real sample runs, and runs of other tasks, as files."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

import agentcal as ac
from agentcal.policy import CostTarget, Policy, ReviewBudget
from tests.commands import Command, commands, without_logprobs


class Files(NamedTuple):
    model: Path
    policy: Path
    runs: Path
    train: Path


@pytest.fixture
def agentcal(capsys: pytest.CaptureFixture[str]) -> Command:
    return commands(capsys)


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    folder = tmp_path_factory.mktemp("replay")
    runs = ac.sample_runs()
    groups = sorted({run.group or "" for run in runs})
    early, late = set(groups[::5]), set(groups[1::5])
    names = ("model.json", "policy.json", "runs.jsonl", "train.jsonl")
    made = Files(*(folder / name for name in names))
    train = [without_logprobs(run) for run in runs if run.group in early]
    calibrator = ac.fit(train, nested=False, progress=False)
    ac.write_jsonl(train, made.train)
    calibrator.save(made.model)
    Policy.of(CostTarget(), ReviewBudget(0.2)).save(made.policy)
    ac.write_jsonl((run for run in runs if run.group in late), made.runs)
    return made
