"""The command line in the process of a test, and runs that are quick to learn from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

import agentcal as ac
from agentcal.cli import main


class Answer(NamedTuple):
    code: int
    out: str
    err: str


Command = Callable[..., Answer]


def commands(capsys: pytest.CaptureFixture[str]) -> Command:
    """Run a command as `agentcal ...` would."""

    def run(*arguments: str | Path) -> Answer:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        seen = capsys.readouterr()
        code = ended.value.code
        return Answer(code if isinstance(code, int) else 0, seen.out, seen.err)

    return run


def without_logprobs(run: ac.Trajectory) -> ac.Trajectory:
    """A fit on observable signals alone takes a third of the time."""
    steps = [step.model_copy(update={"logprobs": None}) for step in run.steps]
    return run.model_copy(update={"steps": steps})
