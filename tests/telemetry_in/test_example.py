"""The example with an agent that others trace: over OTLP to a receiver, then to a calibrator."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import agentcal as ac

EXAMPLE = Path(__file__).parents[2] / "examples" / "opentelemetry_only"


def test_the_agent_knows_nothing_of_agentcal() -> None:
    code = (EXAMPLE / "support_agent.py").read_text(encoding="utf-8")
    assert not re.search(r"^\s*(import|from) agentcal", code, re.M)


@pytest.mark.skipif(
    find_spec("openinference") is None,
    reason="no instrumentors here: none goes with the oldest versions (make oldest)",
)
def test_its_spans_become_runs_and_its_runs_a_calibrator(tmp_path: Path) -> None:
    arguments = ["--out", "o", "--runs", "24", "--folds", "2"]
    done = subprocess.run(  # noqa: S603 - our own interpreter, our own script
        [sys.executable, str(EXAMPLE / "learn_from_traces.py"), *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    runs = list(ac.load(tmp_path / "o/traces.pb"))
    assert {run.conversation for run in runs} == {f"customer-{i}" for i in range(1000, 1024)}
    assert all(run.task.startswith("Where is my order") and not run.gaps for run in runs)
    assert {call.status for run in runs for s in run.steps for call in s.tool_calls} == {
        "ok",
        "error",
    }
    assert {run.metadata["service"] for run in runs} == {"support"}
    assert ac.Calibrator.load(tmp_path / "o/support.json").report.runs == 24
    # A second failure in a row is a bad sign, as is a guess after it.
    (lost,) = re.findall(r"order 5005\?\n(.*?)helpful: (\w+)", done.stdout, re.S)
    values = [float(value) for value in re.findall(r"P\(success\) ([\d.]+)", lost[0])]
    assert values[-1] < values[0]
    assert lost[1] == "False"
