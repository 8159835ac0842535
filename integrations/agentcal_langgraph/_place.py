"""Places in a program: names that stay the same when a part of it is run again.

LangGraph numbers every execution of a subgraph anew when its caller is retried, and without a
checkpointer all ids change. So a place is named by how it is reached: node and superstep from the
root on, the branch of a fan-out, the tool call, the how-manieth subgraph of its caller. Supersteps
go on counting when a graph is resumed, in another process too.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agentcal_langgraph._watch import Watch

UNNAMED = "LangGraph"
"""What a graph is called that was given no name."""


class Scope:
    """One execution of a node, a ``@task`` or a tool. Counts what happens in it."""

    __slots__ = ("_counts", "key")

    def __init__(self, key: str) -> None:
        self.key = key
        self._counts: dict[str, itertools.count[int]] = {}

    def next(self, name: str) -> int:
        """0 for the first thing called ``name`` in this execution, then 1; safe from any thread."""
        return next(self._counts.setdefault(name, itertools.count()))


class Place:
    """Something that runs inside a watched graph; its children find it by their parent's id.

    ``tool`` is the id of the call that a tool runs for.
    """

    __slots__ = ("_name", "_nth", "agent", "ns", "scope", "started", "tool", "watch")

    def __init__(
        self,
        watch: Watch,
        scope: Scope,
        ns: str,
        agent: str | None,
        *,
        name: str | None = None,
        tool: str = "",
    ) -> None:
        self.watch, self.scope, self.ns, self.agent, self.tool = watch, scope, ns, agent, tool
        self.started = time.perf_counter()
        self._name = name
        self._nth = -1 if name is None else scope.next(f"/{name}")

    def child(self, name: str | None, metadata: Mapping[str, Any]) -> Place:
        """The place of a chain that starts here: a task of a graph, or a part of this one."""
        ns = metadata.get("langgraph_checkpoint_ns") or ""
        if not ns or ns == self.ns:
            named = name if name and name != UNNAMED else ""
            return Place(self.watch, self.scope, self.ns, self.agent, name=named)
        key, agent = self._as_graph()
        return Place(self.watch, self._starts(f"{key}/{_task(metadata)}"), ns, agent)

    def called(self, name: str, call_id: str) -> Place:
        """The place of a tool that starts here."""
        which = call_id or f"{name}.{self.scope.next('!' + name)}"
        scope = self._starts(f"{self.scope.key}!{which}")
        return Place(self.watch, scope, self.ns, self.agent, tool=call_id)

    def turn(self) -> str:
        """The key of the next model turn here."""
        return f"{self.scope.key}#{self.scope.next('#')}"

    def _starts(self, key: str) -> Scope:
        self.watch.starts(key)
        return Scope(key)

    def _as_graph(self) -> tuple[str, str | None]:
        """Key and agent of the graph that this place is, for it has tasks.

        A graph without a name is called by the node that it runs in.
        """
        if self._name is None:
            return self.scope.key, self.agent
        node = self.ns.rpartition("|")[2].partition(":")[0]
        return f"{self.scope.key}:{self._name}.{self._nth}", self._name or node or self.agent


def _task(metadata: Mapping[str, Any]) -> str:
    path: Sequence[Any] = metadata.get("langgraph_path") or ()
    # ("__pregel_push", 3, False) for a Send; one more entry, the caller's path, for a task
    numbers = [entry for entry in path if type(entry) is int]
    branch = f".{numbers[-1]}" if numbers else ""
    return f"{metadata.get('langgraph_node')}@{metadata.get('langgraph_step')}{branch}"
