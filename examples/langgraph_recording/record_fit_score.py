"""Record a LangGraph agent, learn from how its runs turned out, and score it while it works."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path

from clerk import NAMES, asked_for, scripted_clerk, task

import agentcal as ac
from agentcal.recorder import QuietObserver, Recorder, RunInfo
from agentcal.sinks import JsonlSink
from agentcal.testing import Ledger
from agentcal_langgraph import CalibrationCallbackHandler

MONEY = 1000


def handle(number: int, recorder: Recorder) -> bool:
    """One request, on a thread of its own. Says whether the books are as they should be."""
    ledger = Ledger(dict.fromkeys(NAMES, MONEY))
    request = task(number)
    scripted_clerk(ledger).invoke(
        {"messages": [("user", request)]},
        {
            "callbacks": [CalibrationCallbackHandler(recorder)],
            "configurable": {"thread_id": f"invoice-{number}"},
        },
    )
    return ledger.entries == [asked_for(request)]


def record(numbers: range, path: Path) -> dict[str, bool]:
    """Run the agent; its runs go to ``path``, and what the world says of them is given back."""
    with Recorder(sinks=[JsonlSink(path)]) as recorder:
        return {f"invoice-{number}": handle(number, recorder) for number in numbers}


def with_outcomes(path: Path, right: dict[str, bool]) -> list[ac.Trajectory]:
    """The recorded runs, each with its outcome; they are found again by their thread."""
    runs = list(ac.load(path, progress=False))
    for run in runs:
        value = float(right[run.conversation or ""])
        run.outcome = ac.Outcome(value=value, source="ledger", at=datetime.now(UTC))
    return runs


class Narrator(QuietObserver):
    """Prints each turn and its confidence before anything that it proposes has happened."""

    def started(self, run: RunInfo) -> None:
        print(f"\n{run.task}")

    def replied(
        self, run: RunInfo, turn: int, step: ac.Step, confidence: ac.Confidence | None
    ) -> None:
        proposed = ", ".join(f"{call.name}({call.arguments})" for call in step.tool_calls)
        print(f"  turn {turn}  {confidence}  {proposed or step.text!r}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("langgraph-recording"))
    parser.add_argument("--runs", type=int, default=60, help="how many to learn from")
    parser.add_argument("--folds", type=int, default=5, help="of the cross-validation")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    log = given.out / "runs.jsonl"
    log.unlink(missing_ok=True)

    right = record(range(given.runs), log)
    runs = with_outcomes(log, right)
    ac.write_jsonl(runs, given.out / "labelled.jsonl")
    print(f"{len(runs)} runs in {log}, {sum(right.values())} of them right")

    calibrator = ac.fit(runs, folds=given.folds, progress=False)
    calibrator.save(given.out / "clerk.json")
    print(calibrator.report)

    with Recorder(calibrator, observers=[Narrator()]) as recorder:
        for number in range(10_000, 10_006):
            print(f"  books right: {handle(number, recorder)}")


if __name__ == "__main__":
    main()
