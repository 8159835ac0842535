"""Agents as people build them with LangGraph, each with a script and without side effects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from langchain.agents import create_agent
from langchain_core.messages import BaseMessage, HumanMessage
from langchain_core.tools import tool
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.func import entrypoint, task

from agentcal import TokenLogprobs, Usage
from agentcal.testing import (
    ScriptedChatModel,
    broken_call,
    call,
    calls,
    fan_out_graph,
    handoff_graph,
    ledger_tools,
    nested_graph,
    react_graph,
    says,
)


@tool
def look(account: str) -> str:
    """Look at an account. The same in every process."""
    return f"{account} is fine"


@tool
def act(amount: int) -> str:
    """Do something."""
    if amount > 90:
        raise ValueError("too much")
    return f"did {amount}"


PURE = (look, act)
TASK = "Pay bob 5."
LOGPROBS = TokenLogprobs(tokens=["pa", "id"], logprobs=[-0.25, -1.5], top=[[-0.25, -2.0], [-1.5]])

LOOK = calls(
    call("get_balance", {"account": "alice"}),
    call("get_balance", {"account": "zoe"}),
    text="let me see",
    reasoning="first look, then act",
    usage=Usage(input_tokens=20, output_tokens=7, reasoning_tokens=3),
)
ACT = calls(
    call("transfer", {"source": "alice", "target": "bob", "amount": 5}),
    broken_call("verify_ledger", "now, please"),
)
DONE = says("paid", logprobs=LOGPROBS)
SCRIPT = [LOOK, ACT, DONE]


def react(saver: BaseCheckpointSaver[Any] | None = None) -> Any:
    return react_graph(ScriptedChatModel(script=SCRIPT), checkpointer=saver)


def prebuilt(saver: BaseCheckpointSaver[Any] | None = None) -> Any:
    model = ScriptedChatModel(script=[calls(call("get_balance", {"account": "bob"})), DONE])
    return create_agent(
        model, ledger_tools(), system_prompt="Be brief.", name="teller", checkpointer=saver
    )


def nested(saver: BaseCheckpointSaver[Any] | None = None) -> Any:
    model = ScriptedChatModel(script=["a plan", LOOK, "worked", "reviewed"])
    return nested_graph(model, checkpointer=saver)


def handoff(saver: BaseCheckpointSaver[Any] | None = None) -> Any:
    front = ScriptedChatModel(script=[calls(call("transfer_to_specialist"))])
    # one history: the turn of the front desk is the first of the specialist's script, too
    expert = ScriptedChatModel(script=["not said", LOOK, "all is well"])
    return handoff_graph(front, expert, checkpointer=saver)


def functional(saver: BaseCheckpointSaver[Any] | None = None) -> Any:
    kit = {tool.name: tool for tool in ledger_tools()}
    model = ScriptedChatModel(script=[LOOK, "done"]).bind_tools([*kit.values()])

    @task
    async def ask(messages: list[BaseMessage]) -> BaseMessage:
        return await model.ainvoke(messages)

    @task
    async def run_tool(proposed: Any) -> BaseMessage:
        tool = kit[proposed["name"]]
        message: BaseMessage = await tool.model_copy(update={"handle_tool_error": True}).ainvoke(
            proposed
        )
        return message

    @entrypoint(checkpointer=saver)
    async def flow(question: str) -> str:
        messages: list[BaseMessage] = [HumanMessage(question)]
        while True:
            reply: Any = await ask(messages)
            messages.append(reply)
            if not reply.tool_calls:
                return str(reply.text)
            messages += [await run_tool(proposed) for proposed in reply.tool_calls]

    return flow


def fan_out(saver: BaseCheckpointSaver[Any] | None = None) -> Any:
    def script(text: str) -> list[Any]:
        if text.startswith("Sum up."):
            return ["sum"]
        both = [
            call("get_balance", {"account": a}, call_id=f"{text}-{a}") for a in ("bob", "alice")
        ]
        return [calls(*both), f"{text} looked up"]

    return fan_out_graph(
        ScriptedChatModel(script=script), ["part one", "part two", "part three"], checkpointer=saver
    )


Builder = Callable[[BaseCheckpointSaver[Any] | None], Any]

BUILDERS: dict[str, Builder] = {
    "react": react,
    "prebuilt": prebuilt,
    "nested": nested,
    "handoff": handoff,
}


def asked(text: str = TASK) -> dict[str, Any]:
    return {"messages": [HumanMessage(text)]}
