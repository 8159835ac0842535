"""Whenever the agent stops, and wherever it goes on, the record is that of an undisturbed run."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest
from langchain.agents.middleware import HumanInTheLoopMiddleware
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command, interrupt

from agentcal.recorder import Recorder, SqlitePending
from agentcal.sinks import MemorySink
from agentcal.testing import call, calls
from agentcal_langchain import CalibrationMiddleware
from tests.langchain.agents import ASK, MODES, Counting, agent, lasting, on


@tool
def gated(x: int) -> str:
    """Do something that people have to approve."""
    return f"did {x}"


@tool
def free(x: int) -> str:
    """Do something."""
    return f"free {x}"


@tool
def asks(x: int) -> str:
    """Ask somebody."""
    return f"asked: {interrupt({'x': x})}"


@tool("asks")
def answers(x: int) -> str:
    """Ask somebody."""
    return "asked: yes"


def a_script(dice: random.Random) -> list[Any]:
    def turn(i: int) -> Any:
        names = dice.choices(["gated", "free", "asks"], k=dice.randint(1, 3))
        return calls(*(call(name, {"x": dice.randint(0, 9)}) for name in names), text=f"turn {i}")

    return [*(turn(i) for i in range(dice.randint(1, 4))), "done"]


def an_answer(asked: Any) -> Any:
    if "action_requests" in asked:
        return {"decisions": [{"type": "approve"} for _ in asked["action_requests"]]}
    return {"type": "approve"} if asked.get("type") == "tool_approval" else "yes"


class World:
    """Processes that share a checkpointer and perhaps a store of waiting runs; one lives."""

    def __init__(self, dice: random.Random, script: list[Any], store: Path | None) -> None:
        self._dice, self._script, self._store = dice, script, store
        self._saver = InMemorySaver()
        self._first = dice.random() < 0.5
        self._mode = dice.choice(MODES)
        self._limit = {"max_concurrency": 1} if dice.random() < 0.3 else {}
        self.start()

    def start(self) -> None:
        """A new process; what the old one has not stored is lost."""
        self.sink = MemorySink()
        store = None if self._store is None else SqlitePending(self._store)
        self.recorder = Recorder(Counting(), sinks=[self.sink], pending=store)  # type: ignore[arg-type]
        mine = CalibrationMiddleware(recorder=self.recorder)
        people = HumanInTheLoopMiddleware({"gated": True}, **self._mode)
        stack = [mine, people] if self._first else [people, mine]
        self.graph = agent(stack, self._script, [gated, free, asks], checkpointer=self._saver)

    def restart(self) -> None:
        """The process ends, in good order if there is a store to put things in."""
        if self._store is not None:
            self.recorder.close()
        self.start()

    def go(self, given: Any) -> Any:
        """Run until the agent stops; gives the state."""
        config = on("t-1", **self._limit)
        if self._dice.random() < 0.5:
            asyncio.run(self.graph.ainvoke(given, config))
        else:
            self.graph.invoke(given, config)
        return self.graph.get_state(on("t-1"))


def undisturbed(script: list[Any]) -> dict[str, Any]:
    sink = MemorySink()
    with Recorder(sinks=[sink]) as recorder:
        middleware = [CalibrationMiddleware(recorder=recorder)]
        agent(middleware, script, [gated, free, answers]).invoke(ASK)
    return lasting(sink.runs[0])


def disturbed(seed: int, store: Path) -> None:
    dice = random.Random(seed)
    script = a_script(dice)
    world = World(dice, script, store if dice.random() < 0.5 else None)
    state, frozen = world.go(ASK), {}
    while True:
        for turn, confidence in state.values["agentcal"]["CalibrationMiddleware"]["turns"].items():
            assert frozen.setdefault(turn, confidence) == confidence
        if not state.interrupts:
            break
        if dice.random() < 0.5:
            world.restart()
        some = state.interrupts[:1] if dice.random() < 0.4 else state.interrupts
        state = world.go(Command(resume={asked.id: an_answer(asked.value) for asked in some}))
    world.recorder.close()
    (run,) = [run for run in world.sink.runs if run.end_reason == "answered"]
    assert {entry.kind for entry in run.interventions} <= {"resumed"}
    plain = lasting(run)
    plain["interventions"], plain["conversation"] = [], None
    assert plain == undisturbed(script)
    assert len(frozen) == len(script)
    assert world.recorder.stats.errors == 0


@pytest.mark.parametrize("seed", range(100, 115))
def test_a_few_schedules(seed: int, tmp_path: Path) -> None:
    disturbed(seed, tmp_path / "waiting.db")


@pytest.mark.long
@pytest.mark.parametrize("seed", range(115, 300))
def test_many_schedules(seed: int, tmp_path: Path) -> None:
    disturbed(seed, tmp_path / "waiting.db")
