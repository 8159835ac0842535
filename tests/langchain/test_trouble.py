"""Errors of the agent are recorded; errors of ours never reach it."""

from __future__ import annotations

import asyncio
import gc
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import (
    AgentMiddleware,
    HumanInTheLoopMiddleware,
    ModelCallLimitMiddleware,
    ModelFallbackMiddleware,
    ModelRetryMiddleware,
    ToolCallLimitMiddleware,
    ToolRetryMiddleware,
)
from langchain_core.messages import HumanMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver

from agentcal import ConfigError
from agentcal.recorder import Recorder
from agentcal.sinks import MemorySink
from agentcal.testing import ScriptedChatModel, call, calls, fails, says
from agentcal_langchain import CalibrationMiddleware, confidence_in
from agentcal_langchain._open import open_runs
from tests.langchain.agents import ASK, SCRIPT, Broken, Watched, agent, flaky, lasting, on, turns

LOOKS = [calls(call("flaky", {"account": "bob"})), "Fine."]


def both_orders(mine: Any, other: Any) -> list[list[Any]]:
    return [[mine, other], [other, mine]]


@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_retried_tool_has_one_result(order: int, asynchronous: bool, watched: Watched) -> None:
    retry = ToolRetryMiddleware(initial_delay=0, jitter=False)
    middleware = both_orders(CalibrationMiddleware(recorder=watched.recorder), retry)[order]
    graph = agent(middleware, LOOKS, [flaky])
    if asynchronous:
        asyncio.run(graph.ainvoke(ASK))
    else:
        graph.invoke(ASK)
    run = watched.run()
    (looked,) = run.steps[0].tool_calls
    assert (looked.status, looked.result) == ("ok", "bob is fine")
    assert (run.end_reason, len(run.steps)) == ("answered", 2)
    assert run.interventions == []


@pytest.mark.parametrize("order", [0, 1])
def test_a_retried_model_has_one_turn(order: int, watched: Watched) -> None:
    script = [fails(TimeoutError("down"), times=2, then=says("Up again."))]
    retry = ModelRetryMiddleware(initial_delay=0, jitter=False, max_retries=3)
    middleware = both_orders(CalibrationMiddleware(recorder=watched.recorder), retry)[order]
    agent(middleware, script).invoke(ASK)
    run = watched.run()
    assert [step.text for step in run.steps] == ["Up again."]
    assert (run.end_reason, watched.recorder.stats.started) == ("answered", 1)


def test_a_fallback_model_is_named(watched: Watched) -> None:
    other = ScriptedChatModel(script=["From the other one."], model_name="other")
    middleware = [
        CalibrationMiddleware(recorder=watched.recorder),
        ModelFallbackMiddleware(other),
    ]
    agent(middleware, [TimeoutError("down")]).invoke(ASK)
    (step,) = watched.run().steps
    assert (step.text, step.model) == ("From the other one.", "other")


class BestOfTwo(AgentMiddleware[Any, Any, Any]):
    """Asks the model twice and takes the second reply."""

    def wrap_model_call(self, request: Any, handler: Any) -> Any:
        handler(request)
        return handler(request)


@pytest.mark.parametrize("order", [0, 1])
def test_a_reply_that_is_thrown_away_is_no_turn(order: int, watched: Watched) -> None:
    mine = CalibrationMiddleware(recorder=watched.recorder)
    graph = agent(both_orders(mine, BestOfTwo())[order], checkpointer=InMemorySaver())
    graph.invoke(ASK, on("t-1"))
    frozen = turns(graph.get_state(on("t-1")).values)
    run = watched.run()
    assert len(run.steps) == 3
    assert len(frozen) == 3
    assert run.steps[0].tool_calls[0].status == "ok"


@pytest.mark.parametrize("order", [0, 1])
def test_limits_stop_calls_and_agents(order: int, watched: Watched) -> None:
    script = [calls(call("flaky", {"account": "bob"}), call("flaky", {"account": "eve"})), "Fine."]
    mine = CalibrationMiddleware(recorder=watched.recorder)
    retry = ToolRetryMiddleware(initial_delay=0, jitter=False)
    limit = ToolCallLimitMiddleware(run_limit=1)
    agent([*both_orders(mine, limit)[order], retry], script, [flaky]).invoke(ASK)
    run = watched.run()
    assert [c.status for c in run.steps[0].tool_calls] == ["ok", "error"]
    assert [entry.kind for entry in run.interventions] == ["rejected"]


def test_an_agent_that_was_stopped_is_recorded(watched: Watched) -> None:
    mine = CalibrationMiddleware(recorder=watched.recorder)
    agent([mine, ModelCallLimitMiddleware(run_limit=2)]).invoke(ASK)
    assert len(watched.run().steps) == 2


@tool
def explode(account: str) -> str:
    """Break."""
    raise RuntimeError(f"no {account}")


def test_a_tool_that_breaks_the_agent(watched: Watched) -> None:
    mine = CalibrationMiddleware(recorder=watched.recorder)
    graph = agent([mine], [calls(call("explode", {"account": "bob"}))], [explode])
    with pytest.raises(RuntimeError, match="no bob"):
        graph.invoke(ASK)
    mine.close()
    run = watched.run()
    (broke,) = run.steps[0].tool_calls
    assert (broke.status, broke.result) == ("error", "RuntimeError: no bob")
    assert (run.end_reason, run.metadata["error"]) == ("error", "RuntimeError: no bob")


def test_a_model_that_breaks_the_agent_ends_with_the_next_request(watched: Watched) -> None:
    script = [fails(TimeoutError("down"), times=1, then=says("Up."))]
    graph = agent(
        [CalibrationMiddleware(recorder=watched.recorder)], script, checkpointer=InMemorySaver()
    )
    with pytest.raises(TimeoutError):
        graph.invoke(ASK, on("t-1"))
    graph.invoke({"messages": [HumanMessage("Again.")]}, on("t-1"))
    failed, done = watched.runs()
    assert (failed.end_reason, failed.steps) == ("error", [])
    assert (done.end_reason, len(done.steps)) == ("answered", 1)


def test_a_crash_that_is_resumed_is_one_run(watched: Watched) -> None:
    script = [
        SCRIPT[0],
        fails(TimeoutError("down"), times=1, then=says("Up.")),
    ]
    graph = agent(
        [CalibrationMiddleware(recorder=watched.recorder)], script, checkpointer=InMemorySaver()
    )
    with pytest.raises(TimeoutError):
        graph.invoke(ASK, on("t-1"))
    graph.invoke(None, on("t-1"))
    run = watched.run()
    assert [step.text for step in run.steps] == ["Let me look.", "Up."]
    assert (run.end_reason, len(watched.calibrator.points)) == ("answered", 2)


def test_a_cancelled_agent(watched: Watched) -> None:
    mine = CalibrationMiddleware(recorder=watched.recorder)
    model = ScriptedChatModel(script=["too late"], latency_s=30)
    graph = create_agent(model, [flaky], middleware=[mine])

    async def stopped() -> None:
        running = asyncio.create_task(graph.ainvoke(ASK))
        await asyncio.sleep(0.2)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(stopped())
    mine.close()
    assert watched.run().end_reason == "cancelled"


def test_without_a_score_the_state_says_so(caplog: Any) -> None:
    watched = Watched(Broken())
    graph = agent([CalibrationMiddleware(recorder=watched.recorder)], checkpointer=InMemorySaver())
    with caplog.at_level(logging.ERROR):
        graph.invoke(ASK, on("t-1"))
    state = graph.get_state(on("t-1")).values
    assert turns(state) == [None, None, None]
    assert confidence_in(state) is None
    assert len(watched.run().steps) == 3
    assert "no score today" not in caplog.text


def test_an_error_of_ours_is_said_once_and_costs_only_the_score(
    watched: Watched, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    def broken(*args: Any) -> None:
        raise KeyError("secret of a user")

    monkeypatch.setattr("agentcal_langchain._finder.get_config", broken)
    graph = agent([CalibrationMiddleware(recorder=watched.recorder)])
    with caplog.at_level(logging.ERROR, logger="agentcal"):
        assert graph.invoke(ASK)["messages"][-1].text == "Paid."
        assert asyncio.run(graph.ainvoke(ASK))["messages"][-1].text == "Paid."
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == len(set(said)) == 3
    assert "secret" not in caplog.text
    assert watched.recorder.stats.errors > 3
    assert watched.runs() == []


@pytest.mark.parametrize("where", ["asked", "replied", "called", "returned", "ended"])
def test_what_could_not_be_read_is_a_gap(
    where: str, watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any, **more: Any) -> None:
        raise ValueError("cannot be read")

    graph = agent([CalibrationMiddleware(recorder=watched.recorder)], checkpointer=InMemorySaver())
    monkeypatch.setattr(f"agentcal_langgraph.building.Watch.{where}", broken)
    assert graph.invoke(ASK, on("t-1"))["messages"][-1].text == "Paid."
    frozen = turns(graph.get_state(on("t-1")).values)
    monkeypatch.undo()
    run = watched.run()
    assert "ValueError" in " ".join(run.gaps)
    assert watched.recorder.stats.errors > 0
    assert (frozen[-1] is None) == (where != "ended")


def test_two_in_one_agent_need_two_names(watched: Watched) -> None:
    other = Watched()
    same = [CalibrationMiddleware(recorder=w.recorder) for w in (watched, other)]
    with pytest.raises(AssertionError, match="duplicate"):
        agent(same)
    two = [same[0], CalibrationMiddleware(recorder=other.recorder, name="second opinion")]
    graph = agent(two, checkpointer=InMemorySaver())
    graph.invoke(ASK, on("t-1"))
    state = graph.get_state(on("t-1")).values
    assert turns(state) == turns(state, "second opinion") == [1 / 2, 1 / 3, 1 / 4]
    assert confidence_in(state, name="second opinion") == confidence_in(state)
    assert lasting(watched.run()) == lasting(other.run())


def test_calibrator_or_recorder(watched: Watched) -> None:
    for given in ({}, {"calibrator": watched.calibrator, "recorder": watched.recorder}):
        with pytest.raises(ConfigError, match="a calibrator or a recorder"):
            CalibrationMiddleware(**given)


def test_a_calibrator_alone_scores_without_keeping_runs(watched: Watched) -> None:
    with CalibrationMiddleware(watched.calibrator) as middleware:
        graph = agent([middleware], checkpointer=InMemorySaver())
        graph.invoke(ASK, on("t-1"))
        assert turns(graph.get_state(on("t-1")).values) == [1 / 2, 1 / 3, 1 / 4]


def test_many_runs_at_once_and_nothing_is_left() -> None:
    sink = MemorySink()
    recorder = Recorder(sinks=[sink])
    script = [SCRIPT[0], SCRIPT[0], "Looked."]
    graph = agent([CalibrationMiddleware(recorder=recorder)], script)

    async def side_by_side() -> None:
        await asyncio.gather(*(graph.ainvoke(ASK) for _ in range(30)))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: graph.invoke(ASK), range(30)))
    asyncio.run(side_by_side())
    runs = open_runs(recorder)
    assert (runs._runs, runs._tools, runs._threads, runs._failed) == ({}, {}, {}, {})
    recorder.close()
    assert len(sink.runs) == 60
    alone = Watched()
    agent([CalibrationMiddleware(recorder=alone.recorder)], script).invoke(ASK)
    expected = lasting(alone.run())
    assert all(lasting(run) == expected for run in sink.runs)


def test_open_runs_go_with_the_middleware() -> None:
    recorder = Recorder()
    middleware = CalibrationMiddleware(recorder=recorder)
    before = open_runs(recorder)
    assert open_runs(recorder) is before
    marker = id(before)
    del middleware, before
    gc.collect()
    assert open_runs(recorder)._runs == {}
    assert marker
    recorder.close()


def test_a_failed_run_is_not_waited_for_for_ever(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = agent([CalibrationMiddleware(recorder=watched.recorder)], [TimeoutError("down")])
    for _ in range(2):
        with pytest.raises(TimeoutError):
            graph.invoke(ASK)
    time.sleep(0.02)
    assert watched.sink.runs == []
    monkeypatch.setattr("agentcal_langchain._open.GRACE_S", 0.01)
    agent([CalibrationMiddleware(recorder=watched.recorder)], ["Fine."]).invoke(ASK)
    assert [run.end_reason for run in watched.runs()] == ["error", "error", "answered"]


@pytest.mark.parametrize("what", ["tool", "model"])
def test_an_error_that_was_overcome_is_forgotten(what: str, watched: Watched) -> None:
    mine = CalibrationMiddleware(recorder=watched.recorder)
    again: Any = {"initial_delay": 0, "jitter": False}
    people = HumanInTheLoopMiddleware({"explode": True})
    asks = calls(call("explode", {"account": "bob"}))
    script = [LOOKS[0], asks] if what == "tool" else [fails(TimeoutError(), times=1, then=asks)]
    retry = ToolRetryMiddleware(**again) if what == "tool" else ModelRetryMiddleware(**again)
    graph = agent([retry, mine, people], script, [flaky, explode], checkpointer=InMemorySaver())
    graph.invoke(ASK, on("t-1"))
    mine.close()
    assert watched.recorder.stats.ended == 0
    assert len(graph.get_state(on("t-1")).interrupts) == 1
