"""For integrations of other things that are built on LangChain: one record, in the same words.

A :class:`Watch` is one invocation of an agent, and tells a recorder of it::

    watch = Watch(recorder, uuid4(), Invocation(run_id, given, name, metadata, labels))
    turn = watch.asked(Place(watch, Scope("model@1"), "", agent), messages, params, metadata)
    watch.replied(turn, ChatGeneration(message=reply))
    watch.called(name, call_id)
    watch.returned(call_id, result_of(output, call_id), duration_s)
    watch.ended({"messages": messages})

Its methods may raise on what they cannot read: see to it that the agent does not notice, and say so
with :meth:`agentcal.recorder.Run.failed`.
"""

from __future__ import annotations

from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler

from agentcal_langgraph._asking import ask, next_question
from agentcal_langgraph._called import called
from agentcal_langgraph._declared import declaration
from agentcal_langgraph._drive import Do, Steps, adrive, drive
from agentcal_langgraph._edited import annotated
from agentcal_langgraph._end import reason_of, was_cancelled
from agentcal_langgraph._frozen import Outcome
from agentcal_langgraph._inside import saver_of, task_of
from agentcal_langgraph._journal import Journal, journal_in
from agentcal_langgraph._keeper import EscalateTo, Verifier
from agentcal_langgraph._once import Ticket, is_doubtful, once
from agentcal_langgraph._opening import Invocation, Labels
from agentcal_langgraph._place import Place, Scope
from agentcal_langgraph._proposal import is_users
from agentcal_langgraph._results import Result, raised, result_of
from agentcal_langgraph._review import (
    Answer,
    ReviewError,
    answers_in,
    as_call,
    review_request,
)
from agentcal_langgraph._turn import Turn
from agentcal_langgraph._watch import Watch
from agentcal_langgraph._watcher import GraphWatcher
from agentcal_langgraph._words import (
    ABSTAINED,
    HELD_BACK,
    ended,
    farewell,
    instead,
    lost,
    nudge,
    rejected,
    unsure,
)

__all__ = [
    "ABSTAINED",
    "HELD_BACK",
    "Answer",
    "Do",
    "EscalateTo",
    "Invocation",
    "Journal",
    "Labels",
    "Outcome",
    "Place",
    "Result",
    "ReviewError",
    "Scope",
    "Steps",
    "Ticket",
    "Turn",
    "Verifier",
    "Watch",
    "adrive",
    "annotated",
    "answers_in",
    "as_call",
    "ask",
    "called",
    "declaration",
    "drive",
    "ended",
    "farewell",
    "instead",
    "is_doubtful",
    "is_users",
    "journal_in",
    "lost",
    "next_question",
    "nudge",
    "once",
    "raised",
    "reason_of",
    "rejected",
    "result_of",
    "review_request",
    "saver_of",
    "task_of",
    "unsure",
    "was_cancelled",
    "watch_at",
]


def watch_at(handler: BaseCallbackHandler, run_id: UUID) -> Watch | None:
    """What ``handler`` tells of the graph in which this chain runs, if it watches it."""
    return handler.watch_at(run_id) if isinstance(handler, GraphWatcher) else None
