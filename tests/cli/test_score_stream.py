"""`agentcal score` on a stream far larger than memory should have to hold."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import agentcal as ac
from tests.cli.conftest import Files

_SCORE = """
import sys
from pathlib import Path
from agentcal.cli import main
try:
    main(sys.argv[1:])
finally:
    lines = Path("/proc/self/status").read_text().splitlines()
    sys.stderr.write(next(line for line in lines if line.startswith("VmHWM:")))
"""


def small_runs(count: int) -> Iterator[ac.Trajectory]:
    for i in range(count):
        call = ac.ToolCall(name="lookup", arguments={"order": i}, result=f"order {i}: paid")
        steps = [ac.Step(tool_calls=[call]), ac.Step(text=f"Order {i} is paid.")]
        yield ac.Trajectory(run_id=f"run-{i}", task=f"Is order {i} paid?", steps=steps)


def peak_mb(files: Files, folder: Path, runs: int) -> float:
    path = folder / f"{runs}.jsonl"
    ac.write_jsonl(small_runs(runs), path)
    command = [sys.executable, "-c", _SCORE, "score", str(files.model), str(path), "--json"]
    with (folder / "scores.jsonl").open("w") as out:
        done = subprocess.run(  # noqa: S603 - our own interpreter and script
            command, stdout=out, stderr=subprocess.PIPE, text=True, check=False
        )
    lines = (folder / "scores.jsonl").read_text().count("\n")
    assert lines == 3 * runs, done.stderr[-500:]
    path.unlink()
    return int(done.stderr.split("VmHWM:")[1].split()[0]) / 1024


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from /proc")
def test_a_hundred_thousand_runs_take_the_memory_of_five_thousand(
    files: Files, tmp_path: Path
) -> None:
    few, many = peak_mb(files, tmp_path, 5_000), peak_mb(files, tmp_path, 100_000)
    assert many < few + 16, (few, many)
