"""`agentcal replay` on real runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import agentcal as ac
from agentcal.policy import Policy
from tests.replay.conftest import Command, Files


@pytest.fixture
def replayed(files: Files) -> ac.Replay:
    calibrator = ac.Calibrator.load(files.model)
    runs = ac.load(files.runs, progress=False)
    return ac.replay(Policy.load(files.policy), calibrator, runs)


def test_json_is_the_replay_that_python_gives(
    files: Files, agentcal: Command, replayed: ac.Replay
) -> None:
    done = agentcal("replay", files.model, files.policy, files.runs, "--json")
    assert done.code == 0
    assert ac.Replay.model_validate_json(done.out) == replayed
    methods = [row["method"] for row in json.loads(done.out)["rows"]]
    assert methods[0] == "policy"
    assert {"step count", "stated confidence", "random", "always before writing"} < set(methods)


def test_runs_that_the_calibrator_learnt_from_are_left_out_and_told(
    files: Files, agentcal: Command, replayed: ac.Replay
) -> None:
    done = agentcal("replay", files.model, files.policy, files.train, files.runs, "--json")
    assert done.code == 0
    assert "runs learnt from by the calibrator, such as" in done.err
    found = ac.Replay.model_validate_json(done.out)
    trained = len(list(ac.load(files.train, progress=False)))
    assert found.left_out == {"learnt from by the calibrator": trained}
    assert found == replayed.model_copy(update={"left_out": found.left_out})
    assert f"left out: {trained} learnt from" in found.headline


def test_real_runs_have_tokens_families_and_a_budget_that_holds(replayed: ac.Replay) -> None:
    own = replayed.row()
    assert own.tokens_saved is not None
    assert own.tokens_saved.n == replayed.failed
    assert {row.family for row in replayed.by_family} == {"arithmetic", "orders", "search"}
    gated = own.verdicts.get("escalate", 0)
    assert 0 < gated < own.interrupted, "the budget ran out and the rest was ended"
    stated = replayed.row("stated confidence")
    assert stated.interrupted == stated.budget == own.interrupted


def test_it_prints_tables_and_draws_a_picture(
    files: Files, agentcal: Command, tmp_path: Path
) -> None:
    where = tmp_path / "new" / "pictures"
    done = agentcal("replay", files.model, files.policy, files.runs, "--plots", where)
    assert done.code == 0
    for words in ("Runs that would have been stopped", "step count", "not known", "(an answer)"):
        assert words in done.out
    assert (where / "trade_off.png").read_bytes().startswith(b"\x89PNG")
    alone = agentcal("replay", files.model, files.policy, files.runs, "--no-baselines")
    assert "random" not in alone.out


def test_a_policy_written_by_hand_can_be_tried_before_it_is_certified(
    files: Files, agentcal: Command, tmp_path: Path
) -> None:
    draft = tmp_path / "draft.json"
    draft.write_text('{"rules": [{"type": "always", "tiers": ["answer"]}]}', encoding="utf-8")
    done = agentcal("replay", files.model, draft, files.runs, "--json", "--no-baselines")
    assert done.code == 0
    found = ac.Replay.model_validate_json(done.out)
    assert found.row().rules == {"always": found.row().interrupted}
    assert {row.tool for row in found.by_tool} == {None}


@pytest.mark.parametrize(
    ("arguments", "code", "why"),
    [
        (["missing.json", "POLICY", "RUNS"], 1, "missing.json"),
        (["MODEL", "missing.json", "RUNS"], 1, "missing.json"),
        (["MODEL", "MODEL", "RUNS"], 1, "model.json"),
        (["POLICY", "POLICY", "RUNS"], 1, "policy.json"),
        (["MODEL", "POLICY", "missing.jsonl"], 1, "missing.jsonl"),
        (["MODEL", "POLICY"], 2, "RUNS"),
        (["MODEL", "POLICY", "TRAIN"], 1, "give runs of other groups"),
        (["MODEL", "POLICY", "RUNS", "--level", "95"], 1, "level"),
        (["MODEL", "POLICY", "RUNS", "--success-at", "0"], 1, "success_at"),
        (["MODEL", "POLICY", "RUNS", "--group", "day"], 2, "day"),
        (["MODEL", "POLICY", "RUNS", "--plots", "RUNS"], 1, "is a file"),
    ],
)
def test_wrong_input_is_told_in_a_line(
    files: Files, agentcal: Command, arguments: list[str], code: int, why: str
) -> None:
    names = {name.upper(): str(path) for name, path in files._asdict().items()}
    done = agentcal("replay", *(names.get(a, a) for a in arguments))
    assert done.code == code
    assert why in done.err
    assert "Traceback" not in done.err
    assert done.out == ""
