"""Alone, the middleware records what the callback handler would have recorded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.structured_output import ToolStrategy
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.config import get_config
from pydantic import BaseModel

from agentcal import Trajectory
from agentcal.testing import ScriptedChatModel, call, calls, ledger_tools
from agentcal_langchain import CalibrationMiddleware
from agentcal_langgraph import CalibrationCallbackHandler
from tests.langchain.agents import ASK, SCRIPT, Watched, agent, lasting, on, turns


def by_handler(script: Any = None, given: Any = None, **more: Any) -> Trajectory:
    """The oracle: the same agent without the middleware, watched by the handler."""
    watched = Watched()
    handler = CalibrationCallbackHandler(watched.recorder, tools=ledger_tools())
    agent([], script, **more).invoke(given or ASK, {"callbacks": [handler]})
    return watched.run()


async def _streamed(graph: Any) -> None:
    async for _ in graph.astream(ASK, stream_mode=["messages", "updates"]):
        pass


WAYS: dict[str, Callable[[Any], Any]] = {
    "invoke": lambda graph: graph.invoke(ASK),
    "ainvoke": lambda graph: asyncio.run(graph.ainvoke(ASK)),
    "stream": lambda graph: list(graph.stream(ASK, stream_mode=["messages", "values"])),
    "astream": lambda graph: asyncio.run(_streamed(graph)),
    "batch": lambda graph: graph.batch([ASK]),
}


@pytest.mark.parametrize("way", WAYS)
def test_it_records_what_the_handler_records(way: str, watched: Watched) -> None:
    WAYS[way](agent([CalibrationMiddleware(recorder=watched.recorder)]))
    run = watched.run()
    assert lasting(run) == lasting(by_handler())
    assert run.end_reason == "answered"
    assert [len(step.tool_calls) for step in run.steps] == [2, 2, 0]
    assert all(step.latency_s is not None for step in run.steps)
    assert run.steps[0].tool_calls[0].duration_s is not None
    assert watched.recorder.stats.errors == 0


def test_every_signal_arrives(watched: Watched) -> None:
    agent([CalibrationMiddleware(recorder=watched.recorder)]).invoke(ASK)
    look, pay, done = watched.run().steps
    assert (look.reasoning, look.usage.reasoning_tokens) == ("first look, then pay", 4)  # type: ignore[union-attr]
    assert done.logprobs is not None
    assert done.logprobs.logprobs == [-0.25, None, -1.5]
    paid, broken = pay.tool_calls
    assert (paid.status, paid.arguments is None) == ("ok", False)
    # Newer versions of create_agent tell the model that a call did not parse, older ones do not.
    assert (broken.status in {"error", "missing"}, broken.arguments) == (True, None)


def test_the_run_knows_its_agent(watched: Watched) -> None:
    middleware = CalibrationMiddleware(recorder=watched.recorder, agent="desk 4", family="bank")
    agent([middleware], checkpointer=InMemorySaver()).invoke(
        ASK, on("t-1", metadata={"customer": "c-7", "agentcal_group": "pay 30"})
    )
    run = watched.run()
    assert (run.agent, run.model) == ("desk 4", "scripted")
    assert (run.group, run.family) == ("pay 30", "bank")
    assert (run.conversation, run.metadata) == ("t-1", {"customer": "c-7"})
    assert (run.task, run.system) == ("Pay bob 30.", "Be brief.")
    assert [t.name for t in run.tools] == ["get_balance", "transfer", "verify_ledger"]


def test_a_run_id_that_the_program_chose_is_kept(watched: Watched) -> None:
    chosen = "0199b5a0-0000-7000-8000-000000000001"
    graph = agent([CalibrationMiddleware(recorder=watched.recorder)])
    graph.invoke(ASK, {"run_id": chosen})
    assert watched.run().run_id == chosen


def test_a_structured_response_is_an_answer_with_a_call(watched: Watched) -> None:
    class Receipt(BaseModel):
        """What was paid."""

        amount: int

    script = [calls(call("Receipt", {"amount": 30}))]
    graph = agent(
        [CalibrationMiddleware(recorder=watched.recorder)],
        script,
        response_format=ToolStrategy(Receipt),
    )
    assert graph.invoke(ASK)["structured_response"].amount == 30
    run = watched.run()
    assert run.interventions == []
    (receipt,) = run.steps[0].tool_calls
    assert (receipt.name, receipt.status, run.end_reason) == ("Receipt", "ok", "answered")


def test_a_new_request_on_the_thread_is_another_run(watched: Watched) -> None:
    graph = agent([CalibrationMiddleware(recorder=watched.recorder)], checkpointer=InMemorySaver())
    graph.invoke(ASK, on("t-1"))
    first = graph.get_state(on("t-1")).values
    graph.invoke({"messages": [HumanMessage("And again.")]}, on("t-1"))
    second = graph.get_state(on("t-1")).values
    one, two = watched.runs()
    assert (one.task, two.task) == ("Pay bob 30.", "And again.")
    assert one.conversation == two.conversation == "t-1"
    assert len(one.steps) == len(two.steps) == 3
    assert len(turns(first)) == len(turns(second)) == 3
    assert not set(turns(first)) & set(turns(second))


def test_an_agent_that_a_tool_calls_is_part_of_the_run(watched: Watched) -> None:
    middleware = CalibrationMiddleware(recorder=watched.recorder)
    inner = agent([CalibrationMiddleware(recorder=watched.recorder)], ["It is sunny."], [])

    @tool
    def ask_expert(question: str) -> str:
        """Ask another agent, twice."""
        texts = [inner.invoke({"messages": [HumanMessage(question)]}) for _ in range(2)]
        return str(texts[-1]["messages"][-1].text)

    script = [
        calls(
            call("ask_expert", {"question": "How is the weather?"}),
            call("ask_expert", {"question": "Will it last?"}),
        ),
        "Sunny.",
    ]
    agent([middleware], script, [ask_expert]).invoke(ASK)
    run = watched.run()
    assert len(run.steps) == 6
    assert [step.text for step in run.steps].count("It is sunny.") == 4
    assert run.steps[-1].text == "Sunny."
    asked = {m.text for step in run.steps[1:5] for m in step.inputs}
    assert asked == {"How is the weather?", "Will it last?"}
    assert [c.status for c in run.steps[0].tool_calls] == ["ok", "ok"]
    assert run.task == "Pay bob 30."


def test_two_agents_that_no_tool_joins_have_runs_of_their_own(watched: Watched) -> None:
    def one(name: str) -> Any:
        return agent([CalibrationMiddleware(recorder=watched.recorder)], [name], [])

    for name in ("first", "second"):
        one(name).invoke(ASK)
    assert [run.steps[0].text for run in watched.runs()] == ["first", "second"]


def test_history_that_a_client_sends_along_is_not_this_run(watched: Watched) -> None:
    given = {
        "messages": [
            HumanMessage("What do I have?"),
            AIMessage("100"),
            HumanMessage("Pay bob 30."),
        ]
    }
    agent([CalibrationMiddleware(recorder=watched.recorder)]).invoke(given)
    run = watched.run()
    assert lasting(run) == lasting(by_handler(given=given))
    assert (run.task, len(run.steps)) == ("Pay bob 30.", 3)


def test_a_tool_is_given_the_configuration_that_it_would_have_had(watched: Watched) -> None:
    seen: list[Any] = []

    @tool
    def where() -> str:
        """Say where this runs."""
        seen.append(get_config()["metadata"]["langgraph_node"])
        return "here"

    script = [calls(call("where")), "ok"]
    agent([CalibrationMiddleware(recorder=watched.recorder)], script, [where]).invoke(ASK)
    assert seen == ["tools"]


def test_the_model_sees_nothing_of_it(watched: Watched) -> None:
    shown: list[Any] = []

    class Listening(ScriptedChatModel):
        def _reply(self, messages: Any) -> AIMessage:
            shown.append([message.model_dump(exclude={"id"}) for message in messages])
            return super()._reply(messages)

    for middleware in ([], [CalibrationMiddleware(recorder=watched.recorder)]):
        model = Listening(script=SCRIPT)
        create_agent(model, ledger_tools(), middleware=middleware).invoke(ASK)
    assert len(shown) == 6
    assert shown[:3] == shown[3:]
