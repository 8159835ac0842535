"""The live score of a turn is the one that its record gets afterwards."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

import agentcal as ac
from agentcal.recorder import QuietObserver, Recorder, RunInfo
from agentcal.sinks import MemorySink
from agentcal.testing import ScriptedChatModel, approval_graph
from agentcal_langgraph import CalibrationCallbackHandler
from tests.langgraph.agents import (
    BUILDERS,
    SCRIPT,
    TASK,
    Builder,
    asked,
    fan_out,
    functional,
    handoff,
    nested,
)


class Scores(QuietObserver):
    """What was said after each turn, in order."""

    def __init__(self) -> None:
        self.values: list[float] = []

    def replied(
        self, run: RunInfo, turn: int, step: ac.Step, confidence: ac.Confidence | None
    ) -> None:
        assert confidence is not None
        self.values.append(confidence.value)


@pytest.fixture(scope="module")
def calibrator() -> ac.Calibrator:
    return ac.fit(ac.sample_runs()[::6], folds=2, nested=False, workers=1, progress=False)


def _offline(calibrator: ac.Calibrator, run: ac.Trajectory) -> list[float]:
    points = [p for p in ac.decision_points(run) if p.kind != "finished"]
    return [calibrator.predict(p, agent=run.agent, model=run.model).value for p in points]


@pytest.mark.parametrize("build", [*BUILDERS.values(), fan_out, functional])
def test_live_equals_offline(calibrator: ac.Calibrator, build: Builder) -> None:
    scores, sink = Scores(), MemorySink()
    with Recorder(calibrator, sinks=[sink], observers=[scores]) as recorder:
        config: Any = {"callbacks": [CalibrationCallbackHandler(recorder)]}
        if build is functional:
            asyncio.run(build(None).ainvoke(TASK, config))
        else:
            build(None).invoke(asked(), config)
    (run,) = sink.runs
    assert scores.values == _offline(calibrator, run)
    assert len(set(scores.values)) > 1
    assert recorder.stats.scores == len(run.steps) > 1
    assert bool(run.known_after) == (build in {nested, handoff}), "tools of a second agent"


def test_live_equals_offline_across_interrupts(calibrator: ac.Calibrator) -> None:
    scores, sink = Scores(), MemorySink()
    graph = approval_graph(ScriptedChatModel(script=SCRIPT), checkpointer=InMemorySaver())
    with Recorder(calibrator, sinks=[sink], observers=[scores]) as recorder:
        handler = CalibrationCallbackHandler(recorder)
        for given in (asked(), Command(resume=True)):
            graph.invoke(given, {"callbacks": [handler], "configurable": {"thread_id": "t"}})
    (run,) = sink.runs
    assert scores.values == _offline(calibrator, run)
