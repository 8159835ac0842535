"""What watching an agent costs: ``python -m benchmarks.overhead --json FILE``.

One agent (``create_agent``, a scripted model, ten tool calls a run) under each condition. Each has
a process of its own, because instrumentors patch LangChain for the whole process (and OpenLLMetry
changes the graph); all are alive at once and take turns run by run, so that whatever else the
machine does meets them alike. Figures are microseconds of processor time, of all threads, for one
agent step (model node and tool node): wall time on a shared machine says more about the others.
Everybody is given a tracer provider that exports in batches to memory; a last row
adds agentcal's metrics and log-based events to it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import agentcal as ac

TITLES = {
    "bare": "bare",
    "recording": "agentcal: recording",
    "agentcal": "agentcal: recording + scoring + spans",
    "otel-genai": "OpenTelemetry GenAI instrumentor",
    "openllmetry": "OpenLLMetry",
    "openinference": "OpenInference",
    "everything": "agentcal: recording + scoring + spans + metrics + log events",
}
CONDITIONS = tuple(TITLES)
STEPS = 10
WARM_UP = 5


class Worker:
    """A process that runs the agent under one condition whenever it is told to."""

    def __init__(self, condition: str, folder: Path) -> None:
        self.times: list[float] = []
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and script
            [sys.executable, "-m", "benchmarks.overhead_worker", condition, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )

    def ask(self, question: str) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(question + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise SystemExit(f"the process of {self._process.args!r} ended early")
        return json.loads(answer)

    def run(self) -> None:
        self.ask("run")

    def count(self) -> None:
        """Note what the run since the last time has cost."""
        self.times.append(self.ask("cost") * 1e6 / STEPS)

    def spans(self) -> int:
        """Spans since the last time; they are forgotten."""
        spans: int = self.ask("spans")
        return spans

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)


def measure(folder: Path, runs: int) -> list[dict[str, Any]]:
    """Rows, one a condition; ``added`` is the difference to the bare agent."""
    ac.fit(list(ac.sample_runs()), nested=False, progress=False).save(folder / "calibrator.json")
    workers = {condition: Worker(condition, folder) for condition in CONDITIONS}
    spans = dict.fromkeys(CONDITIONS, 0)
    for round_ in range(-WARM_UP, runs):
        first = round_ % len(CONDITIONS)
        turns = CONDITIONS[first:] + CONDITIONS[:first]
        for condition in turns:
            workers[condition].run()
        for condition in turns:
            workers[condition].count()
            spans[condition] = workers[condition].spans()
    for worker in workers.values():
        del worker.times[:WARM_UP]
        worker.close()
    return [row(c, workers[c].times, workers["bare"].times, spans[c]) for c in CONDITIONS]


def row(condition: str, times: list[float], bare: list[float], spans: int) -> dict[str, Any]:
    floor, median = min(times), statistics.median(times)
    return {
        "condition": TITLES[condition],
        "floor_us": round(floor, 1),
        "median_us": round(median, 1),
        "added_floor_us": round(floor - min(bare), 1),
        "added_median_us": round(median - statistics.median(bare), 1),
        "spans": spans,
    }


def shares(rows: list[dict[str, Any]]) -> dict[str, float]:
    """What agentcal adds as a share of what others add, by floors and by medians."""
    added = {r["condition"]: r for r in rows}
    out = {}
    for mine, theirs in (("agentcal", "openinference"), ("recording", "otel-genai")):
        for kind in ("floor", "median"):
            ours, other = (added[TITLES[c]][f"added_{kind}_us"] for c in (mine, theirs))
            out[f"{mine} / {theirs}, {kind}"] = round(ours / other, 3)
    return out


def table(rows: list[dict[str, Any]]) -> str:
    names = list(rows[0])
    lines = [names, ["-" * len(name) for name in names]]
    lines += [[str(value) for value in r.values()] for r in rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, required=True, help="where the figures go")
    parser.add_argument("--runs", type=int, default=150, help="runs of each condition")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = measure(Path(folder), options.runs)
    figures = {
        "rows": rows,
        "shares": shares(rows),
        "conditions": {
            "runs": options.runs,
            "steps": STEPS,
            "python": platform.python_version(),
            "machine": platform.machine(),
            "cores": os.cpu_count(),
            "load_average": os.getloadavg()[0],
        },
    }
    options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    print(table(rows))
    print(json.dumps(figures["shares"], indent=1))


if __name__ == "__main__":
    main()
