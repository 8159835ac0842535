"""The hints of an agent's tools are in the record, whoever keeps it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware
from langgraph.checkpoint.memory import InMemorySaver

import agentcal as ac
from agentcal.testing import ScriptedChatModel
from agentcal_langchain import CalibrationMiddleware
from agentcal_langgraph import CalibrationCallbackHandler, calibrated
from tests.certification.scripted import tiers_certified
from tests.langgraph_gate.test_declared import (
    ASKED,
    KIT,
    POLICY,
    SCRIPT,
    TIERS,
    Taped,
    check,
    get_rid_of,
    on,
    same_when_read,
    send_probe,
    store,
)


@pytest.fixture
def taped() -> Taped:
    return Taped()


def made(*middleware: Any) -> Any:
    model = ScriptedChatModel(script=SCRIPT)
    return create_agent(model, KIT, middleware=middleware, checkpointer=InMemorySaver())


def test_the_record_of_the_middleware_has_them(taped: Taped, tmp_path: Path) -> None:
    made(CalibrationMiddleware(recorder=taped.recorder, policy=POLICY)).invoke(ASKED, on())
    check(taped, same_when_read(taped.run(), tmp_path / "runs.jsonl"), taped.tiers)


def test_a_handler_that_records_is_told_by_the_middleware(taped: Taped) -> None:
    judge: Any = taped.calibrator
    agent = made(CalibrationMiddleware(judge, POLICY))
    agent.invoke(ASKED, on(callbacks=[CalibrationCallbackHandler(taped.recorder)]))
    check(taped, taped.run(), taped.tiers)


def test_so_it_is_without_a_policy(taped: Taped) -> None:
    made(CalibrationMiddleware(recorder=taped.recorder)).invoke(ASKED, on())
    check(taped, taped.run(), TIERS)


def test_an_agent_behind_the_gate_of_a_graph(taped: Taped) -> None:
    calibrated(made(), policy=POLICY, recorder=taped.recorder).invoke(ASKED, on())
    check(taped, taped.run(), taped.tiers)


class OneByOne(AgentMiddleware):
    """Offers the tools that are wanted next, and no others."""

    def wrap_model_call(self, request: Any, handler: Any) -> Any:
        before = any(message.type == "tool" for message in request.messages)
        return handler(request.override(tools=[get_rid_of] if before else [send_probe, store]))


@pytest.mark.parametrize("beside", [True, False])
def test_tools_that_change_from_turn_to_turn_are_all_there(taped: Taped, beside: bool) -> None:
    gate = CalibrationMiddleware(recorder=taped.recorder, policy=POLICY)
    handlers = [CalibrationCallbackHandler(taped.recorder)] if beside else []
    made(OneByOne(), gate).invoke(ASKED, on(callbacks=handlers))
    run = taped.run()
    assert [tool.name for tool in run.tools] == ["send_probe", "store", "get_rid_of"]
    assert tiers_certified(POLICY, run) == taped.tiers == TIERS
    last = [*ac.decision_points(run)][len(run.steps) - 1]
    scored = taped.calibrator.points[-1]
    assert np.array_equal(scored.vector, last.vector, equal_nan=True)
