"""What a task of a graph can know of its graph. The only file with names of LangGraph's own.

LangGraph passes these to every task in its configuration and has no public way to ask for them;
``_canary.py`` makes sure that where one is missing, nothing runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver

_READ, _SEND, _SAVER = "__pregel_read", "__pregel_send", "__pregel_checkpointer"
_DURABILITY = "__pregel_durability"


def configurable(config: RunnableConfig) -> Mapping[str, Any]:
    """What the graph and its caller have put into the configuration."""
    return config.get("configurable") or {}


def read(config: RunnableConfig, channels: str | list[str], *, fresh: bool = False) -> Any:
    """The state as it stands; ``fresh``: with what this task has written so far.

    Raises ``KeyError`` outside a graph.
    """
    return configurable(config)[_READ](channels, fresh)


def write(config: RunnableConfig, values: Mapping[str, Any]) -> None:
    """Write to the state, together with what the node of this task writes.

    Raises ``KeyError`` outside a graph.
    """
    configurable(config)[_SEND](list(values.items()))


def saver_of(config: RunnableConfig) -> BaseCheckpointSaver[Any] | None:
    """The checkpointer that this run of the graph has, its own or a parent's."""
    found = configurable(config).get(_SAVER)
    return cast("BaseCheckpointSaver[Any]", found) if found else None


def keeps_nothing_before_its_end(config: RunnableConfig) -> bool:
    """Whether the run was told to write its checkpoints when it is over."""
    return configurable(config).get(_DURABILITY) == "exit"


def task_of(config: RunnableConfig) -> str:
    """The same for every attempt at a task; no other task has it."""
    return str(configurable(config).get("checkpoint_ns") or "")


def graph_of(task: str) -> str:
    """Where the graph of a task runs: the same for all tasks of one run of a graph."""
    return task.rpartition("|")[0]
