"""A gate decides by the scores that its runs get afterwards: what certify and replay go by."""

from __future__ import annotations

import pytest
from langgraph.checkpoint.memory import InMemorySaver

import agentcal as ac
from agentcal.policy import CostTarget, Policy, TurnDecision, meets_gate
from agentcal.recorder import QuietObserver, Recorder, RunInfo
from agentcal.sinks import MemorySink
from agentcal_langgraph import calibrated
from tests.langgraph.agents import BUILDERS, asked


class Decisions(QuietObserver):
    """What was decided, in order."""

    def __init__(self) -> None:
        self.made: list[TurnDecision] = []

    def decided(self, run: RunInfo, decision: TurnDecision) -> None:
        self.made.append(decision)


@pytest.fixture(scope="module")
def calibrator() -> ac.Calibrator:
    return ac.fit(ac.sample_runs()[::6], folds=2, nested=False, workers=1, progress=False)


@pytest.mark.parametrize("name", BUILDERS)
def test_a_gate_decides_by_the_scores_of_the_record(calibrator: ac.Calibrator, name: str) -> None:
    sink, heard = MemorySink(), Decisions()
    with Recorder(calibrator, sinks=[sink], observers=[heard]) as recorder:
        graph = calibrated(
            BUILDERS[name](InMemorySaver()), recorder=recorder, policy=Policy.of(CostTarget())
        )
        graph.invoke(asked(), {"configurable": {"thread_id": "t"}})
    (run,) = sink.runs
    scores = calibrator.score(run)[:-1]
    assert len(heard.made) > 1
    assert [turn for turn, met in enumerate(meets_gate(run), 1) if met] == [
        decision.turn for decision in heard.made
    ], "certify and replay ask about the turns that the gate was asked about"
    assert (len(heard.made) < len(scores)) == (name == "nested"), "its plan is no answer"
    for decision in heard.made:
        assert {one.confidence for one in decision.decisions} == {scores[decision.turn - 1]}
