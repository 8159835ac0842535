"""Tools of which is told more than once: as a model is shown them, and as the program has them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from agentcal.tools import HINTS
from agentcal.trajectory import ToolDeclaration

_WHAT_IT_IS = ("kind", *HINTS)


def joined(
    known: Iterable[ToolDeclaration], told: Iterable[ToolDeclaration]
) -> list[ToolDeclaration]:
    """One declaration a name, in the order of their first; what is known stays as it is.

    What a tool is (kind and hints) is taken whole from the first declaration that says any of it:
    hints of two that disagree would contradict each other.
    """
    found: dict[str, ToolDeclaration] = {}
    for tool in (*known, *told):
        before = found.get(tool.name)
        found[tool.name] = tool if before is None else _filled(before, tool)
    return [*found.values()]


def _filled(known: ToolDeclaration, told: ToolDeclaration) -> ToolDeclaration:
    names = ["description", "parameters", *(() if _says(known) else _WHAT_IT_IS)]
    fields: dict[str, Any] = {
        name: getattr(told, name)
        for name in names
        if not getattr(known, name) and getattr(told, name) not in (None, "", {})
    }
    return known.model_copy(update=fields) if fields else known


def _says(tool: ToolDeclaration) -> bool:
    return any(getattr(tool, name) is not None for name in _WHAT_IT_IS)
