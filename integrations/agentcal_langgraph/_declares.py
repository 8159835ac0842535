"""What the tools of a gated graph say of themselves, for whoever records it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler

from agentcal import ToolDeclaration
from agentcal_langgraph._declared import declared
from agentcal_langgraph._open import watches_at
from agentcal_langgraph._parts import Graph, graph_in, tools_in_node


class Declares(BaseCallbackHandler):
    """Tells what a model is not shown, before it replies: no score may come without it."""

    run_inline = True  # before the reply; nothing in here waits

    def __init__(self, tools: Sequence[ToolDeclaration]) -> None:
        self._tools = tools

    def on_chat_model_start(
        self, serialized: Any, messages: Any, *, parent_run_id: UUID | None = None, **kwargs: Any
    ) -> None:
        """A chat model is asked."""
        self._tell(parent_run_id)

    def on_llm_start(
        self, serialized: Any, prompts: Any, *, parent_run_id: UUID | None = None, **kwargs: Any
    ) -> None:
        """A completion model is asked."""
        self._tell(parent_run_id)

    def _tell(self, asking: UUID | None) -> None:
        for watch in watches_at(asking) if asking is not None else ():
            try:
                watch.declares(self._tools)
            except Exception as error:  # the agent must not notice
                watch.broke("declaring the tools", error, over=False)


def tools_of(graph: Graph) -> Iterator[ToolDeclaration]:
    """The tools of all tool nodes in a graph and in the graphs inside it."""
    for spec in graph.builder.nodes.values():
        node, inner = tools_in_node(spec.runnable), graph_in(spec.runnable)
        if node is not None:
            yield from declared(node).values()
        if inner is not None:
            yield from tools_of(inner)
