"""The order desk, start to end: what the gate stops and lets through, counted from the database."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from agentcal.policy import Policy

EXAMPLE = Path(__file__).parents[2] / "examples" / "order_desk"


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    out = tmp_path_factory.mktemp("desk")
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, str(EXAMPLE / "order_desk.py"), "--out", str(out), "--requests", "60"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout, out


def _row(printed: str, label: str) -> tuple[int, int]:
    (line,) = (line for line in printed.splitlines() if label in line)
    without, behind = (int(cell) for cell in line.split("│")[2:4])
    return without, behind


def test_wrong_writes_are_stopped_and_right_ones_are_not(day: tuple[str, Path]) -> None:
    printed, _ = day
    wrong, wrong_behind = _row(printed, "wrong writes")
    right, right_behind = _row(printed, "right writes")
    assert wrong >= 8
    assert wrong_behind <= wrong / 3
    assert right_behind >= right - 1
    assert 0 < _row(printed, "questions to a colleague")[1] < 60


def test_the_policy_that_it_leaves_is_certified(day: tuple[str, Path]) -> None:
    made = Policy.load(day[1] / "policy.json")
    assert made.certificate is not None
    assert made.certificate.threshold is not None
    assert made.mode == "shadow"


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(EXAMPLE))
    return importlib.import_module("desk")


def test_a_refund_that_seemed_to_fail_is_booked(desk: ModuleType, tmp_path: Path) -> None:
    order = desk.Order("1", "Mia", "rug", 80.0, "delivered", "Elm Street 1")
    books = desk.Desk(tmp_path / "x.db", [order], slow=[7])
    refund = {tool.name: tool for tool in books.tools()}["refund"]
    config = {"configurable": {"thread_id": "7"}}
    with pytest.raises(Exception, match="no answer from the bank"):
        refund.invoke({"order_id": "1", "amount": 40}, config)
    assert books.writes() == {7: [("refund", "1", "40.00")]}
    assert "40.00 paid back" in refund.invoke({"order_id": "1", "amount": 40}, config)
