"""What the nodes of a graph are: runners of tools, graphs, gates, or functions that may speak."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from langchain_core.runnables import Runnable, RunnableSequence
from langchain_core.runnables.base import RunnableBindingBase
from langgraph.constants import END
from langgraph.graph import StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.prebuilt import ToolNode

from agentcal_langgraph._frozen import CHANNEL

Builder = StateGraph[Any, Any, Any, Any]
Graph = CompiledStateGraph[Any, Any, Any, Any]


def is_gated(graph: Graph) -> bool:
    """Whether it has gates already."""
    return CHANNEL in graph.builder.channels


def graph_in(runnable: Any) -> Graph | None:
    """The graph that a node is, alone or among the steps of a sequence."""
    return next((part for part in _parts(runnable) if isinstance(part, CompiledStateGraph)), None)


def tools_in_node(runnable: Any) -> ToolNode | None:
    """The tool node that a node is, alone or among the steps of a sequence."""
    return next((part for part in _parts(runnable) if isinstance(part, ToolNode)), None)


def with_part(runnable: Any, old: Any, new: Runnable[Any, Any]) -> Runnable[Any, Any]:
    """The same node with ``new`` in the place of ``old``."""
    if runnable is old:
        return new
    if isinstance(runnable, RunnableSequence):
        steps = [with_part(step, old, new) for step in runnable.steps]
        return RunnableSequence(*steps, name=runnable.name)
    if isinstance(runnable, RunnableBindingBase):
        return runnable.model_copy(update={"bound": with_part(runnable.bound, old, new)})
    return runnable  # type: ignore[no-any-return]


def leads_to(builder: Builder, node: str) -> set[str] | None:
    """Where a node may lead to; None: anywhere. Without any way on, the graph may end there."""
    ends = {end for start, end in builder.edges if start == node}
    for branch in builder.branches.get(node, {}).values():
        if not branch.ends:
            return None
        ends |= set(branch.ends.values())
    spec = builder.nodes.get(node)
    ends |= set((spec.ends if spec is not None else None) or ())
    joins = any(node in starts for starts, _ in builder.waiting_edges)
    return ends or (set() if joins else {END})


def _parts(runnable: Any) -> Iterator[Any]:
    yield runnable
    if isinstance(runnable, RunnableSequence):
        for step in runnable.steps:
            yield from _parts(step)
    elif isinstance(runnable, RunnableBindingBase):
        yield from _parts(runnable.bound)
