"""One graph among those that are gated: what its gates have to know of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.constants import START
from langgraph.graph import StateGraph

from agentcal import ToolDeclaration
from agentcal_langgraph._frozen import CHANNEL
from agentcal_langgraph._inside import read
from agentcal_langgraph._proposal import EDITS


@dataclass(frozen=True)
class Level:
    """``key``: where the messages are. ``tools``: the nodes that run tools.

    ``outermost``: nobody has put this graph into another one.
    """

    builder: StateGraph[Any, Any, Any, Any]
    key: str
    tools: frozenset[str]
    declared: Mapping[str, ToolDeclaration]
    outermost: bool

    def state(self, config: RunnableConfig, *, fresh: bool = False) -> dict[str, Any]:
        """What a gate looks at; ``fresh``: with what its task has written so far."""
        known = [name for name in (self.key, CHANNEL, EDITS) if name in self.builder.channels]
        found: dict[str, Any] = read(config, known, fresh=fresh)
        return found

    def step(self, node: str) -> str:
        """The node in which the gate behind ``node`` asks people, and says what it has to say."""
        return f"{'start' if node == START else node}.gate"
