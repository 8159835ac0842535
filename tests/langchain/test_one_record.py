"""Handler and middleware together: the run is recorded once, and a turn has one confidence."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph

from agentcal.recorder import QuietObserver, Recorder, RunInfo
from agentcal.testing import ScriptedChatModel, ledger_tools, nested_graph
from agentcal_langchain import CalibrationMiddleware, confidence_in
from agentcal_langgraph import CalibrationCallbackHandler, instrument, uninstrument
from tests.langchain.agents import ASK, Counting, Watched, agent, lasting, on, turns


def scores(watched: Watched) -> list[float]:
    """What the one calibrator has said, in order."""
    return [1.0 / (1 + n) for n in range(1, len(watched.calibrator.points) + 1)]


def alone() -> Any:
    watched = Watched()
    handler = CalibrationCallbackHandler(watched.recorder, tools=ledger_tools())
    agent([], checkpointer=InMemorySaver()).invoke(ASK, on("t-1", callbacks=[handler]))
    return lasting(watched.run())


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("how", ["call", "graph", "process"])
def test_the_handler_records_and_the_middleware_reads(
    how: str, asynchronous: bool, watched: Watched
) -> None:
    handlers = [CalibrationCallbackHandler(watched.recorder)]
    middleware = CalibrationMiddleware(recorder=watched.recorder)
    graph = agent([middleware], checkpointer=InMemorySaver())
    config = on("t-1")
    if how == "call":
        config = on("t-1", callbacks=handlers)
    elif how == "graph":
        graph = graph.with_config(callbacks=handlers)
    else:
        instrument(watched.recorder)
    if asynchronous:
        asyncio.run(graph.ainvoke(ASK, config))
    else:
        graph.invoke(ASK, config)
    frozen = turns(graph.get_state(on("t-1")).values)
    assert lasting(watched.run()) == alone()
    assert watched.recorder.stats.started == 1
    assert frozen == scores(watched)
    assert len(frozen) == 3


def test_recorders_of_their_own_make_no_second_record(watched: Watched) -> None:
    other = Watched()
    graph = agent([CalibrationMiddleware(recorder=other.recorder)], checkpointer=InMemorySaver())
    graph.invoke(ASK, on("t-1", callbacks=[CalibrationCallbackHandler(watched.recorder)]))
    state = graph.get_state(on("t-1")).values
    run_id = state["agentcal"]["CalibrationMiddleware"]["run_id"]
    assert watched.run().run_id == run_id
    assert other.runs() == []
    assert other.calibrator.points == []


def test_a_handler_without_a_calibrator_lends_its_run() -> None:
    plain = Watched()
    plain.recorder = Recorder(sinks=[plain.sink])
    calibrator = Counting()
    graph = agent(
        [CalibrationMiddleware(calibrator)],  # type: ignore[arg-type]
        checkpointer=InMemorySaver(),
    )
    handler = CalibrationCallbackHandler(plain.recorder, agent="desk", family="bank")
    graph.invoke(ASK, on("t-1", callbacks=[handler]))
    state = graph.get_state(on("t-1")).values
    assert turns(state) == [1 / 2, 1 / 3, 1 / 4]
    assert [point.turn for point in calibrator.points] == [1, 2, 3]
    assert calibrator.known == [{"agent": "desk", "model": "scripted", "family": "bank"}] * 3
    assert len(plain.run().steps) == 3


def test_an_agent_in_a_watched_graph_is_read_too(watched: Watched) -> None:
    seen: list[float | None] = []

    class Reading(CalibrationMiddleware):
        def after_agent(self, state: Any, runtime: Any) -> None:
            confidence = confidence_in(state)
            seen.append(None if confidence is None else confidence.value)
            super().after_agent(state, runtime)

    inner = agent([Reading(recorder=watched.recorder)])
    builder = StateGraph(MessagesState)
    builder.add_node("desk", inner)
    builder.add_edge(START, "desk")
    handler = CalibrationCallbackHandler(watched.recorder)
    builder.compile().invoke(ASK, {"callbacks": [handler]})
    assert seen == [scores(watched)[-1]]
    assert len(watched.run().steps) == 3


def test_an_idle_instrument_leaves_the_recording_to_the_middleware(watched: Watched) -> None:
    instrument(Watched().recorder)
    uninstrument()
    agent([CalibrationMiddleware(recorder=watched.recorder)]).invoke(ASK)
    assert len(watched.run().steps) == 3


def test_observers_are_told_once(watched: Watched) -> None:
    told: list[str] = []

    class Listener(QuietObserver):
        def replied(self, run: RunInfo, *rest: Any) -> None:
            told.append("replied")

        def called(self, run: RunInfo, *rest: Any) -> None:
            told.append("called")

        def ended(self, run: RunInfo, *rest: Any) -> None:
            told.append("ended")

    recorder = Recorder(observers=[Listener()])
    graph = agent([CalibrationMiddleware(recorder=recorder)])
    graph.invoke(ASK)
    alone, told[:] = told[:], []
    graph.invoke(ASK, {"callbacks": [CalibrationCallbackHandler(recorder)]})
    assert sorted(told) == sorted(alone)
    assert told.count("replied") == 3
    recorder.close()


def test_a_graph_of_models_without_middleware_is_not_touched(watched: Watched) -> None:
    CalibrationMiddleware(recorder=watched.recorder)
    nested_graph(ScriptedChatModel(script=["a", "b", "c"])).invoke(ASK)
    assert watched.runs() == []
