"""A graph node that calls a model, sync and async."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import Runnable, RunnableLambda
from langchain_core.tools import BaseTool


def model_node(model: BaseChatModel, tools: Sequence[BaseTool] = ()) -> Runnable[Any, Any]:
    """Show the model the state's ``messages`` and add its reply to them."""
    bound = model.bind_tools(tools) if tools else model

    def reply(state: dict[str, Any]) -> dict[str, Any]:
        return {"messages": [bound.invoke(state["messages"])]}

    async def areply(state: dict[str, Any]) -> dict[str, Any]:
        return {"messages": [await bound.ainvoke(state["messages"])]}

    return RunnableLambda(reply, areply, name="call_model")
