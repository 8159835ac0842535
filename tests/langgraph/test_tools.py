"""What tools return, whoever runs them and however it shows."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from langchain.agents import create_agent
from langchain.agents.structured_output import ToolStrategy
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.tools import InjectedToolCallId, tool
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from langgraph.types import Command
from pydantic import BaseModel

from agentcal import Trajectory
from agentcal.testing import ScriptedChatModel, call, calls, ledger_tools, react_graph
from agentcal_langgraph._history import news
from agentcal_langgraph._results import result_of
from tests.langgraph.agents import asked
from tests.langgraph.conftest import Watched


@tool
def half(n: int) -> float:
    """Half of a number."""
    if n % 2:
        raise ValueError(f"{n} is odd")
    return n / 2


@tool
def note(text: str, tool_call_id: Annotated[str, InjectedToolCallId]) -> Command[str]:
    """Write something down."""
    return Command(update={"messages": [ToolMessage(f"noted {text}", tool_call_id=tool_call_id)]})


@tool(response_format="content_and_artifact")
def chart(n: int) -> tuple[list[dict[str, str]], bytes]:
    """Draw a chart."""
    return [{"type": "text", "text": f"chart {n}"}, {"type": "text", "text": "below"}], b"png"


HALVES = calls(call("half", {"n": 4}, call_id="a"), call("half", {"n": 3}, call_id="b"))


def _graph(script: list[Any], run_tools: Any, tools: Any = (half, note, chart)) -> Any:
    model: Any = ScriptedChatModel(script=script).bind_tools(tools)
    builder = StateGraph(MessagesState)
    builder.add_node("agent", lambda s: {"messages": [model.invoke(s["messages"])]})
    builder.add_node("tools", run_tools)
    builder.add_edge(START, "agent")
    builder.add_conditional_edges("agent", tools_condition)
    builder.add_edge("tools", "agent")
    return builder.compile()


def _results(run: Trajectory) -> list[tuple[str | None, str]]:
    return [(c.result, c.status) for step in run.steps for c in step.tool_calls]


def test_tool_node(watched: Watched) -> None:
    script = [
        calls(
            call("half", {"n": 4}),
            call("note", {"text": "x"}),
            call("chart", {"n": 2}),
            call("half", {"n": 3}),
            call("half", {"n": "many"}),
            call("nothing", {}),
        ),
        "done",
    ]
    tools = ToolNode([half, note, chart], handle_tool_errors=True)
    _graph(script, tools).invoke(asked(), watched.config())
    results = _results(watched.run())
    assert results[:3] == [("2.0", "ok"), ("noted x", "ok"), ("chart 2\nbelow", "ok")]
    assert results[3] == ("Error: ValueError('3 is odd')\n Please fix your mistakes.", "error")
    assert all(status == "error" for _, status in results[4:])
    assert "nothing is not a valid tool" in (results[5][0] or "")


def test_tools_that_a_function_runs_without_callbacks(watched: Watched) -> None:
    def by_hand(state: MessagesState) -> dict[str, Any]:
        last: Any = state["messages"][-1]
        return {
            "messages": [
                ToolMessage(f"half of {c['args']['n']}", tool_call_id=c["id"])
                for c in last.tool_calls
            ]
        }

    _graph([HALVES, HALVES, "done"], by_hand).invoke(asked(), watched.config())
    run = watched.run()
    assert _results(run) == [("half of 4", "ok"), ("half of 3", "ok")] * 2
    assert run.gaps == []


def test_tools_that_a_function_invokes_with_bare_arguments(watched: Watched) -> None:
    def by_hand(state: MessagesState) -> dict[str, Any]:
        messages = []
        for c in state["messages"][-1].tool_calls:  # type: ignore[union-attr]
            try:
                said, status = f"it is {half.invoke(c['args'])}", "success"
            except ValueError as error:
                said, status = f"no: {error}", "error"
            messages.append(ToolMessage(said, tool_call_id=c["id"], status=status))
        return {"messages": messages}

    _graph([HALVES, "done"], by_hand).invoke(asked(), watched.config())
    run = watched.run()
    assert _results(run) == [("it is 2.0", "ok"), ("no: 3 is odd", "error")]
    assert all(c.duration_s is not None for c in run.steps[0].tool_calls)


def test_a_tool_that_the_program_uses_for_itself_is_no_result(watched: Watched) -> None:
    def by_hand(state: MessagesState) -> dict[str, Any]:
        half.invoke({"n": 10})
        return {"messages": [ToolMessage("skipped", tool_call_id="n")]}

    script = [calls(call("note", {"text": "x"}, call_id="n")), "done"]
    _graph(script, by_hand).invoke(asked(), watched.config())
    run = watched.run()
    assert _results(run) == [("skipped", "ok")]
    assert run.gaps == []


def test_a_graph_that_ends_after_its_tools(watched: Watched) -> None:
    @tool(return_direct=True)
    def last_word() -> str:
        """Say the last word."""
        return "over"

    model = ScriptedChatModel(script=[calls(call("last_word"))])
    create_agent(model, [last_word]).invoke(asked(), watched.config("t"))
    run = watched.run()
    assert (_results(run), run.end_reason) == ([("over", "ok")], "answered")


def test_structured_output_by_a_tool(watched: Watched) -> None:
    class Verdict(BaseModel):
        """A verdict."""

        good: bool

    model = ScriptedChatModel(script=[calls(call("Verdict", {"good": True}))])
    agent = create_agent(model, [half], response_format=ToolStrategy(Verdict))
    agent.invoke(asked(), watched.config("t"))
    run = watched.run()
    assert run.end_reason == "answered"
    assert [status for _, status in _results(run)] == ["ok"]


def test_a_tool_that_ends_the_run_by_raising(watched: Watched) -> None:
    graph = _graph([HALVES], ToolNode([half], handle_tool_errors=False))
    with pytest.raises(ValueError, match="3 is odd"):
        graph.invoke(asked(), watched.config())
    run = watched.run()
    assert run.end_reason == "error"
    assert ("ValueError: 3 is odd", "error") in _results(run)


def test_ids_that_repeat_in_every_turn(watched: Watched) -> None:
    script = [calls(call("half", {"n": n}, call_id="call_1")) for n in (2, 4, 6)]
    _graph([*script, "done"], ToolNode([half])).invoke(asked(), watched.config())
    assert _results(watched.run()) == [("1.0", "ok"), ("2.0", "ok"), ("3.0", "ok")]


def test_calls_that_nobody_ran_keep_no_result_of_another_turn(watched: Watched) -> None:
    ran: list[str] = []

    def by_hand(state: MessagesState) -> dict[str, Any]:
        if ran:
            return {"messages": [HumanMessage("never mind")]}
        ran.append("once")
        return {"messages": [ToolMessage("first", tool_call_id="call_1")]}

    propose = calls(call("half", {"n": 2}, call_id="call_1"))
    model: Any = ScriptedChatModel(
        script=lambda text: ["as you like"] if text == "never mind" else [propose, propose]
    )
    builder = StateGraph(MessagesState)
    builder.add_node("agent", lambda s: {"messages": [model.invoke(s["messages"])]})
    builder.add_node("tools", by_hand)
    builder.add_edge(START, "agent")
    builder.add_conditional_edges("agent", tools_condition)
    builder.add_edge("tools", "agent")
    builder.compile().invoke(asked(), watched.config())
    run = watched.run()
    assert _results(run) == [("first", "ok"), (None, "missing")]
    assert [m.text for m in run.steps[2].inputs] == ["never mind"]


def test_mcp_style_ledger_tools_run_in_parallel_keep_their_own_results(watched: Watched) -> None:
    accounts = ["alice", "bob"] * 4
    script = [calls(*(call("get_balance", {"account": a}) for a in accounts)), "done"]
    react_graph(ScriptedChatModel(script=script), ledger_tools()).invoke(asked(), watched.config())
    holds = {"alice": "alice holds 100", "bob": "bob holds 20"}
    assert _results(watched.run()) == [(holds[a], "ok") for a in accounts]


@pytest.mark.parametrize(
    ("output", "text", "failed"),
    [
        ("plain", "plain", False),
        ({"a": [1, None]}, '{"a": [1, null]}', False),
        (ToolMessage("no", tool_call_id="x", status="error"), "no", True),
        (
            [ToolMessage("not it", tool_call_id="y"), ToolMessage("it", tool_call_id="x")],
            "it",
            False,
        ),
        (Command(goto="elsewhere"), "", False),
        (Command(update={"messages": [ToolMessage("deep", tool_call_id="x")]}), "deep", False),
        ([Command(update={"messages": [ToolMessage("deep", tool_call_id="x")]})], "deep", False),
    ],
)
def test_outputs(output: Any, text: str, failed: bool) -> None:
    assert result_of(output, "x")[:2] == (text, failed)


def test_an_output_that_json_cannot_hold() -> None:
    class Odd:
        def __str__(self) -> str:
            return "odd"

    assert result_of(Odd(), "x").text == "odd"


def test_only_the_end_of_a_history_is_read() -> None:
    class Noisy(list[Any]):
        read = 0

        def __reversed__(self) -> Any:
            for item in super().__reversed__():
                self.read += 1
                yield item

    turn = [
        AIMessage("", tool_calls=[call("half", {"n": 2}, call_id="a")]),
        ToolMessage("1", tool_call_id="a"),
    ]
    history = Noisy([HumanMessage("task"), *turn * 1000])
    assert len(news(history, {"task"}, ()).results) == 1
    assert history.read == 2
