"""Nothing happens before the graph has kept what led to it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Iterator
from functools import cache, partial
from typing import Any
from weakref import WeakKeyDictionary

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver

from agentcal import AgentcalError
from agentcal_langgraph._drive import Do, Steps
from agentcal_langgraph._inside import configurable, keeps_nothing_before_its_end, saver_of

_log = logging.getLogger("agentcal.gate")
_PATIENCE_S, _FIRST_S, _LONGEST_S = 30.0, 0.0005, 0.05
_MOST = 1024
_SEEN: WeakKeyDictionary[BaseCheckpointSaver[Any], OrderedDict[tuple[str, ...], None]] = (
    WeakKeyDictionary()
)
"""The newest checkpoints that were found kept: several tasks of one step ask for the same."""


class NotKept(AgentcalError):  # noqa: N818 - reads as the condition that it is
    """The checkpointer has not kept the state of a graph, so nothing was done on its strength."""


def kept(config: RunnableConfig) -> Steps[None]:
    """Wait until the checkpoints in which this task runs are kept, its graph's and those around it.

    By default LangGraph writes a checkpoint while the next step runs already. Did the process end
    then, the model would be asked again, and nobody would remember what its first reply has done.
    With ``durability="exit"`` nothing is kept before the end of a run; that is logged. Raises
    :class:`NotKept` after 30 seconds.
    """
    saver = saver_of(config)
    if saver is None:
        return
    if keeps_nothing_before_its_end(config):
        _warn()
        return
    seen = _SEEN.setdefault(saver, OrderedDict())
    for where in _checkpoints(config):
        key = tuple(where["configurable"].values())
        if key not in seen:
            yield Do(partial(_wait, saver, where), partial(_await, saver, where))
            seen[key] = None
            while len(seen) > _MOST:
                seen.popitem(last=False)


def _checkpoints(config: RunnableConfig) -> Iterator[RunnableConfig]:
    """This graph's own, then those of the graphs around it."""
    known = configurable(config)
    around = dict(known.get("checkpoint_map") or {})
    for ns, checkpoint_id in sorted(around.items(), key=lambda item: -len(item[0])):
        yield {
            "configurable": {
                "thread_id": known["thread_id"],
                "checkpoint_ns": ns,
                "checkpoint_id": checkpoint_id,
            }
        }


def _wait(saver: BaseCheckpointSaver[Any], where: RunnableConfig) -> None:
    for pause in _pauses():
        if saver.get_tuple(where) is not None:
            return
        time.sleep(pause)
    raise NotKept(_late())


async def _await(saver: BaseCheckpointSaver[Any], where: RunnableConfig) -> None:
    for pause in _pauses():
        if await saver.aget_tuple(where) is not None:
            return
        await asyncio.sleep(pause)
    raise NotKept(_late())


def _pauses() -> Iterator[float]:
    pause, until = _FIRST_S, time.monotonic() + _PATIENCE_S
    while time.monotonic() < until:
        yield pause
        pause = min(2 * pause, _LONGEST_S)


def _late() -> str:
    return (
        f"the checkpoint of this step was not kept within {_PATIENCE_S:.0f} seconds, so no tool "
        "was run; see what the checkpointer says, and resume the graph"
    )


@cache
def _warn() -> None:
    _log.warning(
        'with durability="exit" a graph keeps nothing before the end of a run: if the process dies '
        "after a tool has run, nobody will know; use the default, or sync"
    )
