"""Errors of ours that must not reach the agent."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from agentcal_langgraph._watch import Watch
    from agentcal_langgraph._watcher import GraphWatcher

Event = TypeVar("Event", bound=Callable[..., None])


def harmless(event: Event) -> Event:
    """Whatever goes wrong in here, the agent goes on; the record of the run says what is lost."""

    @functools.wraps(event)
    def safe(self: GraphWatcher, *args: Any, **kwargs: Any) -> None:
        watch: Watch | None = None
        try:
            # before the event: when a graph has ended, nothing leads from its id to its run
            if (run_id := kwargs.get("run_id")) is not None:
                watch = self._open.watch_of(run_id, kwargs.get("parent_run_id"))
            event(self, *args, **kwargs)
        except Exception as error:
            _note(self, watch, f"handling {event.__name__}", error)

    return cast("Event", safe)


def _note(watcher: GraphWatcher, watch: Watch | None, doing: str, error: Exception) -> None:
    recorder = watcher.recorder
    if watch is not None:
        watch.broke(doing, error, over=watch.root not in watcher._open.watches)
    elif recorder is not None:
        recorder.failed(doing, error)
