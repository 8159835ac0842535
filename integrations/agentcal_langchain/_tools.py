"""What the tools that a model calls say of themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_core.messages import AIMessage
from langchain_core.tools import BaseTool

from agentcal import ToolDeclaration
from agentcal_langgraph.building import declaration

_MOST = 1000


class Declared:
    """Declarations of tools that were called, each made once: a schema takes its time.

    Safe from any thread. Agents may be given other tools at every turn, so it forgets.
    """

    def __init__(self) -> None:
        self._known: dict[str, tuple[BaseTool, ToolDeclaration]] = {}

    def of(self, message: AIMessage, offered: Sequence[Any]) -> dict[str, ToolDeclaration]:
        """Those of the tools called in ``message``, by name. Providers' own tools have none."""
        calls = [*message.tool_calls, *message.invalid_tool_calls]
        names = {call["name"] for call in calls}
        tools = (tool for tool in offered if isinstance(tool, BaseTool) and tool.name in names)
        return {tool.name: self.one(tool) for tool in tools}

    def repeatable(self, tool: BaseTool | None) -> bool:
        """Whether the tool itself says that a call may run twice. What its name says is a guess."""
        found = None if tool is None else self.one(tool)
        return found is not None and bool(found.read_only or found.idempotent)

    def one(self, tool: BaseTool) -> ToolDeclaration:
        """The declaration of a tool."""
        known = self._known.get(tool.name)
        if known is not None and known[0] is tool:
            return known[1]
        if len(self._known) >= _MOST:
            self._known = {}
        found = declaration(tool)
        self._known[tool.name] = tool, found
        return found
