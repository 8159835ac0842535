"""Agents at work, as lists of events: made at random, driven into a run, and written by hand."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

import agentcal as ac
from agentcal.features import DecisionPoint, decision_points
from agentcal.recorder import Recorder, Run

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
TOOLS = (ac.ToolDeclaration(name="search", read_only=True), ac.ToolDeclaration(name="pay"))
_SAID = ("I will look it up.", "Paid 12.50 to bob@x.org.", "I could not find it.", "Done: r-77", "")
_CAME = ('{"id": "r-77"}', "error: not found", "[]", "bob@x.org owes 12.50", "")


@dataclass
class Script:
    """What one agent does: a turn, its results in any order, and so on."""

    seed: int
    turns: int = 10
    id: str = field(default="")

    def steps(self) -> Iterator[tuple[list[str], ac.Step, list[tuple[str, str, str]]]]:
        """Messages, the model's turn, and results as (call id, text, status)."""
        dice = random.Random(self.seed)
        for turn in range(self.turns):
            told = [f"message {turn}"] if dice.random() < 0.2 else []
            calls = [
                ac.ToolCall(
                    id=f"{self.id}{turn}-{i}",
                    name=dice.choice(("search", "pay")),
                    arguments={"who": f"user{dice.randrange(99)}@x.org", "n": dice.random()},
                )
                for i in range(dice.choice((0, 1, 1, 2, 3)))
            ]
            results = [
                (call.id, dice.choice(_CAME), dice.choice(("ok", "ok", "error"))) for call in calls
            ]
            dice.shuffle(results)
            yield told, ac.Step(text=dice.choice(_SAID), tool_calls=calls), results


def begin(recorder: Recorder, script: Script, **facts: object) -> Run:
    run_id = f"run-{script.seed}"
    known = {"run_id": run_id, "task": f"Task {script.seed}", "tools": TOOLS, "started_at": NOON}
    return recorder.start(**(known | facts))  # type: ignore[arg-type]


def work(run: Run, script: Script, between: Callable[[], None] = lambda: None) -> ac.Trajectory:
    """Drive the whole script; ``between`` is called after every event."""
    for told, step, results in script.steps():
        for text in told:
            run.message(text)
        run.replied(step)
        between()
        for call_id, text, status in results:
            run.called(call_id)
            between()
            run.returned(call_id, text, status, 0.5)  # type: ignore[arg-type]
    whole = run.ended()
    assert whole is not None
    return whole


def gated(run: ac.Trajectory) -> list[DecisionPoint]:
    return list(decision_points(run))[:-1]


def same(one: DecisionPoint | None, other: DecisionPoint | None) -> bool:
    if one is None or other is None:
        return one is other
    return one[:2] == other[:2] and np.array_equal(one.vector, other.vector, equal_nan=True)


def call(call_id: str, name: str = "search") -> ac.ToolCall:
    return ac.ToolCall(id=call_id, name=name, arguments={"q": call_id})


def asks(*calls: ac.ToolCall, text: str = "", agent: str | None = None) -> ac.Step:
    return ac.Step(text=text, tool_calls=list(calls), agent=agent)
