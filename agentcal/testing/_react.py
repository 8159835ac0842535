"""The common agent: a model node, a tool node, round and round; built by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage, HumanMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.prebuilt import ToolNode, tools_condition

from agentcal.testing._ledger import ledger_tools
from agentcal.testing._model import ScriptedChatModel
from agentcal.testing._nodes import model_node
from agentcal.testing._script import Script

Graph = CompiledStateGraph[Any, Any, Any, Any]


def react_graph(
    model: BaseChatModel,
    tools: Sequence[BaseTool] | None = None,
    *,
    checkpointer: BaseCheckpointSaver[Any] | None = None,
    name: str = "react",
) -> Graph:
    """A hand-built ``StateGraph`` over ``messages``: nodes ``agent`` and ``tools`` (a ToolNode).

    Without ``tools``, it gets :func:`~agentcal.testing.ledger_tools` on a ledger of its own. What
    a tool raises comes back to the model as a message of status "error".
    """
    kit = ledger_tools() if tools is None else list(tools)
    builder = StateGraph(MessagesState)
    builder.add_node("agent", model_node(model, kit))
    builder.add_node("tools", ToolNode(kit, handle_tool_errors=True))
    builder.add_edge(START, "agent")
    builder.add_conditional_edges("agent", tools_condition)
    builder.add_edge("tools", "agent")
    return builder.compile(checkpointer=checkpointer, name=name)


def scripted_run(
    script: Script,
    task: str = "Pay bob what he is owed.",
    *,
    tools: Sequence[BaseTool] | None = None,
    callbacks: Sequence[BaseCallbackHandler] = (),
) -> list[BaseMessage]:
    """Run a script through :func:`react_graph` and return all messages of the run."""
    graph = react_graph(ScriptedChatModel(script=script), tools)
    config = RunnableConfig(callbacks=list(callbacks))
    messages: list[BaseMessage] = graph.invoke({"messages": [HumanMessage(task)]}, config)[
        "messages"
    ]
    return messages
