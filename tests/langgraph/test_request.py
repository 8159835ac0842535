"""What the task is: the newest messages of the user, in whatever form they come."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command
from pydantic import BaseModel
from typing_extensions import TypedDict

from agentcal.testing import ScriptedChatModel, react_graph
from agentcal_langgraph._request import newest_request, request_in
from tests.langgraph.agents import asked, react
from tests.langgraph.conftest import Watched

PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,"}}
HISTORY = [HumanMessage("old"), AIMessage("answer"), HumanMessage("new")]


@dataclass
class Dataclass:
    messages: list[Any] = field(default_factory=lambda: list(HISTORY))


class Model(BaseModel):
    messages: list[Any] = HISTORY


@pytest.mark.parametrize(
    ("given", "task"),
    [
        ("new", "new"),
        (HumanMessage("new"), "new"),
        (("user", "new"), "new"),
        (HISTORY, "new"),
        ({"messages": "new"}, "new"),
        ({"messages": HumanMessage("new")}, "new"),
        ({"messages": ("user", "new")}, "new"),
        ([("user", "old"), ("ai", "answer"), ("user", "new")], "new"),
        ({"messages": [("user", "old"), ("ai", "answer"), ("human", "new")]}, "new"),
        ({"messages": [{"role": "user", "content": "new"}]}, "new"),
        ({"messages": [HumanMessage([{"type": "text", "text": "new"}, PICTURE])]}, "new"),
        (
            {"messages": [SystemMessage("s"), HumanMessage("one"), HumanMessage("two")]},
            "one\n\ntwo",
        ),
        ({"messages": [*HISTORY, AIMessage("prefilled")]}, "new"),
        ({"history": HISTORY, "k": 3}, "new"),
        ({"question": "new", "user_id": "u1"}, "new"),
        ({"topic": "new"}, "new"),
        ({"topic": "which", "tone": "of these"}, ""),
        (Dataclass(), "new"),
        (Model(), "new"),
        (Command(update={"messages": HISTORY}, goto="agent"), "new"),
        (Command(update=[("messages", HISTORY)]), "new"),
        (Command(resume="yes"), ""),
        (None, ""),
        (17, ""),
        ({}, ""),
        ({"messages": []}, ""),
        ({"messages": [object()]}, ""),
    ],
)
def test_task_in_an_input(given: Any, task: str) -> None:
    assert request_in(given).task == task


@pytest.mark.parametrize(
    ("given", "goes_on", "answered"),
    [
        (None, True, False),
        (Command(resume=1), True, False),
        (asked(), False, False),
        ({"messages": [*HISTORY, AIMessage("prefilled")]}, False, True),
        ({"messages": [ToolMessage("3", tool_call_id="c")]}, True, False),
        ({"messages": [HumanMessage("q"), ToolMessage("3", tool_call_id="c")]}, False, False),
    ],
)
def test_what_an_input_continues(given: Any, goes_on: bool, answered: bool) -> None:
    assert request_in(given)[1:] == (goes_on, answered)


def test_a_long_history_is_not_read_to_its_start() -> None:
    class Noisy(list[Any]):
        read = 0

        def __reversed__(self) -> Any:
            for item in super().__reversed__():
                self.read += 1
                yield item

    history = Noisy([HumanMessage("old"), AIMessage("a")] * 500 + [HumanMessage("new")])
    assert request_in({"messages": history}).task == "new"
    assert history.read == 2


def test_newest_request_starts_with_the_users_newest_block() -> None:
    late = [HumanMessage("b"), HumanMessage("c"), AIMessage("d")]
    assert newest_request([HumanMessage("a"), AIMessage("x"), *late]) == late
    assert newest_request([AIMessage("x")]) == [AIMessage("x")]


def test_requests_of_one_thread_are_runs_of_one_conversation(watched: Watched) -> None:
    graph = react(InMemorySaver())
    for text in ("first", "second", "third"):
        graph.invoke(asked(text), watched.config("t"))
    runs = watched.runs()
    assert [run.task for run in runs] == ["first", "second", "third"]
    assert {run.conversation for run in runs} == {"t"}
    assert len({run.run_id for run in runs}) == 3
    assert all(len(run.steps) == 3 and not run.gaps for run in runs)
    assert all(not step.inputs for run in runs for step in run.steps)


def test_a_state_without_messages_takes_the_task_from_the_first_prompt(watched: Watched) -> None:
    class State(TypedDict):
        first: str
        second: str

    model: Any = ScriptedChatModel(script=["hello"])

    def talk(state: State) -> dict[str, str]:
        prompt = [("system", "be nice"), ("user", f"{state['first']} and {state['second']}")]
        return {"first": model.invoke(prompt).text}

    builder = StateGraph(State)
    builder.add_node("talk", talk)
    builder.add_edge(START, "talk")
    builder.compile().invoke({"first": "a", "second": "b"}, watched.config())
    run = watched.run()
    assert (run.task, run.system) == ("a and b", "be nice")
    assert run.steps[0].inputs == []


def test_a_client_that_sends_the_whole_history(watched: Watched) -> None:
    graph = react_graph(ScriptedChatModel(script=["hello"]))
    graph.invoke({"messages": HISTORY}, watched.config())
    run = watched.run()
    assert (run.task, [step.text for step in run.steps]) == ("new", ["hello"])
    assert run.gaps == []


def test_what_the_user_says_in_mid_run_is_an_input(watched: Watched) -> None:
    model: Any = ScriptedChatModel(script=lambda text: [f"heard {text}"])
    builder = StateGraph(MessagesState)

    def talk(state: MessagesState) -> dict[str, Any]:
        return {"messages": [model.invoke(state["messages"])]}

    builder.add_node("first", talk)
    builder.add_node("more", lambda _: {"messages": [("user", "and alice?"), ("system", "hurry")]})
    builder.add_node("second", talk)
    builder.add_edge(START, "first")
    builder.add_edge("first", "more")
    builder.add_edge("more", "second")
    builder.compile().invoke(asked("pay bob"), watched.config())
    run = watched.run()
    assert [step.text for step in run.steps] == ["heard pay bob", "heard and alice?"]
    assert [(m.role, m.text) for m in run.steps[1].inputs] == [
        ("user", "and alice?"),
        ("system", "hurry"),
    ]
