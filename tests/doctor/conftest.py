from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import agentcal as ac
from agentcal.cli import main
from tests.cli.conftest import Answer, Command


@pytest.fixture(scope="session")
def sample() -> list[ac.Trajectory]:
    """Forty labelled runs of different tasks."""
    return ac.sample_runs()[::12]


@pytest.fixture
def doctor(capsys: pytest.CaptureFixture[str]) -> Command:
    """Run `agentcal doctor ...`."""

    def run(*arguments: object) -> Answer:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(["doctor", *map(str, arguments)])
        seen = capsys.readouterr()
        code = ended.value.code
        return Answer(code if isinstance(code, int) else 0, seen.out, seen.err)

    return run


Changed = Callable[..., list[ac.Trajectory]]


@pytest.fixture
def changed(sample: list[ac.Trajectory]) -> Changed:
    """The sample with fields of every run set."""

    def change(**values: Any) -> list[ac.Trajectory]:
        return [run.model_copy(update=values) for run in sample]

    return change
