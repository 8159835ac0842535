"""An agent that asks before it acts: an interrupt between the model and the tools."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Literal

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import ToolMessage
from langchain_core.tools import BaseTool
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from langgraph.types import Command, interrupt

from agentcal.testing._ledger import ledger_tools
from agentcal.testing._nodes import model_node
from agentcal.testing._react import Graph


def approval_graph(
    model: BaseChatModel,
    tools: Sequence[BaseTool] | None = None,
    *,
    checkpointer: BaseCheckpointSaver[Any],
    ask_before: Collection[str] = ("transfer",),
    name: str = "approval",
) -> Graph:
    """:func:`react_graph` with a node ``approve`` that interrupts before calls to ``ask_before``.

    The interrupt's value is ``{"calls": [{"name", "args", "id"}, ...]}``. Resume with
    ``Command(resume=True)`` to let the turn's calls run, with ``False`` to decline them all: the
    model then reads error messages instead of results.
    """
    kit = ledger_tools() if tools is None else list(tools)
    builder = StateGraph(MessagesState)
    builder.add_node("agent", model_node(model, kit))
    builder.add_node("approve", _approve(frozenset(ask_before)))
    builder.add_node("tools", ToolNode(kit, handle_tool_errors=True))
    builder.add_edge(START, "agent")
    builder.add_conditional_edges(
        "agent", tools_condition, {"tools": "approve", "__end__": "__end__"}
    )
    builder.add_edge("tools", "agent")
    return builder.compile(checkpointer=checkpointer, name=name)


def _approve(ask_before: frozenset[str]) -> Any:
    def approve(state: MessagesState) -> Command[Literal["tools", "agent"]]:
        proposed = state["messages"][-1].tool_calls  # type: ignore[union-attr]
        asked = [{k: c[k] for k in ("name", "args", "id")} for c in proposed]
        if not ask_before.isdisjoint(c["name"] for c in proposed) and not interrupt(
            {"calls": asked}
        ):
            return Command(goto="agent", update={"messages": [_declined(c) for c in proposed]})
        return Command(goto="tools")

    return approve


def _declined(call: Any) -> ToolMessage:
    return ToolMessage(
        "declined by the reviewer", name=call["name"], tool_call_id=call["id"], status="error"
    )
