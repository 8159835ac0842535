"""`agentcal pilot`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import agentcal as ac
from agentcal.pilot import PilotAdvice, pilot
from tests.commands import Command
from tests.pilot.conftest import Effect


@pytest.fixture
def where(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    effect = Effect(p=0.6, d=0.05, r=0.6)
    chances = effect.chances(rng, 50)
    ac.write_jsonl(effect.runs(rng, chances, 2, gated=False), tmp_path / "before.jsonl")
    ac.write_jsonl(effect.runs(rng, chances, 1, gated=True), tmp_path / "after.jsonl.gz")
    return tmp_path


def test_json_is_what_python_gives(where: Path, agentcal: Command) -> None:
    done = agentcal("pilot", where / "before.jsonl", where / "after.jsonl.gz", "--json")
    assert done.code == 0
    sets = [ac.load(where / name, progress=False) for name in ("before.jsonl", "after.jsonl.gz")]
    assert PilotAdvice.model_validate_json(done.out) == pilot(*sets)


def test_it_prints_the_arithmetic_and_the_advice(where: Path, agentcal: Command) -> None:
    done = agentcal("pilot", where / "before.jsonl", where / "after.jsonl.gz")
    told = " ".join(done.out.split())
    assert done.code == 0
    for part in ("d / (r + d)", "Net effect = r p - d (1 - p)", "Advice: gate"):
        assert part in told


@pytest.mark.parametrize(
    ("arguments", "code", "why"),
    [
        (["B"], 2, "INTERVENED"),
        (["B", "missing.jsonl"], 1, "missing.jsonl"),
        (["A", "B"], 1, "wrong way round"),
        (["B", "A", "--group", "day"], 2, "day"),
        (["B", "A", "--group", "family"], 1, "names no family"),
        (["B", "A", "--confidence", "95"], 1, "confidence"),
        (["B", "A", "--success-at", "2"], 1, "success_at"),
        (["B", "EMPTY"], 1, "no run could be read"),
    ],
)
def test_wrong_input_is_told_in_a_line(
    where: Path, agentcal: Command, arguments: list[str], code: int, why: str
) -> None:
    (where / "empty.jsonl").write_text("", encoding="utf-8")
    names = {"B": "before.jsonl", "A": "after.jsonl.gz", "EMPTY": "empty.jsonl"}
    done = agentcal("pilot", *(where / names[a] if a in names else a for a in arguments))
    assert done.code == code
    assert why in done.err
    assert "Traceback" not in done.err
    assert done.out == ""
