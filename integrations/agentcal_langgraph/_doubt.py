"""Calls of which nobody knows whether they ran: somebody has to look before anything goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.messages import ToolCall
from langchain_core.runnables import RunnableConfig

from agentcal.policy import Decision
from agentcal.recorder import Recorder
from agentcal_langgraph._asking import ask, next_question, tell
from agentcal_langgraph._drive import Steps
from agentcal_langgraph._inside import task_of
from agentcal_langgraph._journal import Journal
from agentcal_langgraph._once import Ticket, doubted, is_doubtful, looked_up, question, resolved
from agentcal_langgraph._review import review_request


def certain(
    tickets: Sequence[Ticket],
    journal: Journal | None,
    config: RunnableConfig,
    recorder: Recorder | None,
) -> Steps[list[Ticket]]:
    """The tickets with their marks, once nothing about them is in doubt.

    There is one interrupt for all that is in doubt, before any of them runs. LangGraph matches
    answers to interrupts by their order in a task, and tools may have asked questions of their own:
    so it is kept how many answers came before, and what this task has asked before is asked again
    first, in the same order.
    """
    if journal is None:
        return list(tickets)
    known, task, number = (yield from looked_up(tickets, journal)), task_of(config), 0
    while True:
        places = [at for at, one in enumerate(known) if question(one, task, number)]
        if not places:
            places = [at for at, one in enumerate(known) if is_doubtful(one, task)]
            if not places:
                return known
            yield from _asked(known, places, journal, {"task": task, "question": number})
        kept = question(known[places[0]], task, number) or {}
        answers = ask(_pending(known, places), lost=True, skip=kept.get("skip", 0))
        if all(known[at].entry.last == "doubted" for at in places):
            decisions = [decision for _, decision in _pending(known, places)]
            tell(decisions, answers, config, recorder)
        for at, answer in zip(places, answers, strict=True):
            known[at] = resolved(known[at], answer)
        number += 1


def _asked(
    known: list[Ticket], places: Sequence[int], journal: Journal, about: Mapping[str, Any]
) -> Steps[None]:
    """Ask for the first time. Raises ``GraphInterrupt``."""
    skip, waits = next_question(review_request(_pending(known, places), lost=True))
    for at in places:
        known[at] = yield from doubted(known[at], journal, {**about, "skip": skip})
    raise waits


def _pending(known: Sequence[Ticket], places: Sequence[int]) -> list[tuple[ToolCall, Decision]]:
    tickets = [known[at] for at in places]
    return [(one.as_it_runs, one.decision) for one in tickets if one.decision is not None]
