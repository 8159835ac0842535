"""Many agents at once: one task in parts, a worker for each, a model turn that joins them."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Annotated, Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage, HumanMessage
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import BaseTool
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import Send

from agentcal.testing._react import Graph, react_graph


class _State(MessagesState):
    findings: Annotated[list[str], operator.add]


def fan_out_graph(
    model: BaseChatModel,
    parts: Sequence[str],
    tools: Sequence[BaseTool] | None = None,
    *,
    checkpointer: BaseCheckpointSaver[Any] | None = None,
    name: str = "fan_out",
) -> Graph:
    """``Send`` each part to a ``worker`` (:func:`react_graph`) of its own; ``join`` replies.

    A worker sees its part as the only human message; ``join`` is a model turn that sees
    "Sum up." with the workers' answers. So ``model`` needs a script that is a function of the text.
    """
    worker = react_graph(model, tools, name="worker")
    builder = StateGraph(_State)
    builder.add_node("worker", _worker(worker))
    builder.add_node("join", _join(model))
    builder.add_conditional_edges(
        START,
        lambda _: [Send("worker", {"messages": [HumanMessage(part)]}) for part in parts],
        ["worker"],
    )
    builder.add_edge("worker", "join")
    builder.add_edge("join", END)
    return builder.compile(checkpointer=checkpointer, name=name)


def _worker(agent: Graph) -> RunnableLambda[Any, Any]:
    def work(state: dict[str, Any]) -> dict[str, Any]:
        return {"findings": [agent.invoke(state)["messages"][-1].text]}

    async def awork(state: dict[str, Any]) -> dict[str, Any]:
        return {"findings": [(await agent.ainvoke(state))["messages"][-1].text]}

    return RunnableLambda(work, awork, name="worker")


def _join(model: BaseChatModel) -> RunnableLambda[Any, Any]:
    def join(state: dict[str, Any]) -> dict[str, Any]:
        return {"messages": [model.invoke(_question(state))]}

    async def ajoin(state: dict[str, Any]) -> dict[str, Any]:
        return {"messages": [await model.ainvoke(_question(state))]}

    return RunnableLambda(join, ajoin, name="join")


def _question(state: dict[str, Any]) -> list[BaseMessage]:
    return [HumanMessage("\n".join(["Sum up.", *state["findings"]]))]
