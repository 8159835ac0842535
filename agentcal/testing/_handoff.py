"""Two agents and one conversation: the first may hand it over to the second."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import ToolMessage
from langchain_core.tools import BaseTool, InjectedToolCallId, tool
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import InjectedState
from langgraph.types import Command

from agentcal.testing._react import Graph, react_graph


@tool
def transfer_to_specialist(
    state: Annotated[dict[str, Any], InjectedState],
    tool_call_id: Annotated[str, InjectedToolCallId],
) -> Command[str]:
    """Hand the conversation over to the specialist."""
    done = ToolMessage("handed over", name="transfer_to_specialist", tool_call_id=tool_call_id)
    return Command(
        graph=Command.PARENT,
        goto="specialist",
        update={"messages": [*state["messages"], done]},
    )


def handoff_graph(
    front: BaseChatModel,
    specialist: BaseChatModel,
    tools: Sequence[BaseTool] | None = None,
    *,
    checkpointer: BaseCheckpointSaver[Any] | None = None,
    name: str = "handoff",
) -> Graph:
    """Subgraphs ``front`` (its one tool is ``transfer_to_specialist``) and ``specialist``.

    The tool returns a ``Command`` to the parent graph. Both see one history: give scripted models
    an ``agent`` name each.
    """
    builder = StateGraph(MessagesState)
    handed_over = ("specialist", "__end__")
    builder.add_node(
        "front",
        react_graph(front, [transfer_to_specialist], name="front"),
        destinations=handed_over,
    )
    builder.add_node("specialist", react_graph(specialist, tools, name="specialist"))
    builder.add_edge(START, "front")
    return builder.compile(checkpointer=checkpointer, name=name)
