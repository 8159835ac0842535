"""Random lives of agents, played to their end in real processes that are really killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.stress.checks import Faults
from tests.stress.patterns import INTERRUPT_IN_TOOLS, WHEN

ROOT = Path(__file__).parents[2]
_SEEDED = 50


def _played(pattern: str, first: int, last: int) -> Faults:
    """In a process that has no threads of its own, as it forks."""
    done = subprocess.run(  # noqa: S603 - our own module
        [sys.executable, "-m", "tests.stress.player", pattern, str(first), str(last)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'integrations'}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return Faults(**json.loads(done.stdout.splitlines()[-1]))


def _all(pattern: str, schedules: int) -> Faults:
    half = schedules // 2
    with ThreadPoolExecutor(2) as pool:
        parts = pool.map(_played, [pattern] * 2, [0, half], [half, schedules])
        return sum(parts, Faults())


@pytest.mark.parametrize("pattern", [INTERRUPT_IN_TOOLS, WHEN], ids=lambda pattern: pattern.name)
def test_the_same_schedules_break_what_people_write_by_hand(pattern: object) -> None:
    assert _played(pattern.name, 0, 25).any > 0  # type: ignore[attr-defined]


def test_an_interrupt_in_a_tool_loses_answers_and_repeats_calls() -> None:
    found = _played(INTERRUPT_IN_TOOLS.name, 0, 25)
    assert found.misrouted > 0
    assert found.twice > 0
    assert found.rejected_run > 0
