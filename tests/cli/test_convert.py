"""`agentcal convert`: any known format in, agentcal JSONL or ATIF out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import agentcal as ac
from agentcal.formats import load
from tests.commands import Command

SAMPLES = Path(__file__).parents[1] / "formats" / "samples"


def steps(path: Path) -> dict[str, list[ac.Step]]:
    return {run.run_id: run.steps for run in load(path, progress=False)}


@pytest.mark.parametrize("name", ["runs.jsonl", "runs.jsonl.gz"])
@pytest.mark.parametrize("to", ["agentcal", "atif"])
def test_lines(agentcal: Command, tmp_path: Path, name: str, to: str) -> None:
    done = agentcal("convert", SAMPLES, "-o", tmp_path / name, "--to", to)
    assert (done.code, done.err) == (0, "")
    assert "Read 12 runs (7 with an outcome) from 5 files" in done.out
    assert f"Wrote 12 runs to {tmp_path / name}" in done.out
    written = load(tmp_path / name, progress=False)
    assert {run.run_id: run.steps for run in written} == steps(SAMPLES)
    assert written.report.formats == {to: 12}


def test_a_folder_of_documents(agentcal: Command, tmp_path: Path) -> None:
    done = agentcal(
        "convert", SAMPLES, "-o", tmp_path / "out", "--to", "atif", "--atif-version", "1.5"
    )
    assert done.code == 0
    files = sorted((tmp_path / "out").iterdir())
    assert len(files) == 12
    assert json.loads(files[0].read_text("utf-8"))["schema_version"] == "ATIF-v1.5"
    assert steps(tmp_path / "out") == steps(SAMPLES)


def test_json(agentcal: Command, tmp_path: Path) -> None:
    done = agentcal("convert", SAMPLES, "-o", tmp_path / "x.jsonl", "--json")
    told = json.loads(done.out)
    assert (told["written"], told["output"]) == (12, str(tmp_path / "x.jsonl"))
    assert told["load"]["read"] == 12


def test_what_could_not_be_read_is_in_the_report(agentcal: Command, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"id": "a", "messages": []}\n{"id": \n')
    done = agentcal("convert", tmp_path / "in.jsonl", "-o", tmp_path / "out.jsonl")
    assert done.code == 0
    assert "in.jsonl line 2: not valid JSON" in done.out
    assert "Wrote 1 run to" in done.out


def test_the_format_may_be_told(agentcal: Command, tmp_path: Path) -> None:
    path = SAMPLES / "tau2.json"
    done = agentcal("convert", path, "-o", tmp_path / "x.jsonl", "--format", "openai")
    assert done.code == 1
    assert done.err.startswith("agentcal: ")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["{in}", "-o", "{tmp}/x.txt"], "does not end in .jsonl"),
        (["{in}", "-o", "{tmp}/no/x.jsonl"], "there is no folder"),
        (["{in}", "-o", "{tmp}/no/out", "--to", "atif"], "there is no folder"),
        (["{in}", "-o", "{tmp}", "--to", "atif"], "is not empty"),
        (["{in}", "-o", "{tmp}/full.jsonl", "--to", "atif"], "is a folder"),
        (
            ["{in}", "-o", "{tmp}/x.jsonl", "--to", "atif", "--atif-version", "3"],
            "'3' is not known",
        ),
        (["{tmp}/nowhere.json", "-o", "{tmp}/x.jsonl"], "no such file or folder"),
        (["{tmp}/empty.jsonl", "-o", "{tmp}/x.jsonl"], "no run could be read"),
        (["{in}", "-o", "{tmp}/x.jsonl", "--format", "word"], "'word' is not known"),
    ],
)
def test_wrong_input_is_one_line_and_leaves_nothing(
    agentcal: Command, tmp_path: Path, arguments: list[str], why: str
) -> None:
    (tmp_path / "empty.jsonl").write_text("")
    (tmp_path / "full.jsonl").mkdir()
    before = sorted(tmp_path.rglob("*"))
    filled = [a.replace("{in}", str(SAMPLES)).replace("{tmp}", str(tmp_path)) for a in arguments]
    done = agentcal("convert", *filled)
    assert (done.code, done.out) == (1, "")
    assert why in done.err
    assert len(done.err.splitlines()) == 1
    assert sorted(tmp_path.rglob("*")) == before


def test_an_unknown_target_is_wrong_usage(agentcal: Command, tmp_path: Path) -> None:
    assert agentcal("convert", SAMPLES, "-o", tmp_path / "x.jsonl", "--to", "csv").code == 2
