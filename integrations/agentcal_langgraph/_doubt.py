"""Calls of which nobody knows whether they ran: somebody has to look before anything goes on."""

from __future__ import annotations

from collections.abc import Sequence

from langchain_core.runnables import RunnableConfig

from agentcal.recorder import Recorder
from agentcal_langgraph._asking import ask, tell
from agentcal_langgraph._drive import Steps
from agentcal_langgraph._inside import task_of
from agentcal_langgraph._journal import Journal
from agentcal_langgraph._once import Ticket, doubted, is_doubtful, looked_up, resolved, was_asked


def certain(
    tickets: Sequence[Ticket],
    journal: Journal | None,
    config: RunnableConfig,
    recorder: Recorder | None,
) -> Steps[list[Ticket]]:
    """The tickets with their marks, once nothing about them is in doubt.

    There is one interrupt for all that is in doubt, before any of them runs. LangGraph matches
    answers to interrupts by their order in a task; so what this task has asked before is asked
    again first, in the same order, and gets the answer that it got before.
    """
    if journal is None:
        return list(tickets)
    known, task, number = (yield from looked_up(tickets, journal)), task_of(config), 0
    while True:
        places = [at for at, one in enumerate(known) if was_asked(one, task, number)]
        again = bool(places)
        places = places or [at for at, one in enumerate(known) if is_doubtful(one, task)]
        if not places:
            return known
        for at in [] if again else places:
            known[at] = yield from doubted(known[at], journal, task, number)
        asked = [(known[at].call, decision) for at in places if (decision := known[at].decision)]
        answers = ask(asked, lost=True)
        fresh = all(known[at].entry.last == "doubted" for at in places)
        if fresh:
            tell([decision for _, decision in asked], answers, config, recorder)
        for at, answer in zip(places, answers, strict=True):
            known[at] = resolved(known[at], answer)
        number += 1
