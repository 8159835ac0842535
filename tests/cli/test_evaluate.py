from __future__ import annotations

import json
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

import agentcal as ac
from agentcal.cli import main
from agentcal.evaluation import Evaluation
from tests.cli.conftest import Files
from tests.commands import Command


@pytest.fixture(scope="module")
def told(files: Files) -> str:
    """What `evaluate --json` prints on stdout."""
    out = StringIO()
    with redirect_stdout(out), pytest.raises(SystemExit) as ended:
        main(["evaluate", str(files.model), str(files.test), "--json"])
    assert not ended.value.code
    return out.getvalue()


def test_json_is_the_evaluation_that_python_gives(files: Files, told: str) -> None:
    calibrator = ac.Calibrator.load(files.model)
    runs = ac.load(files.test, progress=False)
    assert Evaluation.model_validate_json(told) == ac.evaluate(calibrator, runs)


def test_runs_that_it_learnt_from_are_left_out_and_told(
    files: Files, agentcal: Command, told: str
) -> None:
    done = agentcal("evaluate", files.model, files.train, files.test, "--json")
    assert done.code == 0
    trained = len(list(ac.load(files.train, progress=False)))
    why = f"agentcal: note: left out: {trained} runs learnt from by the calibrator, such as "
    assert done.err.startswith(why)
    assert done.err.count("\n") == 1
    alone = Evaluation.model_validate_json(told)
    found = Evaluation.model_validate_json(done.out)
    assert found.left_out == {"learnt from by the calibrator": trained}
    assert found == alone.model_copy(update={"left_out": found.left_out})


def test_so_are_other_runs_of_the_same_tasks(
    files: Files, agentcal: Command, tmp_path: Path
) -> None:
    runs = [run.model_copy(update={"run_id": f"again-{k}"}) for k, run in _numbered(files.train)]
    ac.write_jsonl(runs, tmp_path / "again.jsonl")
    done = agentcal("evaluate", files.model, tmp_path / "again.jsonl")
    assert done.code == 1
    assert f"{len(runs)} of groups that the calibrator learnt from; give runs of" in done.err
    assert "such as again-0, again-1, again-2" in done.err
    assert done.out == ""


def _numbered(path: Path) -> list[tuple[int, ac.Trajectory]]:
    return list(enumerate(ac.load(path, progress=False)))


def test_it_prints_tables_and_draws_pictures(
    files: Files, agentcal: Command, tmp_path: Path
) -> None:
    where = tmp_path / "new" / "pictures"
    done = agentcal("evaluate", files.model, files.test, "--plots", where, "--no-baselines")
    assert done.code == 0
    assert "agentcal" in done.out
    assert "base rate" not in done.out
    for name in ("reliability.png", "risk_coverage.png"):
        assert (where / name).read_bytes().startswith(b"\x89PNG")
        assert name in done.out.replace("\n", "")


def test_it_is_better_than_the_base_rate_on_unseen_tasks(told: str) -> None:
    evaluation = Evaluation.model_validate_json(told)
    own, base = (evaluation.row("final", m).metrics.brier for m in ("agentcal", "base rate"))
    assert own is not None
    assert base is not None
    assert own.value < base.value


@pytest.mark.parametrize(
    ("arguments", "code", "why"),
    [
        (["missing.json", "TEST"], 1, "missing.json"),
        (["TEST", "TEST"], 1, "test.jsonl"),
        (["MODEL", "missing.jsonl"], 1, "missing.jsonl"),
        (["MODEL"], 2, "RUNS"),
        (["MODEL", "TRAIN"], 1, "learnt from by the calibrator; give runs of other groups"),
        (["MODEL", "TEST", "--level", "95"], 1, "level"),
        (["MODEL", "TEST", "--success-at", "0"], 1, "success_at"),
        (["MODEL", "TEST", "--group", "day"], 2, "day"),
        (["MODEL", "TEST", "--plots", "TEST"], 1, "is a file"),
    ],
)
def test_wrong_input_is_told_in_a_line(
    files: Files, agentcal: Command, arguments: list[str], code: int, why: str
) -> None:
    names = {"MODEL": files.model, "TEST": files.test, "TRAIN": files.train}
    done = agentcal("evaluate", *(names.get(a, a) for a in arguments))
    assert done.code == code
    assert why in done.err
    assert "Traceback" not in done.err
    assert done.out == ""


def test_a_tampered_calibrator_is_refused(files: Files, agentcal: Command, tmp_path: Path) -> None:
    text = files.model.read_text(encoding="utf-8")
    assert '"VALID"' in text or '"DEGRADED"' in text
    changed = tmp_path / "changed.json"
    body = json.loads(text)
    other = json.dumps(body).replace('"seed": 0', '"seed": 1')
    changed.write_text(other, encoding="utf-8")
    done = agentcal("evaluate", changed, files.test)
    assert done.code == 1
    assert "changed.json" in done.err


def test_runs_without_outcomes_say_so(files: Files, agentcal: Command, tmp_path: Path) -> None:
    runs = [run.model_copy(update={"outcome": None}) for run in ac.sample_runs()[:5]]
    ac.write_jsonl(runs, tmp_path / "runs.jsonl")
    done = agentcal("evaluate", files.model, tmp_path / "runs.jsonl")
    assert done.code == 1
    assert "5 no outcome" in done.err
