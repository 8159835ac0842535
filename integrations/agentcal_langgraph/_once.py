"""No call runs twice unless somebody says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from langchain_core.messages import ToolCall
from langgraph.errors import GraphBubbleUp

from agentcal.policy import Decision
from agentcal_langgraph._drive import Do, Steps
from agentcal_langgraph._frozen import Outcome
from agentcal_langgraph._journal import NEW, Entry, Journal
from agentcal_langgraph._review import Answer
from agentcal_langgraph._words import lost, unkept


@dataclass(frozen=True)
class Ticket:
    """A call that a tool node was given, and what was decided about it.

    ``outcome`` is None where nothing was decided. ``repeatable``: to run it again does no harm, as
    its tool says. ``entry``: its marks, if it may run.
    """

    call: ToolCall
    outcome: Outcome | None
    decision: Decision | None
    repeatable: bool = False
    entry: Entry = NEW

    @property
    def runs(self) -> bool:
        """Whether it may run."""
        return self.outcome is not None and self.outcome.fate == "run"

    @property
    def as_it_runs(self) -> ToolCall:
        """The call, as a reviewer may have edited it."""
        return self.call if self.outcome is None else self.outcome.applied(self.call)

    @property
    def key(self) -> str:
        """Of the decision by which it runs."""
        return "" if self.outcome is None else self.outcome.key


def looked_up(tickets: Sequence[Ticket], journal: Journal) -> Steps[list[Ticket]]:
    """The same with the marks of those that may run."""
    found = []
    for ticket in tickets:
        marked = ticket
        if ticket.runs:
            marked = replace(ticket, entry=(yield from journal.read(ticket.key)))
        found.append(marked)
    return found


def is_doubtful(ticket: Ticket, task: str) -> bool:
    """Whether it was begun and nobody knows what came of it, though that matters.

    What was asked about in this task is not asked about again, unless it was begun anew since.
    """
    if not ticket.runs or ticket.repeatable:
        return False
    marks = ticket.entry.marks
    asked = [at for at, (mark, about) in enumerate(marks) if _asked(mark, about, task)]
    since = marks[asked[-1] + 1 :] if asked else marks
    return bool(since) and since[-1][0] in ("started", "doubted")


def question(ticket: Ticket, task: str, number: int) -> Mapping[str, Any] | None:
    """What is kept of the question of this number in which this task has asked about it."""
    kept = (about for mark, about in ticket.entry.marks if _asked(mark, about, task))
    return next((about for about in kept if about.get("question") == number), None)


def doubted(ticket: Ticket, journal: Journal, about: Mapping[str, Any]) -> Steps[Ticket]:
    """Keep that somebody is about to be asked."""
    entry = yield from journal.mark(ticket.key, ticket.entry, "doubted", dict(about))
    return replace(ticket, entry=entry)


def resolved(ticket: Ticket, answer: Answer) -> Ticket:
    """What somebody said about a call that may have run."""
    if answer.type == "approve" or ticket.outcome is None:
        return ticket
    respond = answer.type == "respond"
    said = {
        "fate": "respond" if respond else "refuse",
        "say": answer.message if respond else lost(answer),
    }
    return replace(ticket, outcome=ticket.outcome.model_copy(update=said))


def once(ticket: Ticket, journal: Journal, run: Do) -> Steps[Any]:
    """What the call gives: it runs now, or it has run before."""
    if ticket.entry.finished:
        kept = ticket.entry.result
        return [unkept(ticket.call)] if kept is None else kept
    entry = yield from journal.mark(ticket.key, ticket.entry, "started")
    try:
        output = yield run
    except GraphBubbleUp:
        yield from journal.mark(ticket.key, entry, "waits")
        raise
    except Exception:
        yield from journal.mark(ticket.key, entry, "failed")
        raise
    yield from _finished(ticket.key, entry, journal, output)
    return output


def _finished(key: str, entry: Entry, journal: Journal, output: Any) -> Steps[None]:
    try:
        yield from journal.mark(key, entry, "finished", output)
    except Exception:  # it ran; that it did is worth keeping without what it gave
        yield from journal.mark(key, entry, "finished")


def _asked(mark: str, about: Any, task: str) -> bool:
    return mark == "doubted" and isinstance(about, dict) and about.get("task") == task
