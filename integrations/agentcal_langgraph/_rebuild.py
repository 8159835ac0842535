"""The same graph with gates in it. The user's own is left as it is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from langchain_core.runnables import RunnableSequence
from langgraph.channels import BinaryOperatorAggregate
from langgraph.constants import END, START, TAG_NOSTREAM
from langgraph.graph import StateGraph
from langgraph.prebuilt import ToolNode

from agentcal import ConfigError
from agentcal_langgraph._behind import Behind
from agentcal_langgraph._declared import declared
from agentcal_langgraph._edge import GateEdge
from agentcal_langgraph._frozen import CHANNEL, GateState, merged
from agentcal_langgraph._keeper import Keeper
from agentcal_langgraph._level import Level
from agentcal_langgraph._parts import (
    Builder,
    Graph,
    graph_in,
    is_gated,
    leads_to,
    tools_in_node,
    with_part,
)
from agentcal_langgraph._step import GateStep
from agentcal_langgraph._tools_node import GatedTools
from agentcal_langgraph._ways import Ways


class _Anywhere(dict[Any, str]):
    """The ways that are drawn. A gate may send a turn back to any node."""

    def __missing__(self, key: str) -> str:
        return key

    def copy(self) -> _Anywhere:
        return _Anywhere(self)


@dataclass(frozen=True)
class Rebuilder:
    """Puts gates into a graph and into the graphs inside it."""

    keeper: Keeper

    def rebuilt(self, graph: Graph, *, outermost: bool = True) -> Graph:
        """The graph with gates, otherwise like ``graph``. Raises :class:`ConfigError`."""
        known = graph.builder
        builder = _copied(known)
        tools = {n: t for n, s in known.nodes.items() if (t := tools_in_node(s.runnable))}
        level = Level(
            builder,
            _key(tools, known),
            frozenset(tools),
            self._apart(tools, known),
            _declared(tools),
            outermost,
        )
        inner = self._inner(known)
        for name, runner in tools.items():
            self._replace(builder, name, runner, self._gated_tools(runner, level, name))
        for name, (old, new) in inner.items():
            self._replace(builder, name, old, new)
        for node in [START, *known.nodes] if level.key in builder.channels else ():
            if node not in tools:
                self._behind(known, node, level, speaks=node not in inner)
        made = _compiled(graph, builder)
        if self.keeper.holds:
            _silence(made, level)
        return made

    def _inner(self, builder: Builder) -> dict[str, tuple[Graph, Graph]]:
        found = {n: g for n, s in builder.nodes.items() if (g := graph_in(s.runnable))}
        return {
            name: (graph, graph if is_gated(graph) else self.rebuilt(graph, outermost=False))
            for name, graph in found.items()
        }

    def _apart(self, tools: Mapping[str, ToolNode], known: Builder) -> frozenset[str]:
        """A branch behind the tools wants to see what all of them gave."""
        enforces = self.keeper.gate.policy.mode == "enforce"
        return frozenset(n for n in tools if enforces and not known.branches.get(n))

    def _gated_tools(self, node: ToolNode, level: Level, name: str) -> GatedTools:
        enforces = self.keeper.gate.policy.mode == "enforce"
        return GatedTools(node, level, name, self.keeper.recorder, enforces=enforces)

    def _behind(self, known: Builder, node: str, level: Level, *, speaks: bool) -> None:
        """Behind a graph with gates of its own, the gate sees to it that an end is the end."""
        ways, spec = leads_to(known, node), level.builder.nodes.get(node)
        gate = not speaks or ways is None or END in ways or not ways.isdisjoint(level.tools)
        holds = level.key if speaks and self.keeper.holds else None
        behind = Behind(self.keeper.recorder, gate=gate, holds=holds)
        if spec is not None and speaks:
            runnable: Any = RunnableSequence(spec.runnable, behind)  # type: ignore[arg-type]
            level.builder.nodes[node] = replace(spec, runnable=runnable)
        if gate:
            drawn = {*(ways if ways is not None else [*known.nodes, END])}
            self._edge(node, level, behind, drawn, speaks=speaks)

    def _edge(
        self, node: str, level: Level, behind: Behind, drawn: set[str], *, speaks: bool
    ) -> None:
        builder, step = level.builder, level.step(node)
        edges = sorted(end for start, end in builder.edges if start == node)
        branches = list(builder.branches.pop(node, {}).values())
        builder.edges -= {(node, end) for end in edges}
        if (spec := builder.nodes.get(node)) is not None:
            # A reply from a cache would come with the decision about another run.
            builder.nodes[node] = replace(spec, ends=(), cache_policy=None)
        if speaks:
            own = GateStep(level, self.keeper.recorder, step)
            builder.add_node(step, own, input_schema=GateState, destinations=tuple(drawn))
        gate = GateEdge(self.keeper, Ways(level, node, edges, branches, behind), speaks=speaks)
        ends = {end: end for end in ({*drawn, step} if speaks else drawn)}
        builder.add_conditional_edges(node, gate, _Anywhere(ends))

    @staticmethod
    def _replace(builder: Builder, name: str, old: Any, new: Any) -> None:
        spec = builder.nodes[name]
        builder.nodes[name] = replace(spec, runnable=with_part(spec.runnable, old, new))


def _copied(builder: Builder) -> Builder:
    """Its compiler has set defaults in the nodes themselves, so these come along with them."""
    if "__root__" in builder.channels:
        raise ConfigError(
            "the state of this graph is one bare value; the gate keeps its decisions beside the "
            "messages: use a state with a field 'messages', such as MessagesState"
        )
    copy: Builder = StateGraph(
        builder.state_schema,
        builder.context_schema,
        input_schema=builder.input_schema,
        output_schema=builder.output_schema,
    )
    copy.nodes, copy.edges = dict(builder.nodes), set(builder.edges)
    copy.branches = defaultdict(dict, {n: dict(b) for n, b in builder.branches.items()})
    copy.channels, copy.managed = dict(builder.channels), dict(builder.managed)
    copy.channels[CHANNEL] = BinaryOperatorAggregate(dict, merged)
    copy.schemas, copy.waiting_edges = dict(builder.schemas), set(builder.waiting_edges)
    return copy


def _key(tools: Mapping[str, ToolNode], builder: Builder) -> str:
    """Where the messages are, by what the tool nodes of this graph say."""
    keys = {getattr(node, "_messages_key", "messages") for node in tools.values()} or {"messages"}
    if len(keys) > 1:
        raise ConfigError(f"the tool nodes of one graph use several lists of messages: {keys}")
    return str(keys.pop())


def _declared(tools: Mapping[str, ToolNode]) -> dict[str, Any]:
    return {name: tool for node in tools.values() for name, tool in declared(node).items()}


def _compiled(graph: Graph, builder: Builder) -> Graph:
    made = builder.compile(
        graph.checkpointer,
        cache=graph.cache,
        store=graph.store,
        interrupt_before=graph.interrupt_before_nodes,  # type: ignore[arg-type]
        interrupt_after=graph.interrupt_after_nodes,  # type: ignore[arg-type]
        debug=graph.debug,
        name=graph.name,
        transformers=graph.stream_transformers,
    )
    for name, value in vars(graph).items():
        if name in vars(made) and name not in _MADE and not name.startswith("_"):
            setattr(made, name, value)
    return made


def _silence(graph: Graph, level: Level) -> None:
    """No tokens of nodes whose answers are held back; whole messages still reach a stream."""
    for name in graph.builder.nodes:
        if level.step(name) in graph.nodes:
            node = graph.nodes[name]
            node.tags = [*(node.tags or ()), TAG_NOSTREAM]


_MADE = frozenset(
    {
        "builder",
        "channels",
        "checkpointer",
        "node_error_handler_map",
        "nodes",
        "schema_to_mapper",
        "stream_channels",
        "trigger_to_nodes",
    }
)
"""What compiling has made anew; all else is as the user has set it on the graph."""
