"""A command line in the process, and one calibrator that all tests of the commands share."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

import agentcal as ac
from agentcal.cli import main
from tests.commands import Command, commands, without_logprobs


class Files(NamedTuple):
    model: Path
    train: Path
    test: Path


@pytest.fixture
def agentcal(capsys: pytest.CaptureFixture[str]) -> Command:
    return commands(capsys)


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """A calibrator fitted by the command on some sample runs, and runs of other tasks."""
    folder = tmp_path_factory.mktemp("cli")
    runs = ac.sample_runs()
    groups = sorted({run.group or "" for run in runs})
    early, late = set(groups[:60]), set(groups[60:90])
    made = Files(folder / "model.json", folder / "train.jsonl.gz", folder / "test.jsonl")
    ac.write_jsonl((without_logprobs(run) for run in runs if run.group in early), made.train)
    ac.write_jsonl((run for run in runs if run.group in late), made.test)
    with pytest.raises(SystemExit) as ended:
        main(["fit", str(made.train), "-o", str(made.model), "--quick", "--json"])
    assert not ended.value.code
    return made
