"""What streams show of an answer before it is decided, and what a buffer keeps back."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from langgraph.types import Command

from agentcal.policy import Verdict
from agentcal.testing import calls, react_graph
from tests.langgraph_gate.gates import LOOKS, Desk, about_answers, always, last

MODES = ["messages", "updates", "values", "custom"]


def prebuilt(model: Any, tools: Any, **rest: Any) -> Any:
    return create_agent(model, tools, **rest)


def by_command(model: Any, tools: Any, *, checkpointer: Any) -> Any:
    bound = model.bind_tools(tools)

    def agent(state: MessagesState) -> Command[Any]:
        reply = bound.invoke(state["messages"])
        goto = "tools" if reply.tool_calls else END
        return Command(update={"messages": reply}, goto=goto)

    builder = StateGraph(MessagesState)
    builder.add_node("agent", agent, destinations=("tools", END))
    builder.add_node("tools", ToolNode(tools))
    builder.add_edge(START, "agent")
    builder.add_edge("tools", "agent")
    return builder.compile(checkpointer=checkpointer)


BUILDS = [react_graph, prebuilt, by_command]


def _shown(desk: Desk, given: Any, mode: str, *, loop: bool = False) -> str:
    """Everything that a stream of this kind shows."""
    if not loop:
        return str(list(desk.graph.stream(given, desk.config(), stream_mode=mode)))

    async def main() -> list[Any]:
        return [c async for c in desk.graph.astream(given, desk.config(), stream_mode=mode)]

    return str(asyncio.run(main()))


ASKED = {"messages": [("user", "tell")]}


@pytest.mark.parametrize("loop", [False, True])
@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("mode", MODES)
def test_a_held_answer_is_in_no_stream(build: Any, mode: str, loop: bool) -> None:
    policy, script = about_answers("escalate"), [calls(LOOKS), "classified"]
    desk = Desk(policy, script, build=build, buffer_answer=True)
    shown = _shown(desk, ASKED, mode, loop=loop)
    without_question = shown.split("action_requests")[0]
    assert "classified" not in without_question
    respond = Command(resume={"decisions": [{"type": "respond", "message": "no comment"}]})
    shown = _shown(desk, respond, mode, loop=loop)
    assert "classified" not in shown.replace("'text': 'classified'", "")
    assert mode == "custom" or "no comment" in shown


@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("mode", ["messages", "updates", "values"])
def test_an_answer_that_may_go_out_comes_whole(build: Any, mode: str) -> None:
    script = [calls(LOOKS), "all is well with bob"]
    desk = Desk(always("escalate", "none"), script, build=build, buffer_answer=True)
    shown = _shown(desk, ASKED, mode)
    assert "content='all is well with bob'" in shown
    assert last(desk.state()) == "all is well with bob"
    texts = [m.text for m in desk.state()["messages"] if isinstance(m, AIMessage)]
    assert texts == ["", "all is well with bob"]


@pytest.mark.parametrize("build", BUILDS)
def test_a_draft_that_is_to_be_checked_is_no_message_of_a_stream(build: Any) -> None:
    def script(text: str) -> list[Any]:
        return ["checked" if text.startswith("Your answer") else "a guess"]

    policy = about_answers("verify", after_checks=Verdict.ESCALATE)
    desk = Desk(policy, script, build=build, buffer_answer=True)
    shown = _shown(desk, ASKED, "messages")
    assert "a guess" not in shown
    approve = Command(resume={"decisions": [{"type": "approve"}]})
    assert "content='checked'" in _shown(desk, approve, "messages")
    assert [m.text for m in desk.state()["messages"]][1::2] == ["a guess", "checked"]


def test_the_last_words_of_the_gate_are_in_the_stream() -> None:
    desk = Desk(about_answers("abstain"), ["a guess"], buffer_answer=True, abstain_message="Stop.")
    shown = _shown(desk, ASKED, "messages")
    assert "content='Stop.'" in shown
    assert "guess" not in shown


def test_what_was_streamed_cannot_be_taken_back_but_the_state_has_it_right() -> None:
    desk = Desk(about_answers("abstain"), ["a guess"], abstain_message="Stop.")
    assert "guess" in _shown(desk, ASKED, "messages")
    assert [m.text for m in desk.state()["messages"]] == ["tell", "Stop."]


def test_tokens_come_as_before_where_nothing_is_kept_back() -> None:
    desk = Desk(always("escalate", "none"), ["all is well"])
    assert _shown(desk, ASKED, "messages").count("AIMessageChunk") > 2


def test_in_shadow_nothing_is_kept_back() -> None:
    desk = Desk(about_answers("abstain").shadow(), ["all is well"], buffer_answer=True)
    assert _shown(desk, ASKED, "messages").count("AIMessageChunk") > 2


def test_a_node_in_between_gets_what_was_kept_back() -> None:
    def build(model: Any, tools: Any, *, checkpointer: Any) -> Any:
        def polish(state: MessagesState) -> dict[str, Any]:
            newest = state["messages"][-1]
            return {"messages": [AIMessage(f"{newest.text}!", id=newest.id)]}

        builder = StateGraph(MessagesState)
        bound = model.bind_tools(tools)
        builder.add_node("agent", lambda s: {"messages": [bound.invoke(s["messages"])]})
        builder.add_node("tools", ToolNode(tools))
        builder.add_node("polish", polish)
        builder.add_edge(START, "agent")
        builder.add_conditional_edges(
            "agent",
            lambda s: "tools" if s["messages"][-1].tool_calls else "polish",
            ["tools", "polish"],
        )
        builder.add_edge("tools", "agent")
        return builder.compile(checkpointer=checkpointer)

    desk = Desk(about_answers("escalate"), ["fine"], build=build, buffer_answer=True)
    assert "'text': 'fine!'" in _shown(desk, ASKED, "values")
    approve = Command(resume={"decisions": [{"type": "approve"}]})
    assert last(desk.run(approve)) == "fine!"
