"""What is shared with ``agentcal_langgraph``, so that both record the same run in the same words.

The two ship together in every release; nothing else of that package is used in here.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import BaseMessage

from agentcal.recorder import Run
from agentcal_langgraph._end import was_cancelled
from agentcal_langgraph._opening import Invocation
from agentcal_langgraph._place import Place, Scope
from agentcal_langgraph._results import raised, result_of
from agentcal_langgraph._watch import Turn, Watch
from agentcal_langgraph._watcher import GraphWatcher

__all__ = [
    "Invocation",
    "Place",
    "Scope",
    "Turn",
    "Watch",
    "raised",
    "reopened",
    "result_of",
    "run_at",
    "was_cancelled",
]


def reopened(watch: Watch, messages: Sequence[BaseMessage]) -> None:
    """Find or start the run now; where nobody kept what happened before, the messages tell it."""
    watch._recall(watch.open(), messages)


def run_at(handler: BaseCallbackHandler, run_id: UUID) -> Run | None:
    """The run that ``handler`` records, if it does, of the graph in which this chain runs."""
    if not isinstance(handler, GraphWatcher):
        return None
    place = handler._open.places.get(run_id)
    return None if place is None else place.watch.open()
