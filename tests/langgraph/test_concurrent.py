"""Many runs at once are each as if they were alone."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from agentcal.testing import ScriptedChatModel, approval_graph, call, calls, says
from tests.langgraph.agents import PURE, TASK, asked
from tests.langgraph.conftest import Watched, lasting

RUNS = 50


def _script(task: str) -> list[Any]:
    """As many turns as the task's number says, each with parallel calls."""
    turns = int(task.rpartition(" ")[2]) % 5
    proposed = [call("look", {"account": task}), call("act", {"amount": turns})]
    return [*[calls(*proposed, text=f"turn {n}") for n in range(turns)], says(f"done with {task}")]


def _graph() -> Any:
    model = ScriptedChatModel(script=_script, latency_s=0.001)
    return approval_graph(model, PURE, checkpointer=InMemorySaver(), ask_before=("act",))


def _givens(n: int) -> list[Any]:
    return [asked(f"{TASK} {n}"), *[Command(resume=True)] * (n % 5)]


def _alone(n: int) -> dict[str, Any]:
    watched, graph = Watched(), _graph()
    for given in _givens(n):
        graph.invoke(given, watched.config(f"t{n}"))
    return lasting(watched.run())


@pytest.fixture(scope="module")
def alone() -> dict[str, dict[str, Any]]:
    """A run's record depends on its number alone up to 5, and on the task's text."""
    return {run["task"]: run for run in map(_alone, range(RUNS))}


def test_threads(watched: Watched, alone: dict[str, Any]) -> None:
    graph = _graph()

    def run(n: int) -> None:
        for given in _givens(n):
            graph.invoke(given, watched.config(f"t{n}"))

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(run, range(RUNS)))
    assert {run.task: lasting(run) for run in watched.runs()} == alone


def test_asyncio(watched: Watched, alone: dict[str, Any]) -> None:
    graph = _graph()

    async def run(n: int) -> None:
        for given in _givens(n):
            async for _ in graph.astream(given, watched.config(f"t{n}"), stream_mode="messages"):
                pass

    async def all_of_them() -> None:
        await asyncio.gather(*map(run, range(RUNS)))

    asyncio.run(all_of_them())
    assert {run.task: lasting(run) for run in watched.runs()} == alone
