from __future__ import annotations

import json
from pathlib import Path

import pytest

import agentcal as ac
from tests.cli.conftest import Files
from tests.commands import Command


def test_it_saves_a_calibrator_that_scores(files: Files) -> None:
    calibrator = ac.Calibrator.load(files.model)
    run = next(iter(ac.load(files.test, progress=False)))
    assert len(calibrator.score(run)) == len(run.steps) + 1
    assert calibrator.settings.group == "task"


def test_the_same_runs_and_settings_give_the_same_calibrator(
    files: Files, agentcal: Command, tmp_path: Path
) -> None:
    again = tmp_path / "again.json"
    done = agentcal("fit", files.train, "-o", again, "--quick", "--json", "--seed", "0")
    assert done.code == 0
    said = json.loads(done.out)
    assert said["model"] == str(again)
    assert said["fingerprint"] == ac.Calibrator.load(files.model).fingerprint
    assert said["report"]["runs"] == len(list(ac.load(files.train, progress=False)))


def test_it_says_what_it_did_and_what_to_do_next(
    files: Files, agentcal: Command, tmp_path: Path
) -> None:
    model = tmp_path / "m.json"
    done = agentcal(
        "fit", files.train, "-o", model, "--quick", "--categorical", "model",
        "--group", "task", "--success-at", "0.5",
    )  # fmt: skip
    assert done.code == 0
    calibrator = ac.Calibrator.load(model)
    assert str(calibrator.report) in done.out
    assert calibrator.fingerprint in done.out
    assert f"agentcal evaluate {model}" in done.out
    assert calibrator.settings.categoricals == ["model"]
    assert calibrator.settings.success_at == 0.5


@pytest.mark.parametrize(
    ("arguments", "code", "why"),
    [
        (["no-such-folder/"], 1, "no-such-folder"),
        ([], 2, "RUNS"),
        (["TRAIN", "--group", "tasks"], 2, "tasks"),
        (["TRAIN", "--categorical", "temperature"], 2, "temperature"),
        (["TRAIN", "--success-at", "1.5"], 1, "success_at"),
        (["TRAIN", "--format", "csv"], 1, "csv"),
    ],
)
def test_wrong_input_is_told_in_a_line(
    files: Files,
    agentcal: Command,
    tmp_path: Path,
    arguments: list[str],
    code: int,
    why: str,
) -> None:
    given = [str(files.train) if a == "TRAIN" else a for a in arguments]
    done = agentcal("fit", *given, "-o", tmp_path / "m.json", "--quick")
    assert done.code == code
    assert why in done.err
    assert "Traceback" not in done.err
    assert done.out == ""
    assert not (tmp_path / "m.json").exists()


def test_without_a_place_to_save_it_is_wrong_usage(files: Files, agentcal: Command) -> None:
    done = agentcal("fit", files.train)
    assert done.code == 2
    assert "--output" in done.err


def test_a_place_that_cannot_be_written_is_told_before_the_work(
    files: Files, agentcal: Command, tmp_path: Path
) -> None:
    assert "there is no folder" in agentcal("fit", files.train, "-o", tmp_path / "a" / "m.json").err
    done = agentcal("fit", files.train, "-o", tmp_path)
    assert done.code == 1
    assert "is a folder" in done.err


def test_runs_without_outcomes_cannot_be_learnt_from(agentcal: Command, tmp_path: Path) -> None:
    runs = [run.model_copy(update={"outcome": None}) for run in ac.sample_runs()[:30]]
    ac.write_jsonl(runs, tmp_path / "runs.jsonl")
    done = agentcal("fit", tmp_path / "runs.jsonl", "-o", tmp_path / "m.json", "--json")
    assert done.code == 1
    assert "30 no outcome" in done.err
    assert done.out == ""


def test_what_was_skipped_is_on_stderr_and_stdout_stays_json(
    files: Files, agentcal: Command, tmp_path: Path
) -> None:
    damaged = tmp_path / "damaged.jsonl"
    lines = files.test.read_text(encoding="utf-8").splitlines()
    damaged.write_text("\n".join([*lines, lines[0][:200]]), encoding="utf-8")
    done = agentcal("fit", damaged, "-o", tmp_path / "m.json", "--quick", "--json")
    assert done.code == 0
    assert json.loads(done.out)["report"]["runs"] == len(lines)
    assert f"line {len(lines) + 1}" in done.err
