"""What the recorder knows of a reply that is about to be gated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from langchain_core.callbacks import BaseCallbackManager
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableConfig

from agentcal import Confidence
from agentcal.recorder import Recorder
from agentcal_langgraph._inside import graph_of, task_of
from agentcal_langgraph._watch import Said, Watch
from agentcal_langgraph._watcher import GraphWatcher

_NOT_WATCHED = "no recorder watches this graph"
_NOT_SEEN = "the recorder has not seen a model say this"
_NO_CALIBRATOR = "the recorder has no calibrator, or could not score this turn"


class Seen(NamedTuple):
    """A reply as the recorder saw it. ``missing``: why there is no confidence."""

    watch: Watch | None
    said: Said | None
    missing: str

    @property
    def confidence(self) -> Confidence | None:
        """The score of the turn."""
        return None if self.said is None else self.said.confidence


def watch_in(config: RunnableConfig, recorder: Recorder | None) -> Watch | None:
    """The watch on the run that this task is part of, that of ``recorder`` before others."""
    manager = config.get("callbacks")
    if not isinstance(manager, BaseCallbackManager) or manager.parent_run_id is None:
        return None
    watchers = (h for h in manager.handlers if isinstance(h, GraphWatcher))
    found = [w for h in watchers if (w := h.watch_at(manager.parent_run_id)) is not None]
    mine = (watch for watch in found if watch.recorder is recorder)
    return next(mine, found[0] if found else None)


def seen_in(watch: Watch | None, message: AIMessage, config: RunnableConfig) -> Seen:
    """What the recorder knows of ``message``, which a node of this graph has written.

    A node may write a reply in other words than the model's. Then it is the newest turn that was
    taken in the same graph.
    """
    if watch is None:
        return Seen(None, None, _NOT_WATCHED)
    said = watch.said.get(message.id or "") or _newest(watch, graph_of(task_of(config)))
    if said is None:
        return Seen(watch, None, _NOT_SEEN)
    return Seen(watch, said, "" if said.confidence is not None else _NO_CALIBRATOR)


def _newest(watch: Watch, graph: str) -> Said | None:
    here: Sequence[Said] = [said for said in watch.said.values() if graph_of(said.ns) == graph]
    return max(here, key=lambda said: said.turn, default=None)
