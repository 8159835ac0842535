"""What cannot be gated is said when the graph is built, and what to do about it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from langgraph.graph import StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.pregel import Pregel

from agentcal import ConfigError
from agentcal.policy import Policy
from agentcal_langgraph._keeper import EscalateTo
from agentcal_langgraph._parts import Graph, graph_in, is_gated, tools_in_node

_log = logging.getLogger("agentcal.gate")


def check_graph(graph: Any) -> None:
    """Whether it is a graph whose nodes can be taken apart. Raises :class:`ConfigError`."""
    if isinstance(graph, StateGraph):
        raise ConfigError("calibrated takes a compiled graph: give builder.compile(...)")
    if not isinstance(graph, CompiledStateGraph):
        what = "an @entrypoint graph" if isinstance(graph, Pregel) else type(graph).__name__
        raise ConfigError(
            f"calibrated takes a compiled StateGraph, not {what}: what runs inside a function "
            "cannot be held up from outside. Watch it with CalibrationCallbackHandler, or build it "
            "as a StateGraph with a ToolNode or a gate_node"
        )
    if is_gated(graph):
        raise ConfigError(f"the graph {graph.name!r} has gates already; calibrated is applied once")
    late = sorted(set(graph.builder.nodes) - set(graph.nodes))
    if late:
        raise ConfigError(f"nodes {late} were added after compiling: compile the builder again")


def check_reach(graph: Graph, policy: Policy, *, answers_only: bool) -> None:
    """Whether all that runs tools can be held up. Raises :class:`ConfigError` if that matters."""
    hidden = [name for one in _levels(graph) for name in _hidden(one)]
    if hidden:
        _say(
            policy,
            f"the nodes {hidden} call graphs with tools inside a function, where no gate reaches "
            "them: gate those graphs themselves with calibrated(..., subgraph=True), and call what "
            "comes back",
        )
    runs_tools = any(tools_in_node(s.runnable) for g in _levels(graph) for s in _specs(g))
    gated_inside = any(is_gated(one) for one in _levels(graph))
    if not (runs_tools or gated_inside or answers_only or hidden):
        names = [name for name, spec in graph.builder.nodes.items() if not graph_in(spec.runnable)]
        _say(
            policy,
            f"no node of this graph is a ToolNode, so only answers can be held up. If one of "
            f"{names} runs tools in an ordinary function, put a gate_node behind the model; if one "
            "calls a graph that has tools, gate that graph; if none does, say answers_only=True",
        )


def check_asking(graph: Graph, policy: Policy, escalate_to: EscalateTo, *, subgraph: bool) -> None:
    """Whether people can be asked, if that may be necessary. Raises :class:`ConfigError`."""
    if policy.mode == "shadow" or not policy.may_escalate:
        return
    cut_off = [one.name for one in _levels(graph) if one is not graph and one.checkpointer is False]
    if cut_off:
        raise ConfigError(
            f"the graphs {cut_off} were compiled with checkpointer=False, so that nobody can be "
            "asked in them: leave the checkpointer out, and they use that of the graph around them"
        )
    if escalate_to == "human" and not graph.checkpointer and not subgraph:
        raise ConfigError(
            "this policy may ask a human, and a graph can only wait with a checkpointer: compile "
            "it with one (checkpointer=SqliteSaver(...)), or say subgraph=True if it will be a "
            "node of a graph that has one"
        )


def _say(policy: Policy, what: str) -> None:
    if policy.mode == "enforce":
        raise ConfigError(what)
    _log.warning("in shadow mode only: %s", what)


def _levels(graph: Graph) -> Iterator[Graph]:
    """The graph and those inside it, except inside those that have gates of their own."""
    yield graph
    if is_gated(graph):
        return
    for spec in _specs(graph):
        if (inner := graph_in(spec.runnable)) is not None:
            yield from _levels(inner)


def _specs(graph: Graph) -> Iterator[Any]:
    yield from graph.builder.nodes.values()


def _hidden(graph: Graph) -> list[str]:
    """Nodes that are functions in which an ungated graph with tools is called, as far as seen."""
    if is_gated(graph):
        return []
    return [
        name
        for name, spec in graph.builder.nodes.items()
        if graph_in(spec.runnable) is None
        for called in graph.nodes[name].subgraphs
        if isinstance(called, CompiledStateGraph)
        and any(not is_gated(g) and any(map(_runs_tools, _specs(g))) for g in _levels(called))
    ]


def _runs_tools(spec: Any) -> bool:
    return tools_in_node(spec.runnable) is not None
