"""The same trajectory, whichever way a graph is run."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import pytest
from langchain_core.messages import messages_to_dict

from agentcal import load
from tests.langgraph.agents import BUILDERS, TASK, asked, fan_out, functional, react
from tests.langgraph.conftest import Watched, lasting


def _stream(graph: Any, given: Any, config: Any) -> None:
    for _ in graph.stream(given, config):
        pass


def _stream_messages(graph: Any, given: Any, config: Any) -> None:
    for _ in graph.stream(given, config, stream_mode=["messages", "updates"], subgraphs=True):
        pass


def _astream(graph: Any, given: Any, config: Any) -> None:
    async def run() -> None:
        async for _ in graph.astream(given, config, stream_mode="messages"):
            pass

    asyncio.run(run())


def _astream_events(graph: Any, given: Any, config: Any) -> None:
    async def run() -> None:
        async for _ in graph.astream_events(given, config, version="v2"):
            pass

    asyncio.run(run())


WAYS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "invoke": lambda g, x, c: g.invoke(x, c),
    "ainvoke": lambda g, x, c: asyncio.run(g.ainvoke(x, c)),
    "stream": _stream,
    "stream_messages": _stream_messages,
    "astream": _astream,
    "batch": lambda g, x, c: g.batch([x], c),
    "abatch": lambda g, x, c: asyncio.run(g.abatch([x], c)),
    "astream_events": _astream_events,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("agent", BUILDERS)
def test_every_way_of_running_gives_the_same_record(agent: str, way: str) -> None:
    plain, other = Watched(), Watched()
    BUILDERS[agent](None).invoke(asked(), plain.config())
    WAYS[way](BUILDERS[agent](None), asked(), other.config())
    expected = plain.run()
    assert [step.text for step in expected.steps][-1] != ""
    assert expected.end_reason == "answered"
    assert lasting(other.run()) == lasting(expected)


def _tasks_return(way: str) -> bool:
    try:
        WAYS[way](functional(), TASK, {})
    except AttributeError:
        return False
    return True


@pytest.mark.parametrize("way", ["ainvoke", "astream", "abatch", "astream_events"])
def test_functional_api(way: str) -> None:
    if not _tasks_return(way):
        pytest.skip(f"tasks return nothing here, watched or not (langgraph {version('langgraph')})")
    watched = Watched()
    WAYS[way](functional(), TASK, watched.config())
    run = watched.run()
    assert (run.task, run.end_reason, len(run.steps)) == (TASK, "answered", 2)
    assert [c.status for c in run.steps[0].tool_calls] == ["ok", "error"]
    assert run.steps[0].tool_calls[0].result == "alice holds 100"
    assert run.steps[1].text == "done"


@pytest.mark.parametrize("way", WAYS)
def test_fan_out_has_every_branch_once(way: str) -> None:
    watched = Watched()
    WAYS[way](fan_out(), asked(), watched.config())
    run = watched.run()
    assert len(run.steps) == 7
    assert run.steps[-1].text == "sum"
    assert sorted(s.text for s in run.steps if s.text.endswith("looked up")) == [
        "part one looked up",
        "part three looked up",
        "part two looked up",
    ]
    proposed = [c for s in run.steps for c in s.tool_calls]
    assert len({c.id for c in proposed}) == 6
    assert all(c.status == "ok" and c.result and "holds" in c.result for c in proposed)
    told = {(s.agent, m.role, m.text) for s in run.steps for m in s.inputs}
    assert ("worker", "agent", "part one") in told


def test_live_record_equals_the_one_read_from_the_messages(tmp_path: Any) -> None:
    watched = Watched()
    state = react().invoke(asked(), watched.config())
    live = watched.run()
    path = tmp_path / "messages.json"
    path.write_text(json.dumps(messages_to_dict(state["messages"])))
    (read,) = load(path)
    assert read.task == live.task
    for step in live.steps:
        assert step.agent == "react"
        step.agent = step.latency_s = None
        for proposed in step.tool_calls:
            proposed.duration_s = None
    assert live.steps == read.steps


def test_batch_makes_a_run_of_each_input(watched: Watched) -> None:
    react().batch([asked(f"Pay bob {n}.") for n in range(4)], watched.config())
    assert sorted(run.task for run in watched.runs()) == [f"Pay bob {n}." for n in range(4)]
