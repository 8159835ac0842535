"""The gate itself: an edge behind a node that may speak.

It runs in the task of that node, after the node and before anything that the node leads to. So a
decision is committed together with the reply that it is about, and costs no step of its own.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Mapping, Sequence
from functools import partial
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.constants import END
from langgraph.types import Send
from pydantic import BaseModel

from agentcal_langgraph._drive import Do, Steps
from agentcal_langgraph._frozen import CHANNEL, FrozenTurn, turns_in, update_of, words_said
from agentcal_langgraph._goto import Goto
from agentcal_langgraph._inside import graph_of, read, task_of, write
from agentcal_langgraph._keeper import Keeper, Moment
from agentcal_langgraph._level import Level
from agentcal_langgraph._proposal import Proposal, newest_proposal
from agentcal_langgraph._said import seen_in, watch_in
from agentcal_langgraph._settle import Settled
from agentcal_langgraph._task import Part
from agentcal_langgraph._words import says_farewell

Where = str | Send


@dataclasses.dataclass(frozen=True)
class Leads:
    """Where a node leads to in the user's graph: edges, branches, and what it says itself."""

    edges: Sequence[str]
    branches: Sequence[Any]
    goto: Goto


class GateEdge(Part):
    """Decides about what a node has said, and says where the graph goes on.

    ``speaks``: whether the node is one that may speak; else it is a subgraph with gates of its own.
    """

    def __init__(
        self, keeper: Keeper, level: Level, node: str, leads: Leads, *, speaks: bool
    ) -> None:
        self.name = f"{node}.gate"
        self._keeper, self._level, self._node = keeper, level, node
        self._leads, self._speaks = leads, speaks

    def _steps(self, value: Any, config: RunnableConfig) -> Steps[list[Where]]:
        said = self._leads.goto.taken(config)
        ways = [*said, *(yield from self._ways(value, config))]
        state = read(config, [self._level.key, CHANNEL], fresh=True)
        messages = state.get(self._level.key) or []
        if messages and says_farewell(messages[-1]):
            return []
        past = turns_in(state.get(CHANNEL))
        proposal = newest_proposal(messages)
        if proposal is None or not self._concerns(proposal, ways, past):
            return ways
        watch = watch_in(config, self._keeper.recorder)
        when = Moment(config, past, self._level.declared, watch)
        found = yield from self._keeper.decide(proposal, when)
        self._commit(proposal, found, when)
        return (yield from self._onwards(proposal, found, ways, value, when))

    def _concerns(
        self, proposal: Proposal, ways: Sequence[Where], past: Mapping[str, FrozenTurn]
    ) -> bool:
        """Whether something that nobody has decided about is about to happen."""
        known = past.get(proposal.message.id or "")
        if known is not None and known.words == words_said(proposal.message):
            return False
        if any(_name(way) in self._level.tools for way in ways):
            return bool(proposal.calls)
        leaves = all(way == END for way in ways)
        return leaves and self._speaks and (not proposal.calls or self._level.outermost)

    def _commit(self, proposal: Proposal, found: Settled, when: Moment) -> None:
        message_id = proposal.message.id or ""
        update: dict[str, Any] = {CHANNEL: update_of(proposal.request, message_id, found.frozen)}
        if found.messages:
            update[self._level.key] = list(found.messages)
        write(when.config, update)
        if when.watch is not None and found.frozen.sent_back:
            when.watch.sent_back.add(message_id)
        if when.watch is not None and found.way == "stop":
            when.watch.abstained = True

    def _onwards(
        self, proposal: Proposal, found: Settled, ways: Sequence[Where], value: Any, when: Moment
    ) -> Steps[list[Where]]:
        if found.way == "stop":
            return []
        if found.way == "again":
            return [self._model_node(proposal, when)]
        if found.frozen.first is not None:  # another reply: it may lead elsewhere
            again = self._anew(value, None, when.config)
            ways = yield from self._ways(again, when.config)
        if found.way == "ask":
            about = {"message": proposal.message.id, "goto": list(ways)}
            return [Send(self._level.review(self._node), about)]
        return list(ways)

    def _model_node(self, proposal: Proposal, when: Moment) -> str:
        """Where the model was asked, if that is a node of this graph; else the node that spoke."""
        said = seen_in(when.watch, proposal.message, when.config).said
        if said is not None and graph_of(said.ns) == graph_of(task_of(when.config)):
            name = said.ns.rpartition("|")[2].partition(":")[0]
            if name in self._level.builder.nodes:
                return name
        return self._node

    def _ways(self, value: Any, config: RunnableConfig) -> Steps[list[Where]]:
        """As the user's graph has it."""
        ways: list[Where] = [*self._leads.edges]
        for branch in self._leads.branches:
            schema = branch.input_schema
            given = value if schema is None else self._anew(value, schema, config)
            path = branch.path
            chosen = yield Do(
                partial(path.invoke, given, config), partial(path.ainvoke, given, config)
            )
            ways += _mapped(chosen, branch.ends)
        return ways

    def _anew(self, value: Any, schema: Any, config: RunnableConfig) -> Any:
        """The state as a branch sees it, with what was written since the node has ended."""
        builder = self._level.builder
        node = builder.nodes.get(self._node)
        known = schema or (builder.state_schema if node is None else node.input_schema)
        values = read(config, list(builder.schemas[known]), fresh=True)
        if isinstance(known, type) and (
            issubclass(known, BaseModel) or dataclasses.is_dataclass(known)
        ):
            return known(**values)
        return {**value, **values} if schema is None and isinstance(value, dict) else values


def _mapped(chosen: Any, ends: Mapping[Hashable, str] | None) -> list[Where]:
    several = chosen if isinstance(chosen, (list, tuple)) else [chosen]
    return [way if isinstance(way, Send) or not ends else ends[way] for way in several]


def _name(way: Where) -> str:
    return way.node if isinstance(way, Send) else way
