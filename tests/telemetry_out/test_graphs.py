"""Real graphs, sync and async, through the handler: approvals, errors, agents below agents."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command
from opentelemetry.trace import StatusCode

from agentcal.testing import (
    ScriptedChatModel,
    approval_graph,
    call,
    calls,
    handoff_graph,
    react_graph,
    says,
)
from agentcal_langgraph import CalibrationCallbackHandler
from tests.telemetry_out.conftest import Watched

PAY = call("transfer", {"source": "alice", "target": "bob", "amount": 5})


def invoke(graph: Any, request: Any, config: Any, how: str) -> None:
    if how == "sync":
        graph.invoke(request, config)
    else:
        asyncio.run(graph.ainvoke(request, config))


@pytest.mark.parametrize("how", ["sync", "async"])
def test_an_approval_is_two_linked_spans_of_one_run(watched: Watched, how: str) -> None:
    model = ScriptedChatModel(script=[calls(PAY), says("paid")])
    graph = approval_graph(model, checkpointer=InMemorySaver())
    with watched.recorder(0.5, 0.75) as recorder:
        config = {
            "callbacks": [CalibrationCallbackHandler(recorder)],
            "configurable": {"thread_id": "t1"},
        }
        invoke(graph, {"messages": [("user", "pay bob")]}, config, how)
        (before,) = watched.named("invoke_agent")
        invoke(graph, Command(resume=True), config, how)
        assert recorder.stats.errors == 0
    _, after = watched.named("invoke_agent")
    assert before.attributes["agentcal.interrupted"] is True
    assert before.status.status_code is StatusCode.UNSET
    assert [link.context for link in after.links] == [before.context]
    assert after.attributes["agentcal.run.id"] == before.attributes["agentcal.run.id"]
    assert after.attributes["agentcal.run.end_reason"] == "answered"
    turns = [span.attributes["agentcal.turn"] for span in watched.named("chat")]
    assert turns == [1, 2], "the model was not asked again, and no turn was told twice"
    (tool,) = watched.named("execute_tool transfer")
    assert tool.parent.span_id == after.context.span_id
    assert len(watched.to.events) == 2


def test_a_tool_that_raises_is_an_error_span(watched: Watched) -> None:
    script = [calls(call("balance", {"account": "nobody"})), says("there is no such account")]
    with watched.recorder() as recorder:
        handler = CalibrationCallbackHandler(recorder)
        graph = react_graph(ScriptedChatModel(script=script))
        graph.invoke({"messages": [("user", "hi")]}, {"callbacks": [handler]})
    (tool,) = watched.named("execute_tool")
    assert tool.status.status_code is StatusCode.ERROR
    assert watched.named("invoke_agent")[0].status.status_code is StatusCode.UNSET


def test_a_model_that_fails_ends_the_run_in_error(watched: Watched) -> None:
    with watched.recorder() as recorder:
        handler = CalibrationCallbackHandler(recorder)
        graph = react_graph(ScriptedChatModel(script=[calls(PAY), ValueError("503: secret")]))
        with pytest.raises(ValueError, match="503"):
            graph.invoke({"messages": [("user", "hi")]}, {"callbacks": [handler]})
    (root,) = watched.named("invoke_agent")
    assert root.status.status_code is StatusCode.ERROR
    assert root.attributes["error.type"] == "error"
    assert "secret" not in "".join(span.to_json() for span in watched.to.spans)


def test_agents_that_hand_over_are_one_run(watched: Watched) -> None:
    front = ScriptedChatModel(script=[calls(call("transfer_to_specialist"))], agent="front")
    boss = ScriptedChatModel(script=[calls(PAY), says("paid")], agent="specialist")
    with watched.recorder() as recorder:
        config: Any = {"callbacks": [CalibrationCallbackHandler(recorder)]}
        handoff_graph(front, boss).invoke({"messages": [("user", "pay bob")]}, config)
    (root,) = watched.named("invoke_agent")
    chats = watched.named("chat")
    assert [chat.parent.span_id for chat in chats] == [root.context.span_id] * 3
    assert [chat.attributes["gen_ai.agent.name"] for chat in chats] == [
        "front",
        "specialist",
        "specialist",
    ]
