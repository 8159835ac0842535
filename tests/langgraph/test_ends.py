"""Why a run ended, and what is left of it in memory."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import GraphRecursionError
from langgraph.graph import START, MessagesState, StateGraph

from agentcal.recorder import Recorder
from agentcal.testing import ScriptedChatModel, call, calls, fails, react_graph
from agentcal_langgraph import CalibrationCallbackHandler
from tests.langgraph.agents import PURE, asked, react
from tests.langgraph.conftest import Watched, lasting

LOOK = calls(call("look", {"account": "bob"}))


def _graph(script: Any, **more: Any) -> Any:
    return react_graph(ScriptedChatModel(script=script), PURE, **more)


def test_recursion_limit(watched: Watched) -> None:
    with pytest.raises(GraphRecursionError):
        _graph([LOOK] * 9).invoke(asked(), watched.config(recursion_limit=4))
    run = watched.run()
    assert (run.end_reason, len(run.steps)) == ("max_steps", 2)


def test_an_error_of_the_model(watched: Watched) -> None:
    with pytest.raises(RuntimeError, match="overloaded"):
        _graph([LOOK, RuntimeError("overloaded")]).invoke(asked(), watched.config())
    run = watched.run()
    assert (run.end_reason, len(run.steps)) == ("error", 1)
    assert run.metadata["error"] == "RuntimeError: overloaded"


def test_a_model_that_a_fallback_stands_in_for(watched: Watched) -> None:
    first, second = fails(RuntimeError("overloaded")), "the other one"
    model = ScriptedChatModel(script=[first]).with_fallbacks(
        [ScriptedChatModel(script=[second], model_name="backup")]
    )
    builder = StateGraph(MessagesState)
    builder.add_node("agent", lambda s: {"messages": [model.invoke(s["messages"])]})
    builder.add_edge(START, "agent")
    builder.compile().invoke(asked(), watched.config())
    run = watched.run()
    assert [(s.text, s.model) for s in run.steps] == [("the other one", "backup")]
    assert run.end_reason == "answered"


def test_cancelled_from_outside(watched: Watched) -> None:
    slow = react_graph(ScriptedChatModel(script=["never said"], latency_s=60), PURE)

    async def run() -> None:
        task = asyncio.create_task(slow.ainvoke(asked(), watched.config()))
        while not watched.recorder.stats.started:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())
    ended = watched.run()
    assert (ended.end_reason, ended.steps) == ("cancelled", [])


def test_a_run_that_was_cancelled_and_goes_on_is_read_from_the_messages(watched: Watched) -> None:
    graph = _graph([LOOK, LOOK, "done"], checkpointer=InMemorySaver())
    stream = graph.stream(asked(), watched.config("t"), durability="sync")
    next(stream)
    next(stream)
    stream.close()
    graph.invoke(None, watched.config("t"))
    cut, whole = watched.runs()
    assert (cut.end_reason, len(cut.steps)) == ("cancelled", 1)
    alone = Watched()
    _graph([LOOK, LOOK, "done"]).invoke(asked(), alone.config())
    expected = lasting(alone.run())
    expected["steps"][0]["agent"] = None  # the messages do not say who spoke
    expected["gaps"] = ["the first turns were not watched; they are read from the messages"]
    assert lasting(whole) == expected
    assert whole.interventions[0].kind == "resumed"


def test_a_stream_that_nobody_reads_to_its_end(watched: Watched) -> None:
    for _ in _graph([LOOK, "done"]).stream(asked(), watched.config()):
        break
    gc.collect()
    assert watched.run().end_reason == "cancelled"


def test_nothing_to_go_on_with_is_no_run(watched: Watched) -> None:
    with pytest.raises(Exception, match="no input"):
        react(InMemorySaver()).invoke(None, watched.config("nothing there"))
    assert watched.runs() == []


def test_closed_runs_leave_nothing_behind(watched: Watched) -> None:
    graph = react()
    for n in range(3):
        graph.invoke(asked(f"{n}"), watched.config())
    with pytest.raises(RuntimeError):
        _graph([LOOK, RuntimeError()]).invoke(asked(), watched.config())
    stream = graph.stream(asked(), watched.config())
    next(stream)
    stream.close()
    kept = watched.handler._open
    assert (kept.places, kept.turns, kept.watches) == ({}, {}, {})


def test_runs_that_the_recorder_gave_up_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agentcal_langgraph._open._SWEEP", 8)
    with Recorder(max_open_runs=4) as recorder:
        handler = CalibrationCallbackHandler(recorder)
        left = [_graph([LOOK, "done"]).stream(asked(), {"callbacks": [handler]}) for _ in range(50)]
        for stream in left:
            next(stream)
        assert len(handler._open.watches) < 20
        assert recorder.stats.expired >= 40
        for stream in left:
            stream.close()
        assert handler._open.watches == {}
