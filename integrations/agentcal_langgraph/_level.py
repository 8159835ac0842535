"""One graph among those that are gated: what its gates have to know of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from langgraph.constants import START
from langgraph.graph import StateGraph

from agentcal import ToolDeclaration


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

    def review(self, node: str) -> str:
        """The node in which people are asked about what ``node`` has said."""
        return f"{'start' if node == START else node}.review"
