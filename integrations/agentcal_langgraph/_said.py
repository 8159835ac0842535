"""What the recorder knows of a reply that is about to be gated."""

from __future__ import annotations

from typing import NamedTuple

from langchain_core.callbacks import BaseCallbackManager
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableConfig

from agentcal import Confidence
from agentcal.recorder import Recorder
from agentcal_langgraph._frozen import Spoken
from agentcal_langgraph._inside import task_of
from agentcal_langgraph._turn import Said
from agentcal_langgraph._watch import Watch
from agentcal_langgraph._watcher import GraphWatcher

_NOT_WATCHED = "no recorder watches this graph"
_NOT_SEEN = "the recorder has not seen a model say this"
_NO_CALIBRATOR = "the recorder has no calibrator, or could not score this turn"


class Seen(NamedTuple):
    """A reply as the recorder saw it. ``missing``: why there is no confidence."""

    watch: Watch | None
    said: Said | None
    run_id: str
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


def seen_in(
    watch: Watch | None, message: AIMessage, config: RunnableConfig, spoken: Spoken | None = None
) -> Seen:
    """What the recorder knows of ``message``, which a node of this graph has written.

    ``spoken``: what was kept about it, if it was made earlier on. A node may write a reply in other
    words than the model's, under another id: then it is the turn that was taken in this task.
    """
    said = None if watch is None else watch.said.get(message.id or "")
    if said is None and spoken is not None:
        said = Said(message.id or "", spoken.turn, spoken.confidence, "")
        return Seen(watch, said, spoken.run_id, "" if said.confidence else _NO_CALIBRATOR)
    if watch is None:
        return Seen(None, None, f"unrecorded-{message.id}", _NOT_WATCHED)
    run_id = watch.open().run_id
    said = said or said_in(watch, config)
    if said is None:
        return Seen(watch, None, run_id, _NOT_SEEN)
    return Seen(watch, said, run_id, "" if said.confidence is not None else _NO_CALIBRATOR)


def said_in(watch: Watch, config: RunnableConfig) -> Said | None:
    """The newest turn that was taken in this task."""
    here = [said for said in watch.said.values() if said.ns == task_of(config)]
    return max(here, key=lambda said: said.turn, default=None)
