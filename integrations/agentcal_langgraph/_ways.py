"""Where a node leads to, as the user's graph has it."""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Mapping, Sequence
from functools import partial
from typing import Any

from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableConfig
from langgraph.types import Send
from pydantic import BaseModel

from agentcal_langgraph._behind import Behind
from agentcal_langgraph._drive import Do, Steps
from agentcal_langgraph._inside import read
from agentcal_langgraph._level import Level

Where = str | Send


@dataclasses.dataclass(frozen=True)
class Ways:
    """The edges and branches of a node, and what it says itself with a ``Command``."""

    level: Level
    node: str
    edges: Sequence[str]
    branches: Sequence[Any]
    behind: Behind

    def on(self, value: Any, config: RunnableConfig, held: AIMessage | None) -> Steps[list[Where]]:
        """Where the graph goes on; ``held``: the newest reply, if it is not in the state.

        ``value``: what LangGraph gives to a branch of this node, None where that is out of date.
        """
        ways: list[Where] = [*self.behind.goto(config), *self.edges]
        for branch in self.branches:
            given = self._given(value, branch.input_schema, config, held)
            path = branch.path
            chosen = yield Do(
                partial(path.invoke, given, config), partial(path.ainvoke, given, config)
            )
            ways += _mapped(chosen, branch.ends)
        return ways

    def _given(
        self, value: Any, schema: Any, config: RunnableConfig, held: AIMessage | None
    ) -> Any:
        if value is not None and schema is None and held is None:
            return value
        builder, key = self.level.builder, self.level.key
        node = builder.nodes.get(self.node)
        known = schema or (builder.state_schema if node is None else node.input_schema)
        values = read(config, list(builder.schemas[known]), fresh=True)
        if held is not None and key in builder.schemas[known]:
            others = (m for m in values.get(key) or () if m.id != held.id)
            values[key] = [*others, held]
        if _is_built(known):
            return known(**values)
        return {**value, **values} if schema is None and isinstance(value, dict) else values


def name_of(way: Where) -> str:
    """The node that it leads to."""
    return way.node if isinstance(way, Send) else way


def _is_built(schema: Any) -> bool:
    """Whether a state is an object of its own, and no plain dictionary."""
    return isinstance(schema, type) and (
        issubclass(schema, BaseModel) or dataclasses.is_dataclass(schema)
    )


def _mapped(chosen: Any, ends: Mapping[Hashable, str] | None) -> list[Where]:
    several = chosen if isinstance(chosen, (list, tuple)) else [chosen]
    return [way if isinstance(way, Send) or not ends else ends[way] for way in several]
