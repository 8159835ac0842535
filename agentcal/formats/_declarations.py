"""Tool declarations in OpenAI, Anthropic or MCP shape."""

from __future__ import annotations

from typing import Any

from agentcal._fields import as_text
from agentcal.formats._format import Context
from agentcal.trajectory import ToolDeclaration

_HINTS = {
    "read_only": "readOnlyHint",
    "destructive": "destructiveHint",
    "idempotent": "idempotentHint",
    "open_world": "openWorldHint",
}
_KINDS = ("evidence", "verification", "action", "other")
_SCHEMAS = ("parameters", "input_schema", "inputSchema")


def declarations(tools: Any, context: Context) -> list[ToolDeclaration]:
    """The tools that were offered to the model; one that cannot be read is noted and left out."""
    if tools is None:
        return []
    found = [_declaration(tool) for tool in tools] if isinstance(tools, list) else [None]
    unread = sum(tool is None for tool in found)
    if unread:
        fix = 'Give {"type": "function", "function": {"name", "description", "parameters"}}.'
        context.note("tool declaration is not readable", fix=fix, count=unread)
    return [tool for tool in found if tool is not None]


def _declaration(tool: Any) -> ToolDeclaration | None:
    inner = tool.get("function", tool) if isinstance(tool, dict) else {"name": tool}
    if not isinstance(inner, dict) or not isinstance(inner.get("name"), str):
        return None
    schemas = (inner.get(key) for key in _SCHEMAS)
    schema = next((value for value in schemas if isinstance(value, dict)), {})
    return ToolDeclaration(
        name=inner["name"],
        description=as_text(inner.get("description")),
        parameters=schema,
        kind=inner["kind"] if inner.get("kind") in _KINDS else None,
        **_hints(inner, tool if isinstance(tool, dict) else {}),
    )


def _hints(inner: dict[str, Any], outer: dict[str, Any]) -> dict[str, bool]:
    """Hints under agentcal's own names, else from MCP annotations.

    The MCP specification puts the annotations into the tool; who wraps a tool in OpenAI's shape
    leaves them inside the function or beside it.
    """
    mcp = [a for a in (inner.get("annotations"), outer.get("annotations")) if isinstance(a, dict)]
    found: dict[str, bool] = {}
    for ours, theirs in _HINTS.items():
        told = (inner.get(ours), *(annotations.get(theirs) for annotations in mcp))
        known = [value for value in told if isinstance(value, bool)]
        if known:
            found[ours] = known[0]
    return found
