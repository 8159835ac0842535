from __future__ import annotations

import json
from pathlib import Path

import pytest

import agentcal as ac
from agentcal.calibration import COLUMNS
from tests.cli.conftest import Files
from tests.commands import Command


def test_json_lines_are_what_python_gives(files: Files, agentcal: Command) -> None:
    done = agentcal("score", files.model, files.test, "--json")
    assert done.code == 0
    calibrator = ac.Calibrator.load(files.model)
    expected = [
        {"run_id": run.run_id, **confidence.to_json()}
        for run in ac.load(files.test, progress=False)
        for confidence in calibrator.score(run)
    ]
    assert [json.loads(line) for line in done.out.splitlines()] == expected


def test_reasons_go_with_every_line(files: Files, agentcal: Command) -> None:
    done = agentcal("score", files.model, files.test, "--json", "--reasons", "--top", "2")
    lines = [json.loads(line) for line in done.out.splitlines()]
    assert max(len(line["reasons"]) for line in lines) == 2
    names = {column.name for column in COLUMNS}
    assert {reason["feature"] for line in lines for reason in line["reasons"]} <= names


def test_a_run_without_outcome_is_scored_for_people(
    files: Files, agentcal: Command, tmp_path: Path
) -> None:
    run = ac.sample_runs()[0].model_copy(update={"outcome": None})
    run.save(tmp_path / "run.json")
    done = agentcal("score", files.model, tmp_path / "run.json", "--reasons")
    assert done.code == 0
    assert run.run_id in done.out
    assert "outcome" not in done.out
    (first, *_) = ac.Calibrator.load(files.model).score(run)
    assert f"{first.value:.2f}" in done.out
    assert done.out.count("turn ") >= len(run.steps)
    assert "finished" in done.out


@pytest.mark.parametrize(
    ("arguments", "code", "why"),
    [
        (["missing.json", "TEST"], 1, "missing.json"),
        (["MODEL", "missing.jsonl"], 1, "missing.jsonl"),
        (["MODEL"], 2, "RUNS"),
        (["MODEL", "TEST", "--top", "0"], 2, "--top"),
        (["MODEL", "MODEL"], 1, "format"),
    ],
)
def test_wrong_input_is_told_in_a_line(
    files: Files, agentcal: Command, arguments: list[str], code: int, why: str
) -> None:
    names = {"MODEL": str(files.model), "TEST": str(files.test)}
    done = agentcal("score", *(names.get(a, a) for a in arguments))
    assert done.code == code
    assert why in done.err
    assert "Traceback" not in done.err
    assert done.out == ""
