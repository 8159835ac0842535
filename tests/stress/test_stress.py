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
from tests.stress.patterns import INTERRUPT_IN_TOOLS, OURS, PLAIN, Pattern
from tests.stress.world import World

ROOT = Path(__file__).parents[2]
_FEW = 50
_MANY = 1000


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


def _sound(found: Faults) -> None:
    assert found.any == 0, found
    # What never happened cannot have gone wrong.
    assert found.asked > found.calls / 10
    assert found.doubts > 0
    assert found.processes > found.schedules / 2


@pytest.mark.parametrize("pattern", OURS, ids=lambda pattern: pattern.name)
def test_nothing_goes_wrong_in_a_seeded_few(pattern: Pattern) -> None:
    _sound(_played(pattern.name, 0, _FEW // len(OURS) + 1))


@pytest.mark.long
@pytest.mark.parametrize("pattern", OURS, ids=lambda pattern: pattern.name)
def test_nothing_goes_wrong_in_a_thousand_schedules(pattern: Pattern) -> None:
    _sound(_all(pattern.name, _MANY))


@pytest.mark.parametrize("pattern", PLAIN, ids=lambda pattern: pattern.name)
def test_the_same_schedules_break_what_people_write_by_hand(pattern: Pattern) -> None:
    assert _played(pattern.name, 0, _FEW // len(OURS) + 1).any > 0


def test_an_interrupt_in_a_tool_loses_answers_and_repeats_calls() -> None:
    found = _played(INTERRUPT_IN_TOOLS.name, 0, _FEW // len(OURS) + 1)
    assert found.misrouted > 0
    assert found.twice > 0
    assert found.rejected_run > 0


def test_a_decision_that_changes_is_noticed(tmp_path: Path) -> None:
    world = World(tmp_path / "world.db")
    world.saw({"k": {"verdict": "proceed", "token": "a"}})
    world.saw({"k": {"verdict": "proceed", "token": "a"}})
    assert not world.changed()
    world.saw({"k": {"verdict": "abstain", "token": "a"}})
    assert [key for key, _, _ in world.changed()] == ["k"]
