from __future__ import annotations

import json
from pathlib import Path

import pytest

import agentcal as ac
from agentcal.calibration import COLUMNS, FAMILY_OF_COLUMN
from agentcal.inspection import describe
from tests.cli.conftest import Files
from tests.commands import Command


def test_every_feature_is_listed_with_its_definition(agentcal: Command) -> None:
    listed = json.loads(agentcal("inspect", "features", "--json").out)
    assert [f["name"] for f in listed] == [f.name for f in COLUMNS]
    assert all(f["definition"] and f["family"] == FAMILY_OF_COLUMN[f["name"]] for f in listed)
    for known, told in zip(COLUMNS, listed, strict=True):
        assert told["missing"] == known.missing
        assert told["fitted"] == (told["family"] == "reference")
        assert (told["low"] is None) == (known.low == float("-inf"))


def test_the_table_names_every_feature(agentcal: Command) -> None:
    done = agentcal("inspect", "features")
    assert done.code == 0
    assert all(feature.name in done.out for feature in COLUMNS)
    assert f"{len(COLUMNS)} features" in done.out
    assert "REFERENCE (fitted on the training runs)" in " ".join(done.out.split())


def test_one_family_alone(agentcal: Command) -> None:
    listed = json.loads(agentcal("inspect", "features", "--family", "structure", "--json").out)
    assert {f["family"] for f in listed} == {"structure"}
    done = agentcal("inspect", "features", "--family", "moods")
    assert done.code == 1
    assert "structure" in done.err


def test_a_model_is_shown_without_its_numbers(files: Files, agentcal: Command) -> None:
    calibrator = ac.Calibrator.load(files.model)
    done = agentcal("inspect", "model", files.model)
    assert calibrator.fingerprint in done.out
    assert str(calibrator.report) in done.out
    about = json.loads(agentcal("inspect", "model", files.model, "--json").out)
    assert about["fingerprint"] == calibrator.fingerprint
    assert about["settings"] == calibrator.settings.model_dump()
    assert not {"heads", "seen"} & set(about)
    assert calibrator.seen.runs not in done.out


def test_runs_are_counted_with_their_signals(files: Files, agentcal: Command) -> None:
    runs = list(ac.load(files.test, progress=False))
    told = json.loads(agentcal("inspect", "runs", files.test, "--json").out)
    assert told["load"]["read"] == told["runs"]["runs"] == len(runs)
    signals = told["runs"]["signals"]
    assert signals["log-probabilities"] == len(runs)
    assert signals["stated confidence"] == sum(r.stated_confidence is not None for r in runs)
    assert signals["interventions"] == 0
    text = agentcal("inspect", "runs", files.test).out
    assert "log-probabilities" in text
    assert f"Read {len(runs)} runs" in text


def test_what_was_skipped_is_in_the_report_once(
    files: Files, agentcal: Command, tmp_path: Path
) -> None:
    damaged = tmp_path / "damaged.jsonl"
    line = files.test.read_text(encoding="utf-8").splitlines()[0]
    damaged.write_text(f"{line}\n[1, 2]\n{line[:99]}\n", encoding="utf-8")
    done = agentcal("inspect", "runs", damaged)
    assert done.code == 0
    assert "line 2" in done.out
    assert "line 3" in done.out
    assert done.err == ""


def test_a_description_of_few_runs() -> None:
    runs = [
        ac.Trajectory(run_id="a", task="t", end_reason="error"),
        ac.Trajectory(run_id="b", task="t", steps=[ac.Step(text="x", latency_s=0.0)], agent="z"),
    ]
    told = describe(runs)
    assert (told.runs, told.groups, told.success_rate) == (2, 1, None)
    assert told.turns == (0, 0.5, 1)
    assert told.without_turns == 1
    assert told.end_reasons == {"error": 1, "unknown": 1}
    assert told.signals["latency"] == 1
    assert told.signals["outcome"] == 0
    assert "agents: z 1" in str(told)
    assert "models: not named" in str(told)


@pytest.mark.parametrize(
    ("arguments", "code", "why"),
    [
        (["model", "missing.json"], 1, "missing.json"),
        (["model", "TEST"], 1, "test.jsonl"),
        (["model"], 2, "MODEL"),
        (["runs", "missing/*.jsonl"], 1, "missing"),
        (["runs", "MODEL"], 1, "format"),
        (["runs"], 2, "RUNS"),
        (["thoughts"], 2, "thoughts"),
    ],
)
def test_wrong_input_is_told_in_a_line(
    files: Files, agentcal: Command, arguments: list[str], code: int, why: str
) -> None:
    names = {"MODEL": str(files.model), "TEST": str(files.test)}
    done = agentcal("inspect", *(names.get(a, a) for a in arguments))
    assert done.code == code
    assert why in done.err
    assert "Traceback" not in done.err
