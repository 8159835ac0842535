"""The example with a LangGraph agent runs from anywhere and learns what there is to learn."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import agentcal as ac

EXAMPLE = Path(__file__).parents[2] / "examples" / "langgraph_recording"

ARGUMENTS = ["--out", "o", "--runs", "24", "--folds", "2"]


def test_the_example_records_learns_and_scores(tmp_path: Path) -> None:
    done = subprocess.run(  # noqa: S603 - our own interpreter, our own script
        [sys.executable, str(EXAMPLE / "record_fit_score.py"), *ARGUMENTS],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert "24 runs in o/runs.jsonl, " in done.stdout
    recorded, labelled = ac.load(tmp_path / "o/runs.jsonl"), ac.load(tmp_path / "o/labelled.jsonl")
    assert [run.outcome for run in recorded] == [None] * 24
    assert {run.outcome.value for run in labelled if run.outcome} == {0.0, 1.0}
    assert {run.conversation for run in labelled} == {f"invoice-{i}" for i in range(24)}
    assert all(step.logprobs for run in labelled for step in run.steps if not step.tool_calls)
    assert ac.Calibrator.load(tmp_path / "o/clerk.json").report.runs == 24
    # Seen live: a look at the account first is a good sign, digits that are turned round are not.
    shown = re.findall(r"\(Invoice (\d+)\)\n  turn 1  P\(success\) ([\d.]+)", done.stdout)
    first = {number: float(value) for number, value in shown}
    assert first["10003"] > first["10002"]
    assert len(first) == 6
