"""What model calls say about an agent: its tools, whoever's they are."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.tools import tool

from agentcal.testing import ScriptedChatModel, call, calls, handoff_graph
from agentcal_langgraph import _watch as watch
from agentcal_langgraph._facts import tools_in
from tests.langgraph.agents import PURE, asked
from tests.langgraph.conftest import Watched

SCHEMA = {"type": "object", "properties": {"q": {"type": "string"}}}


@tool
def find(q: str) -> str:
    """Find it."""
    return q


@pytest.mark.parametrize(
    "offered",
    [
        find,
        {"type": "function", "function": {"name": "find", "parameters": SCHEMA}},
        {"name": "find", "input_schema": SCHEMA},
        {"function_declarations": [{"name": "find", "parameters": SCHEMA}, {"name": "look"}]},
        {"toolSpec": {"name": "find", "inputSchema": {"json": SCHEMA}}},
    ],
    ids=["object", "openai", "anthropic", "gemini", "bedrock"],
)
def test_a_tool_that_is_known_is_not_read_again(offered: Any) -> None:
    params = {"tools": [offered, {"name": "look"}]}
    assert next(t.name for t in tools_in(params, ())) == "find"
    assert {t.name for t in tools_in(params, {"look"})} == {"find"}
    assert tools_in(params, {"find", "look"}) == []


def test_agents_with_tools_of_their_own(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    front = ScriptedChatModel(script=[calls(call("transfer_to_specialist"))])
    expert = ScriptedChatModel(script=["not said", calls(call("look", {"account": "a"})), "fine"])
    graph = handoff_graph(front, expert, PURE)
    told: list[list[str]] = []

    def spy(params: Any, known: Any) -> Any:
        found = tools_in(params, known)
        told.append([t.name for t in found])
        return found

    monkeypatch.setattr(watch, "tools_in", spy)
    graph.invoke(asked(), watched.config())
    run = watched.run()
    assert [t.name for t in run.tools] == ["transfer_to_specialist", "look", "act"]
    assert told == [["transfer_to_specialist"], ["look", "act"], []]
