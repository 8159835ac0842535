"""What tools say of themselves: their hints decide how much harm a call can do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from langgraph.prebuilt import ToolNode

from agentcal import ToolDeclaration
from agentcal_langgraph._messages import declarations


def declared(node: ToolNode) -> dict[str, ToolDeclaration]:
    """The tools of a node by name, with the hints in their metadata (as MCP adapters put them)."""
    return {tool.name: declaration(tool) for tool in node.tools_by_name.values()}


def declaration(tool: BaseTool) -> ToolDeclaration:
    """The tool as models are shown it, with its hints."""
    return declarations([shape_of(tool)])[0]


def shape_of(tool: BaseTool) -> dict[str, Any]:
    """As the readers of recorded runs know it, with the hints in its metadata.

    A tool whose arguments nobody can put into a schema is known by name and description.
    """
    hints: Mapping[str, Any] = tool.metadata or {}
    within = hints.get("annotations")
    annotations = {**hints, **within} if isinstance(within, Mapping) else dict(hints)
    try:
        return {**convert_to_openai_tool(tool), "annotations": annotations}
    except Exception:
        return {"name": tool.name, "description": tool.description, "annotations": annotations}
