from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

import agentcal as ac
from tests.commands import Command, commands


@pytest.fixture(scope="session")
def sample() -> list[ac.Trajectory]:
    """Forty labelled runs of different tasks."""
    return ac.sample_runs()[::12]


@pytest.fixture
def doctor(capsys: pytest.CaptureFixture[str]) -> Command:
    """Run `agentcal doctor ...`."""

    return partial(commands(capsys), "doctor")


Changed = Callable[..., list[ac.Trajectory]]


@pytest.fixture
def changed(sample: list[ac.Trajectory]) -> Changed:
    """The sample with fields of every run set."""

    def change(**values: Any) -> list[ac.Trajectory]:
        return [run.model_copy(update=values) for run in sample]

    return change
