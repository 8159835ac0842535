"""What a node says itself about where to go on, with a ``Command``."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.types import Command, Send

from agentcal_langgraph._drive import Steps
from agentcal_langgraph._inside import task_of
from agentcal_langgraph._task import Part


class Goto(Part):
    """Stands behind a node: keeps its ``goto`` for the gate, which comes next in the same task."""

    def __init__(self) -> None:
        self.name = "goto"
        self._kept: dict[str, list[str | Send]] = {}

    def _steps(self, value: Any, config: RunnableConfig) -> Steps[Any]:
        found: list[str | Send] = []
        output = _stripped(value, found)
        if found:
            self._kept[task_of(config)] = found
        return output
        yield  # it waits for nothing

    def taken(self, config: RunnableConfig) -> list[str | Send]:
        """Where the node of this task wants to go on."""
        return self._kept.pop(task_of(config), [])


def _stripped(output: Any, found: list[str | Send]) -> Any:
    if isinstance(output, Command):
        if output.graph is not None or not output.goto:
            return output
        goto = output.goto
        found += [goto] if isinstance(goto, (str, Send)) else list(goto)
        return replace(output, goto=())
    if isinstance(output, (list, tuple)) and any(isinstance(part, Command) for part in output):
        return [_stripped(part, found) for part in output]
    return output
