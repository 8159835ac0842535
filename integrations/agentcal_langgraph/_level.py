"""One graph among those that are gated: what its gates have to know of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.constants import START
from langgraph.graph import StateGraph
from pydantic import BaseModel

from agentcal import ToolDeclaration
from agentcal_langgraph._frozen import CHANNEL
from agentcal_langgraph._inside import read
from agentcal_langgraph._proposal import EDITS


@dataclass(frozen=True)
class Level:
    """``key``: where the messages are. ``tools``: the nodes that run tools.

    ``apart``: those of them that are given the calls of a turn one by one. ``outermost``: nobody
    has put this graph into another one.
    """

    builder: StateGraph[Any, Any, Any, Any]
    key: str
    tools: frozenset[str]
    apart: frozenset[str]
    declared: Mapping[str, ToolDeclaration]
    outermost: bool

    def state(self, config: RunnableConfig, *, fresh: bool = False) -> dict[str, Any]:
        """What a gate looks at; ``fresh``: with what its task has written so far."""
        known = [name for name in (self.key, CHANNEL, EDITS) if name in self.builder.channels]
        found: dict[str, Any] = read(config, known, fresh=fresh)
        return found

    def values(self, node: str, schema: Any, config: RunnableConfig, *, fresh: bool = False) -> Any:
        """The state as LangGraph shows it to ``node``, or to a branch with a schema of its own."""
        spec = self.builder.nodes.get(node)
        known = schema or (self.builder.state_schema if spec is None else spec.input_schema)
        values = read(config, list(self.builder.schemas[known]), fresh=fresh)
        return known(**values) if _is_built(known) else values

    def step(self, node: str) -> str:
        """The node in which the gate behind ``node`` asks people, and says what it has to say."""
        return f"{'start' if node == START else node}.gate"


def _is_built(schema: Any) -> bool:
    """Whether a state is an object of its own, and no plain dictionary."""
    return isinstance(schema, type) and (
        issubclass(schema, BaseModel) or dataclasses.is_dataclass(schema)
    )
