"""What agentcal costs: ``python -m benchmarks.speed --data DIR --json FILE``.

Timings on a shared machine are noisy, so every figure is a ratio within one process or a median of
thousands of events, and the conditions are written down beside them.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import agentcal as ac

# On Linux a child inherits the peak of its parent in ru_maxrss; VmHWM is its own.
_STREAM = """
import resource, sys
from pathlib import Path
import agentcal as ac
for run in ac.load(sys.argv[1], progress=False):
    for point in ac.decision_points(run):
        pass
status = Path("/proc/self/status")
lines = status.read_text().splitlines() if status.exists() else []
own = [line.split()[1] for line in lines if line.startswith("VmHWM:")]
print(own[0] if own else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def dojo_texts(data: Path) -> list[str]:
    """The AgentDojo lines as text."""
    lines = []
    for file in sorted((data / "agentdojo").glob("*.jsonl.gz")):
        with gzip.open(file, "rt", encoding="utf-8") as text:
            lines += text.read().splitlines()
    return lines


def fold_seconds(data: Path, runs: list[ac.Trajectory], repeats: int = 5) -> dict[str, float]:
    """Best of each: the same lines parsed, read and parsed, and all decision points folded."""
    times: dict[str, list[float]] = {"json": [], "files": [], "fold": []}
    for _ in range(repeats):
        started = time.perf_counter()
        texts = dojo_texts(data)
        read = time.perf_counter()
        for text in texts:
            json.loads(text)
        parsed = time.perf_counter()
        for run in runs:
            for _point in ac.decision_points(run):
                pass
        times["fold"].append(time.perf_counter() - parsed)
        times["json"].append(parsed - read)
        times["files"].append(parsed - started)
    return {name: min(seconds) for name, seconds in times.items()}


def live_seconds(
    runs: list[ac.Trajectory], calibrator: ac.Calibrator
) -> Iterator[tuple[str, float]]:
    """Which event, and the seconds of it together with the score that it leads to.

    A model turn is scored when it has been folded; a result is folded without a score, because no
    decision is due before the model has replied again.
    """
    for run in runs:
        fold = ac.Fold(run.task, run.system, run.tools)
        for step in run.steps:
            for message in step.inputs:
                fold.message(message.text, message.role)
            started = time.perf_counter()
            fold.turn(step)
            calibrator.predict(fold.point(), agent=run.agent)
            yield "turn", time.perf_counter() - started
            for position, call in enumerate(step.tool_calls):
                if call.status != "missing":
                    started = time.perf_counter()
                    fold.result(position, call.result or "", call.status)
                    yield "result", time.perf_counter() - started


def predict_seconds(runs: list[ac.Trajectory], calibrator: ac.Calibrator) -> list[float]:
    points = [point for run in runs for point in ac.decision_points(run)]
    times = []
    for point in points:
        started = time.perf_counter()
        calibrator.predict(point)
        times.append(time.perf_counter() - started)
    return times


def stream_mb(folder: Path, runs: list[ac.Trajectory], copies: int) -> float:
    """Peak memory of a fresh process that folds ``copies`` times as many runs from one file."""
    path = folder / "stream.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for copy in range(copies):
            for run in runs:
                renamed = run.model_copy(update={"run_id": f"{copy}/{run.run_id}"})
                file.write(renamed.model_dump_json(exclude_defaults=True) + "\n")
    done = subprocess.run(  # noqa: S603 - our own interpreter and script
        [sys.executable, "-c", _STREAM, str(path)], capture_output=True, text=True, check=True
    )
    path.unlink()
    return int(done.stdout) / 1024


def measure(data: Path, folder: Path) -> dict[str, Any]:
    runs = list(ac.load(data / "agentdojo", progress=False))
    started = time.perf_counter()
    calibrator = ac.fit(runs, nested=False, progress=False)
    fit_seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sample = runs[::5]
    list(live_seconds(sample[:50], calibrator))
    timed = list(live_seconds(sample, calibrator))
    live = [seconds * 1e6 for _, seconds in timed]
    turns = [seconds * 1e6 for event, seconds in timed if event == "turn"]
    seconds = fold_seconds(data, runs)
    points = sum(len(run.steps) + 1 for run in runs)
    return {
        "fold_to_json_ratio": seconds["fold"] / seconds["json"],
        "fold_to_files_ratio": seconds["fold"] / seconds["files"],
        "fold_us_per_point": seconds["fold"] * 1e6 / points,
        "live_us_median": statistics.median(live),
        "live_turn_us_median": statistics.median(turns),
        "live_us_p99": statistics.quantiles(live, n=100)[98],
        "predict_us_median": statistics.median(predict_seconds(sample, calibrator)) * 1e6,
        "fit_seconds": fit_seconds,
        "peak_mb": peak,
        "stream_mb": {
            "500 runs": stream_mb(folder, sample, 1),
            "5,000 runs": stream_mb(folder, sample, 10),
        },
        "conditions": {
            "runs": len(runs),
            "points": points,
            "events": len(live),
            "python": platform.python_version(),
            "machine": platform.machine(),
            "cores": os.cpu_count(),
            "load_average": os.getloadavg()[0],
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder of labelled runs")
    parser.add_argument("--json", type=Path, required=True, help="where the figures go")
    options = parser.parse_args()
    figures = measure(options.data, options.json.parent)
    options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
