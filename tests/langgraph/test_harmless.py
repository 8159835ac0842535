"""Nothing that goes wrong in here reaches the agent."""

from __future__ import annotations

import logging
from typing import Any
from uuid import uuid4

import pytest

from agentcal.recorder import QuietObserver, Recorder
from agentcal.sinks import MemorySink
from agentcal_langgraph import CalibrationCallbackHandler
from tests.langgraph.agents import asked, react
from tests.langgraph.conftest import Watched

SECRET = "the user said hunter2"  # noqa: S105 - not one


def _raise(*args: Any, **kwargs: Any) -> Any:
    raise LookupError(SECRET)


@pytest.mark.parametrize(
    "broken",
    [
        "_watch.request_in",
        "_watch.news",
        "_watch.step_of",
        "_watch.tools_in",
        "_watch.started",
        "_watcher.result_of",
        "_watcher.raised",
        "_place._task",
        "_calls.told",
        "_watch.stops_before_tools",
    ],
)
def test_the_agent_goes_on(
    broken: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    expected = [m.text for m in react().invoke(asked())["messages"]]
    monkeypatch.setattr(f"agentcal_langgraph.{broken}", _raise)
    sink = MemorySink()
    with caplog.at_level(logging.INFO, "agentcal"), Recorder(sinks=[sink]) as recorder:
        config: Any = {"callbacks": [CalibrationCallbackHandler(recorder)]}
        for _ in range(2):
            state = react().invoke(asked(), config)
            assert [m.text for m in state["messages"]] == expected
    said = [r.getMessage() for r in caplog.records]
    assert said
    assert len(said) == len(set(said))
    assert SECRET not in caplog.text
    assert recorder.stats.errors >= 2
    assert recorder.stats.expired == 0
    opened = broken not in {"_watch.request_in", "_watch.started"}
    assert [any("LookupError while handling on_" in gap for gap in r.gaps) for r in sink.runs] == (
        [True, True] if opened else []
    )


def test_an_error_at_the_very_end_leaves_no_run_open(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agentcal_langgraph._watch.messages_in", _raise)
    react().invoke(asked(), watched.config())
    watched.recorder.close()
    (run,) = watched.sink.runs
    assert (len(run.steps), run.end_reason) == (3, "unknown")
    assert run.gaps == ["LookupError while handling on_chain_end, no score from there on"]
    assert watched.recorder.stats.errors == 1


def test_a_broken_observer_is_the_recorders_business(watched: Watched) -> None:
    class Broken(QuietObserver):
        def replied(self, *args: Any) -> None:
            raise LookupError(SECRET)

    sink = MemorySink()
    with Recorder(sinks=[sink], observers=[Broken()]) as recorder:
        react().invoke(asked(), {"callbacks": [CalibrationCallbackHandler(recorder)]})
    (run,) = sink.runs
    assert (len(run.steps), run.end_reason) == (3, "answered")


def test_events_of_unknown_runs_are_ignored(watched: Watched) -> None:
    handler, nobody = watched.handler, uuid4()
    handler.on_chain_end({}, run_id=nobody)
    handler.on_chain_error(ValueError(), run_id=nobody)
    handler.on_tool_start({}, "", run_id=uuid4(), parent_run_id=nobody)
    handler.on_tool_end("", run_id=nobody)
    handler.on_tool_error(ValueError(), run_id=nobody)
    handler.on_chat_model_start({}, [[]], run_id=uuid4(), parent_run_id=nobody)
    handler.on_llm_error(ValueError(), run_id=nobody)
    inside: Any = {"ls_integration": "langgraph", "langgraph_checkpoint_ns": "a:1"}
    handler.on_chain_start({}, {}, run_id=uuid4(), parent_run_id=nobody, metadata=inside)
    assert watched.runs() == []
    assert watched.recorder.stats.started == 0
