"""Where a node leads to, as the user's graph has it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import partial
from typing import Any

from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableConfig
from langgraph.types import Send

from agentcal_langgraph._behind import Behind
from agentcal_langgraph._drive import Do, Steps
from agentcal_langgraph._level import Level

Where = str | Send


@dataclass(frozen=True)
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
        values = self.level.values(self.node, schema, config, fresh=True)
        if held is not None:
            values = _with_newest(values, self.level.key, held)
        both = schema is None and isinstance(value, dict) and isinstance(values, dict)
        return {**value, **values} if both else values


def name_of(way: Where) -> str:
    """The node that it leads to."""
    return way.node if isinstance(way, Send) else way


def _with_newest(values: Any, key: str, newest: AIMessage) -> Any:
    known = values.get(key) if isinstance(values, dict) else getattr(values, key, None)
    if known is None:
        return values
    messages = [*(m for m in known if m.id != newest.id), newest]
    if isinstance(values, dict):
        return {**values, key: messages}
    changed = copy(values)
    setattr(changed, key, messages)
    return changed


def _mapped(chosen: Any, ends: Mapping[Hashable, str] | None) -> list[Where]:
    several = chosen if isinstance(chosen, (list, tuple)) else [chosen]
    return [way if isinstance(way, Send) or not ends else ends[way] for way in several]
