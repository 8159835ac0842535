"""How the handler gets to a graph: by a call, by the graph, or for the whole process."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from langchain_core.runnables import RunnableLambda
from langgraph.graph import START, MessagesState, StateGraph

from agentcal.testing import ScriptedChatModel, call, calls, ledger_tools
from agentcal_langgraph import CalibrationCallbackHandler, instrument, uninstrument
from tests.langgraph.agents import TASK, asked, nested, prebuilt, react
from tests.langgraph.conftest import Watched, lasting


def test_with_config_is_like_a_call(watched: Watched) -> None:
    graph = react().with_config(callbacks=[watched.handler])
    graph.invoke(asked())
    react().invoke(asked(), watched.config())
    first, second = watched.runs()
    assert lasting(first) == lasting(second)


def test_instrument_sees_graphs_in_every_thread_and_loop(watched: Watched) -> None:
    instrument(watched.recorder)
    react().invoke(asked("here"))
    thread = threading.Thread(target=lambda: react().invoke(asked("in a thread")))
    thread.start()
    thread.join()
    thread = threading.Thread(target=lambda: asyncio.run(react().ainvoke(asked("in a loop"))))
    thread.start()
    thread.join()
    runs = watched.runs()
    assert [run.task for run in runs] == ["here", "in a thread", "in a loop"]
    assert all(len(run.steps) == 3 and run.end_reason == "answered" for run in runs)


def test_instrument_twice_records_once_and_uninstrument_ends_it(watched: Watched) -> None:
    instrument(watched.recorder)
    instrument(watched.recorder)
    react().invoke(asked("one"))
    uninstrument()
    uninstrument()
    react().invoke(asked("two"))
    instrument(watched.recorder)
    react().invoke(asked("three"))
    assert [run.task for run in watched.runs()] == ["one", "three"]


def test_another_recorder_gets_what_starts_later(watched: Watched) -> None:
    other = Watched()
    instrument(watched.recorder)
    react().invoke(asked("one"))
    instrument(other.recorder)
    react().invoke(asked("two"))
    assert [run.task for run in watched.runs()] == ["one"]
    assert [run.task for run in other.runs()] == ["two"]


def test_uninstrument_in_mid_run_loses_nothing_of_it(watched: Watched) -> None:
    instrument(watched.recorder)
    stream = react().stream(asked("one"))
    next(stream)
    uninstrument()
    react().invoke(asked("two"))
    for _ in stream:
        pass
    (run,) = watched.runs()
    assert (run.task, len(run.steps), run.end_reason) == ("one", 3, "answered")


@pytest.mark.parametrize("again", ["same", "another", "with_config", "instrument"])
def test_nothing_counts_twice(watched: Watched, again: str) -> None:
    graph, config = react(), watched.config()
    if again == "same":
        config["callbacks"] = [watched.handler, watched.handler]
    elif again == "another":
        config["callbacks"] = [watched.handler, CalibrationCallbackHandler(watched.recorder)]
    elif again == "with_config":
        graph = graph.with_config(callbacks=[watched.handler])
    else:
        instrument(watched.recorder)
    graph.invoke(asked(), config)
    alone = Watched()
    react().invoke(asked(), alone.config())
    assert lasting(watched.run()) == lasting(alone.run())


def test_given_to_a_subgraph_too_it_still_is_one_run(watched: Watched) -> None:
    builder = StateGraph(MessagesState)
    builder.add_node("teller", prebuilt().with_config(callbacks=[watched.handler]))
    builder.add_edge(START, "teller")
    builder.compile(name="outer").invoke(asked(), watched.config())
    run = watched.run()
    assert [step.agent for step in run.steps] == ["teller", "teller"]
    assert run.agent == "outer"


def test_only_the_graph_that_nobody_called_is_a_run(watched: Watched) -> None:
    nested().invoke(asked(), watched.config())
    assert watched.run().agent == "nested"


def test_a_graph_inside_a_plain_chain_is_a_run(watched: Watched) -> None:
    chain = RunnableLambda(asked) | react() | RunnableLambda(lambda s: s)
    chain.invoke("from outside", watched.config())
    run = watched.run()
    assert (run.task, len(run.steps)) == ("from outside", 3)


def test_models_tools_and_chains_outside_a_graph_are_no_runs(watched: Watched) -> None:
    config = watched.config()
    model = ScriptedChatModel(script=[calls(call("get_balance", {"account": "bob"}))])
    model.invoke("hi", config)
    (model | RunnableLambda(lambda message: message.text)).invoke("hi", config)
    ledger_tools()[0].invoke({"account": "bob"}, config)
    assert watched.runs() == []
    assert watched.recorder.stats.started == 0


def test_agent_and_group_of_the_handler(watched: Watched) -> None:
    handler = CalibrationCallbackHandler(watched.recorder, agent="desk", group="refunds")
    react().invoke(asked(), {"callbacks": [handler], "metadata": {"ticket": 7, "who": [1]}})
    run = watched.run()
    assert (run.agent, run.group, run.metadata) == ("desk", "refunds", {"ticket": 7})
    assert run.steps[0].agent == "desk"


def test_a_call_may_say_its_own_group_and_family(watched: Watched) -> None:
    handler = CalibrationCallbackHandler(watched.recorder, group="refunds", family="money")
    said = {"agentcal_group": "refund 7", "ticket": 7}
    react().invoke(asked(), {"callbacks": [handler], "metadata": said})
    run = watched.run()
    assert (run.group, run.family, run.metadata) == ("refund 7", "money", {"ticket": 7})


def test_what_is_known_of_the_agent(watched: Watched) -> None:
    prebuilt().invoke(asked(), watched.config("thread-1"))
    run = watched.run()
    assert (run.agent, run.model, run.conversation) == ("teller", "scripted", "thread-1")
    assert (run.system, run.task) == ("Be brief.", TASK)
    assert [tool.name for tool in run.tools] == ["get_balance", "transfer", "verify_ledger"]
    assert run.tools[1].parameters["required"] == ["source", "target", "amount"]
    assert run.started_at is not None


def test_a_graph_without_a_name_leaves_the_agent_unknown(watched: Watched) -> None:
    builder = StateGraph(MessagesState)
    model: Any = ScriptedChatModel(script=["hello"])
    builder.add_node("talk", lambda state: {"messages": [model.invoke(state["messages"])]})
    builder.add_edge(START, "talk")
    builder.compile().invoke(asked(), watched.config())
    run = watched.run()
    assert run.agent is None
    assert run.steps[0].agent is None
