"""Receive an agent's spans over OTLP, and learn from them how likely its runs are to succeed."""

from __future__ import annotations

import argparse
import csv
import os
import struct
import subprocess
import sys
from pathlib import Path

import agentcal as ac
from agentcal.testing import OtlpReceiver

AGENT = Path(__file__).with_name("support_agent.py")

# Instrumentors keep what was said to themselves unless they are asked for it.
CONTENT = {
    "OTEL_SEMCONV_STABILITY_OPT_IN": "gen_ai_latest_experimental",
    "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY",
}


def run_agent(tracer: str, orders: tuple[int, int], traces: Path, feedback: Path) -> None:
    """Let the agent work, in a process of its own, and keep what it exports.

    A collector does this in earnest. What is written is what its file exporter writes with
    ``format: proto``: each export with its length in front.
    """
    first, last = map(str, orders)
    with OtlpReceiver() as receiver:
        where = ["--orders", first, last, "--feedback", str(feedback)]
        subprocess.run(  # noqa: S603 - our own interpreter, our own script
            [sys.executable, AGENT, "--tracer", tracer, *where],
            env={**os.environ, **CONTENT, "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint},
            check=True,
        )
        exports = [request.SerializeToString() for request in receiver.requests]
    traces.write_bytes(b"".join(struct.pack(">I", len(one)) + one for one in exports))


def with_outcomes(traces: Path, feedback: Path) -> list[ac.Trajectory]:
    """The runs that the traces tell of, each with what its customer thought of it."""
    with feedback.open(newline="") as file:
        helpful = {row["conversation"]: float(row["helpful"]) for row in csv.DictReader(file)}
    loaded = ac.load(traces, progress=False)
    runs = list(loaded)
    print(loaded.report)
    for run in runs:
        run.outcome = ac.Outcome(value=helpful[run.conversation or ""], source="customer")
    return runs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tracer", default="openinference", help="or openllmetry, or genai")
    parser.add_argument("--out", type=Path, default=Path("opentelemetry-only"))
    parser.add_argument("--runs", type=int, default=60, help="how many to learn from")
    parser.add_argument("--folds", type=int, default=5, help="of the cross-validation")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    traces, feedback = given.out / "traces.pb", given.out / "feedback.csv"

    run_agent(given.tracer, (1000, 1000 + given.runs), traces, feedback)
    runs = with_outcomes(traces, feedback)
    calibrator = ac.fit(runs, folds=given.folds, progress=False)
    calibrator.save(given.out / "support.json")
    print(calibrator.report)

    run_agent(given.tracer, (5000, 5008), given.out / "new.pb", given.out / "new.csv")
    for run in with_outcomes(given.out / "new.pb", given.out / "new.csv"):
        print(f"\n{run.task}")
        for step, confidence in zip(run.steps, calibrator.score(run), strict=False):
            proposed = ", ".join(f"{call.name}({call.arguments})" for call in step.tool_calls)
            print(f"  turn {confidence.turn}  {confidence}  {proposed or step.text!r}")
        print(f"  helpful: {bool(run.outcome and run.outcome.value)}")


if __name__ == "__main__":
    main()
