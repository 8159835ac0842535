"""Parts of a graph that run again replace what they did, and do not add to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import ToolRetryMiddleware
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint, task
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from langgraph.types import Command, RetryPolicy, Send, interrupt

from agentcal.testing import ScriptedChatModel, call, calls, react_graph
from tests.langgraph.agents import PURE, asked
from tests.langgraph.conftest import Watched, lasting

AGAIN = RetryPolicy(initial_interval=0.001, jitter=False, max_attempts=3, retry_on=ValueError)
LOOK = calls(call("look", {"account": "bob"}))


class Failing:
    """Raises the first times it is called."""

    def __init__(self, times: int) -> None:
        self.left = times

    def __call__(self) -> None:
        self.left -= 1
        if self.left >= 0:
            raise ValueError("try again")


def _helper(name: str = "helper") -> Any:
    return react_graph(ScriptedChatModel(script=[LOOK, "helped"]), PURE, name=name)


@pytest.mark.parametrize("saver", [None, InMemorySaver()])
@pytest.mark.parametrize("where", ["model", "subgraph", "two_subgraphs", "fan_out"])
def test_retries(where: str, saver: Any) -> None:
    def build(failing: Failing) -> Any:
        model: Any = ScriptedChatModel(script=["first", "second"])

        def node(state: MessagesState) -> dict[str, Any]:
            if where == "model":
                messages: list[BaseMessage] = [*state["messages"]]
                messages.append(model.invoke(messages))
                messages.append(model.invoke(messages))
                found = messages[1:]
            else:
                helpers = [_helper()] if where == "subgraph" else [_helper(), _helper()]
                states = [h.invoke({"messages": [HumanMessage("help")]}) for h in helpers]
                found = [AIMessage(s["messages"][-1].text) for s in states]
            failing()
            return {"messages": [*found, HumanMessage("and now?")]}

        builder = StateGraph(MessagesState)
        builder.add_node("node", node, retry_policy=AGAIN)
        builder.add_node("after", _helper("after"))
        if where == "fan_out":
            builder.add_conditional_edges(
                START, lambda s: [Send("node", s), Send("node", s)], ["node"]
            )
        else:
            builder.add_edge(START, "node")
        builder.add_edge("node", "after")
        return builder.compile(checkpointer=saver)

    clean, retried = Watched(), Watched()
    build(Failing(0)).invoke(asked(), clean.config(f"{where} clean"))
    build(Failing(2)).invoke(asked(), retried.config(f"{where} retried"))
    expected, found = lasting(clean.run()), lasting(retried.run())
    if where == "fan_out":  # which branch is done first is a matter of luck
        for run in (expected, found):
            run["steps"].sort(key=repr)
            for step in run["steps"]:
                for proposed in step["tool_calls"]:
                    proposed["returned_after"] = None
    assert found == expected


@pytest.mark.parametrize("saver", [None, InMemorySaver()])
@pytest.mark.parametrize("second", ["fewer_turns", "one_agent_less", "nobody"])
def test_a_retried_node_that_does_less_the_second_time(second: str, saver: Any) -> None:
    def build(failing: Failing, scripts: list[list[Any]]) -> Any:
        left = iter(scripts)

        def node(state: MessagesState) -> dict[str, Any]:
            for script in next(left):
                helper = react_graph(ScriptedChatModel(script=script), PURE, name="helper")
                helper.invoke({"messages": [HumanMessage("help")]})
            failing()
            return {"messages": [AIMessage("helped"), HumanMessage("and now?")]}

        builder = StateGraph(MessagesState)
        builder.add_node("node", node, retry_policy=AGAIN)
        builder.add_node("after", _helper("after"))
        builder.add_edge(START, "node")
        builder.add_edge("node", "after")
        return builder.compile(checkpointer=saver)

    long, short = [LOOK, LOOK, "at last"], ["at once"]
    last = {"fewer_turns": [short, short], "one_agent_less": [short], "nobody": []}[second]
    clean, retried = Watched(), Watched()
    build(Failing(0), [last]).invoke(asked(), clean.config(f"{second} clean"))
    build(Failing(1), [[long, long], last]).invoke(asked(), retried.config(f"{second} retried"))
    assert lasting(retried.run()) == lasting(clean.run())


@pytest.mark.parametrize("saver", [None, InMemorySaver()])
def test_a_retried_entrypoint_runs_its_tasks_again(watched: Watched, saver: Any) -> None:
    failing, said = Failing(1), iter(range(9))
    model: Any = ScriptedChatModel(script=lambda _: [f"take {next(said)}"])

    @task
    def once(text: str) -> str:
        return str(model.invoke(text).text)

    @entrypoint(checkpointer=saver, retry_policy=AGAIN)
    def flow(text: str) -> str:
        first = once(text).result()
        failing()
        return str(first)

    assert flow.invoke("go", watched.config("t")) == "take 1"
    assert [step.text for step in watched.run().steps] == ["take 1"]


def test_a_tool_node_that_is_retried(watched: Watched) -> None:
    failing = Failing(2)

    @tool
    def flaky() -> str:
        """Fails at first."""
        failing()
        return "at last"

    model: Any = ScriptedChatModel(script=[calls(call("flaky")), "done"])
    builder = StateGraph(MessagesState)
    builder.add_node("agent", lambda s: {"messages": [model.invoke(s["messages"])]})
    tools = ToolNode([flaky], handle_tool_errors=False)
    builder.add_node("tools", tools, retry_policy=AGAIN)
    builder.add_edge(START, "agent")
    builder.add_conditional_edges("agent", tools_condition)
    builder.add_edge("tools", "agent")
    builder.compile().invoke(asked(), watched.config())
    (asked_for,) = watched.run().steps[0].tool_calls
    assert (asked_for.result, asked_for.status) == ("at last", "ok")


def test_a_tool_that_middleware_retries(watched: Watched) -> None:
    failing = Failing(1)

    @tool
    def flaky() -> str:
        """Fails at first."""
        failing()
        return "at last"

    model = ScriptedChatModel(script=[calls(call("flaky")), "done"])
    retry = ToolRetryMiddleware(initial_delay=0.001, jitter=False)
    create_agent(model, [flaky], middleware=[retry]).invoke(asked(), watched.config())
    (asked_for,) = watched.run().steps[0].tool_calls
    assert (asked_for.result, asked_for.status) == ("at last", "ok")


def test_an_agent_that_is_a_tool(watched: Watched) -> None:
    @tool
    def consult(question: str) -> str:
        """Ask the expert."""
        answer = _helper("expert").invoke({"messages": [HumanMessage(question)]})
        return str(answer["messages"][-1].text)

    both = calls(call("consult", {"question": "a?"}), call("consult", {"question": "b?"}))
    graph = react_graph(ScriptedChatModel(script=[both, "done"]), [consult], name="boss")
    graph.invoke(asked(), watched.config())
    run = watched.run()
    assert (run.steps[0].agent, run.steps[-1].agent) == ("boss", "boss")
    assert sorted(s.text for s in run.steps if s.agent == "expert") == ["", "", "helped", "helped"]
    assert [c.result for c in run.steps[0].tool_calls] == ["helped", "helped"]
    assert all(c.returned_after for c in run.steps[0].tool_calls)
    first_words = sorted(m.text for s in run.steps for m in s.inputs if m.role == "agent")
    assert first_words == ["a?", "b?"]


@pytest.mark.parametrize("remembers", [None, False])
def test_an_agent_in_a_tool_that_asks_a_person(watched: Watched, remembers: Any) -> None:
    """With a memory of its own the inner agent goes on, without it begins again: one record."""

    def build(asks: bool) -> Any:
        @tool
        def ask_person() -> str:
            """Ask."""
            return str(interrupt("well?")) if asks else "yes"

        model = ScriptedChatModel(script=[LOOK, calls(call("ask_person")), "helped"])
        inner = react_graph(model, [*PURE, ask_person], checkpointer=remembers, name="inner")

        @tool
        def consult(question: str) -> str:
            """Ask the expert."""
            given = {"messages": [HumanMessage(question)]}
            return str(inner.invoke(given)["messages"][-1].text)

        outer = ScriptedChatModel(script=[calls(call("consult", {"question": "a?"})), "done"])
        return react_graph(outer, [consult], checkpointer=InMemorySaver(), name="outer")

    alone = Watched()
    build(False).invoke(asked(), alone.config("t"))
    graph = build(True)
    graph.invoke(asked(), watched.config("t"))
    graph.invoke(Command(resume="yes"), watched.config("t"))
    assert lasting(watched.run()) == lasting(alone.run())


def test_functional_api_goes_on_with_what_its_tasks_remember(watched: Watched) -> None:
    said: Iterator[int] = iter(range(99))
    model: Any = ScriptedChatModel(script=lambda _: [f"take {next(said)}"])

    @task
    def once(text: str) -> str:
        return str(model.invoke(text).text)

    @entrypoint(checkpointer=InMemorySaver())
    def flow(text: str) -> str:
        first = once(text).result()
        model.invoke("in the body, so again")
        answer = interrupt("well?")
        return str(once(f"{first} {answer}").result())

    flow.invoke("go", watched.config("t"))
    assert flow.invoke(Command(resume="yes"), watched.config("t")) == "take 3"
    run = watched.run()
    assert [s.text for s in run.steps] == ["take 0", "take 2", "take 3"]
    assert [[m.text for m in s.inputs] for s in run.steps] == [
        [],
        ["in the body, so again"],
        ["take 0 yes"],
    ]
    assert (run.task, run.end_reason) == ("go", "answered")


def test_time_travel_is_a_run_of_its_own(watched: Watched) -> None:
    graph = react_graph(
        ScriptedChatModel(script=[LOOK, LOOK, "done"]), PURE, checkpointer=InMemorySaver()
    )
    config = watched.config("t")
    graph.invoke(asked(), config, interrupt_before=["tools"])
    graph.invoke(None, config, interrupt_before=["tools"])
    past = [s for s in graph.get_state_history(config) if s.next == ("tools",)][-1]
    graph.invoke(None, {**config, "configurable": past.config["configurable"]})
    left, branch = watched.runs()
    assert (left.end_reason, len(left.steps)) == ("interrupted", 2)
    alone = Watched()
    script = [LOOK, LOOK, "done"]
    react_graph(ScriptedChatModel(script=script), PURE).invoke(asked(), alone.config())
    expected = lasting(alone.run())
    expected["steps"][0]["agent"] = None  # the messages do not say who spoke
    expected["gaps"] = ["the first turns were not watched; they are read from the messages"]
    assert lasting(branch) == expected
