"""The command line as a whole, from outside the process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import agentcal as ac
from tests.commands import Command


def from_outside(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own interpreter, our own module
        [sys.executable, "-m", "agentcal", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=cwd,
        check=False,
    )


def test_it_is_a_module_that_knows_its_version(tmp_path: Path) -> None:
    done = from_outside("--version", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"agentcal {ac.__version__}\n")


def test_an_error_is_a_line_and_no_traceback(tmp_path: Path) -> None:
    done = from_outside("score", "model.json", "runs.jsonl", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("agentcal: ")
    assert "Traceback" not in done.stderr


def test_help_names_every_command_and_the_exit_codes(agentcal: Command) -> None:
    done = agentcal("--help")
    assert done.code == 0
    for word in ("fit", "evaluate", "score", "inspect", "demo", "Exit codes"):
        assert word in done.out


@pytest.mark.parametrize("arguments", [[], ["inspect"]])
def test_without_a_command_there_is_help(agentcal: Command, arguments: list[str]) -> None:
    done = agentcal(*arguments)
    assert "Usage" in done.out + done.err
    assert done.code == 2


def test_an_unknown_command_is_wrong_usage(agentcal: Command) -> None:
    done = agentcal("train")
    assert done.code == 2
    assert "train" in done.err
