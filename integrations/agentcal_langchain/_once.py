"""A call runs at most once, and where nobody knows whether it has, somebody is asked."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from langchain.agents.middleware import ToolCallRequest
from langgraph.config import get_config
from langgraph.errors import GraphInterrupt

from agentcal.policy import Decision
from agentcal_langchain._asking import review
from agentcal_langchain._following import Tool, ran
from agentcal_langchain._permit import Permit
from agentcal_langchain._seat import Seat
from agentcal_langchain._words import in_doubt
from agentcal_langgraph.building import (
    Answer,
    Do,
    Journal,
    Outcome,
    Steps,
    Ticket,
    adrive,
    ask,
    drive,
    is_doubtful,
    journal_in,
    next_question,
    once,
    review_request,
    task_of,
)


def run_once(seat: Seat, request: ToolCallRequest, permit: Permit, run: Do) -> Steps[Tool]:
    """What the call gives: now, or when it ran before; or what somebody says who was asked.

    Without a checkpointer there is no second time, and no way to ask.
    """
    follow = partial(ran, seat, request, run)
    config, decision = get_config(), permit.decision
    journal = journal_in(config)
    if decision is None or journal is None:
        return (yield from follow())
    call = request.tool_call if permit.request is None else permit.request.tool_call
    ticket = Ticket(call, Outcome(words="", fate="run", key=permit.key), decision)
    ticket = replace(ticket, entry=(yield from journal.read(permit.key)))
    try:
        answer = yield from _certain(seat, ticket, decision, journal, task_of(config))
    except GraphInterrupt as error:
        seat.raised(error)
        raise
    if answer is not None and answer.type != "approve":
        return in_doubt(call, answer)
    kept = yield from once(ticket, journal, Do(lambda: drive(follow()), lambda: adrive(follow())))
    return kept[0] if isinstance(kept, list) else kept  # type: ignore[no-any-return]


def _certain(
    seat: Seat, ticket: Ticket, decision: Decision, journal: Journal, task: str
) -> Steps[Answer | None]:
    """What somebody says about a call that may have run; None where there is no doubt.

    LangGraph matches answers to questions by their order in a task, and tools ask questions too. So
    it is kept how many answers came before: who goes on leaves these out, and reads the next.
    """
    answer: Answer | None = None
    pending = [(ticket.call, decision)]
    for mark, about in ticket.entry.marks:
        if mark == "doubted" and about["task"] == task:
            (answer,) = ask(pending, lost=True, skip=about["skip"])
    if is_doubtful(ticket, task):
        skip, waits = next_question(review_request(pending, lost=True))
        about = {"task": task, "skip": skip}
        yield from journal.mark(ticket.key, ticket.entry, "doubted", about)
        raise waits
    if answer is not None and ticket.entry.last == "doubted":
        seat.reviewed([review(decision, answer)])
    return answer
