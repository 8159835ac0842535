"""What was begun and what was finished, kept by the graph's own checkpointer.

A side effect and a checkpoint are not atomic: a process may die after a tool has run and before
the graph has kept its result. So each call is marked before it starts and after it has ended. The
marks of a call lie in a namespace of their own on the same thread, under the key of the decision by
which it runs: a deleted thread takes them along, and whatever leads back to the call finds them.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from functools import partial
from typing import Any, Literal, NamedTuple

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    BaseCheckpointSaver,
    CheckpointMetadata,
    CheckpointTuple,
    empty_checkpoint,
)

from agentcal_langgraph._drive import Do, Steps
from agentcal_langgraph._inside import configurable, saver_of

_log = logging.getLogger("agentcal.gate")

Mark = Literal["started", "waits", "failed", "finished", "doubted"]
"""``waits``: the tool asked somebody itself. ``doubted``: nobody knows whether it ran."""

_CHANNEL = "agentcal_journal"


class Entry(NamedTuple):
    """The marks of one call, oldest first, each with what belongs to it."""

    at: RunnableConfig | None
    marks: tuple[tuple[Mark, Any], ...]

    @property
    def last(self) -> Mark | None:
        """How it stands; None: it was never begun."""
        return self.marks[-1][0] if self.marks else None

    @property
    def finished(self) -> bool:
        """Whether it has run, so that it must not run again."""
        return self.last == "finished"

    @property
    def result(self) -> Any:
        """What the tool gave, where it could be kept."""
        return self.marks[-1][1]


NEW = Entry(None, ())


class Journal:
    """The marks of calls on one thread."""

    def __init__(self, saver: BaseCheckpointSaver[Any], thread: str) -> None:
        self._saver, self._thread = saver, thread

    def read(self, key: str) -> Steps[Entry]:
        """The marks of the call with this decision key."""
        where = self._config(key)
        found = yield Do(
            partial(self._saver.get_tuple, where), partial(self._saver.aget_tuple, where)
        )
        return NEW if found is None else _entry(found)

    def mark(self, key: str, entry: Entry, mark: Mark, value: Any = None) -> Steps[Entry]:
        """Add a mark; it is kept when this returns. Raises what the checkpointer raises.

        The first one says that the call is started, and is the checkpoint itself.
        """
        at = entry.at
        if at is None:
            metadata: CheckpointMetadata = {"source": "update", "step": -1}
            put: tuple[Any, ...] = (self._config(key), empty_checkpoint(), metadata, {})
            at = yield Do(partial(self._saver.put, *put), partial(self._saver.aput, *put))
        else:
            writes = [(_CHANNEL, {"mark": mark, "value": value})]
            number = f"{len(entry.marks):06d}"
            yield Do(
                partial(self._saver.put_writes, at, writes, number),
                partial(self._saver.aput_writes, at, writes, number),
            )
        return Entry(at, (*entry.marks, (mark, value)))

    def _config(self, key: str) -> RunnableConfig:
        digest = hashlib.sha256(key.encode()).hexdigest()[:32]
        return {"configurable": {"thread_id": self._thread, "checkpoint_ns": f"agentcal-{digest}"}}


def journal_in(config: RunnableConfig) -> Journal | None:
    """The journal of the thread that this task runs on; None without a checkpointer."""
    saver, thread = saver_of(config), configurable(config).get("thread_id")
    return None if saver is None or thread is None else Journal(saver, str(thread))


def _entry(found: CheckpointTuple) -> Entry:
    written = sorted(
        (task, value) for task, channel, value in found.pending_writes or () if channel == _CHANNEL
    )
    marks = [
        (value["mark"], value.get("value")) for _, value in written if isinstance(value, Mapping)
    ]
    return Entry(found.config, (("started", None), *marks))
