"""An agent inside a graph: a subgraph between two model turns of the outer graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.tools import BaseTool
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, MessagesState, StateGraph

from agentcal.testing._nodes import model_node
from agentcal.testing._react import Graph, react_graph


def nested_graph(
    model: BaseChatModel,
    tools: Sequence[BaseTool] | None = None,
    *,
    checkpointer: BaseCheckpointSaver[Any] | None = None,
    name: str = "nested",
) -> Graph:
    """Nodes ``plan`` (a model turn), ``work`` (:func:`react_graph` as a subgraph), ``review``.

    All share ``messages``, so one script holds the turns of all three in order.
    """
    builder = StateGraph(MessagesState)
    builder.add_node("plan", model_node(model))
    builder.add_node("work", react_graph(model, tools, name="work"))
    builder.add_node("review", model_node(model))
    builder.add_edge(START, "plan")
    builder.add_edge("plan", "work")
    builder.add_edge("work", "review")
    builder.add_edge("review", END)
    return builder.compile(checkpointer=checkpointer, name=name)
