"""Tells a listener what happened in a run, from spans in the order in which they ended.

The same code fills a draft from a file and a live recorder while the spans come in.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from agentcal.formats import Context
from agentcal.formats.parts import to_result, to_step
from agentcal.telemetry import _names_in as i
from agentcal.telemetry._calls import Calls, Proposal
from agentcal.telemetry._draft import Listener
from agentcal.telemetry._heard import Heard
from agentcal.telemetry._span import Chat, SpanFacts
from agentcal.trajectory import CallStatus, Step, ToolCall, Trajectory, Usage


@dataclass(slots=True)
class Blank:
    """A turn of which nothing was recorded, until it is known which tools ran for it."""

    step: Step
    key: str | None
    ran: list[SpanFacts] = field(default_factory=list)

    def calls(self) -> list[ToolCall]:
        """What it must have proposed."""
        ran = sorted(self.ran, key=lambda span: (span.start_ns, span.span_id))
        return [
            ToolCall(id=span.call_id, name=span.name, arguments=span.arguments or {})
            for span in ran
        ]


class Narrator:
    """Follows a run, from what is known of it so far. Notes what the spans lack:

    ``blank`` turns without any text, ``lost`` turns of which only later ones tell, ``strange`` tool
    spans that no turn proposed.
    """

    def __init__(self, to: Listener, context: Context, run: Trajectory) -> None:
        self.blank = self.lost = self.strange = 0
        self._to, self._context = to, context
        self._calls = Calls()
        self._heard = Heard(self._calls, context)
        self._blanks: dict[str, Blank] = {}
        self._newest: Step | None = None
        self._heard.asked(run.task)
        for step in run.steps:
            self._calls.add(step.tool_calls)
            self._heard.said(step)

    def model(self, span: SpanFacts, agent: str | None, key: str | None = None) -> None:
        """A model replied."""
        thread = agent or ""
        if span.told is not None:
            self._hear_new(span.messages or [])
        elif span.messages is not None:
            self._hear_history(span.messages, thread)
        self._settle(thread)
        if span.reply is None and span.failed:
            return  # it did not reply; somebody may ask again
        if span.reply is None:
            self.blank += 1
            self._blanks[thread] = Blank(self._step(span, agent, Step()), key)
        else:
            self._reply(self._step(span, agent, to_step(span.reply, self._context)), key)

    def tool(self, span: SpanFacts, agent: str | None) -> None:
        """A tool was run. One that was interrupted has not been run yet."""
        if span.fault in i.INTERRUPTS:
            return
        call = self._calls.that_ran(span.call_id, span.name, span.given)
        blank = self._blanks.get(agent or "")
        if blank is not None and (call is None or call.ran):
            blank.ran.append(span)
        elif call is None:
            self.strange += 1
        else:
            self._ran(call, span)

    def passed_on(self, answers: list[Chat]) -> None:
        """A part of the program put out what tools answered."""
        for message in answers:
            self._answer(message)

    def over(self, reply: Chat | None) -> None:
        """The run has ended with this reply. It tells of a last turn whose span is lost."""
        for thread in list(self._blanks):
            self._settle(thread)
        asked = self._newest.tool_calls if self._newest else []
        if not asked or not all(call.ran for call in self._calls.newest(len(asked))):
            return
        said = to_step(reply, self._context) if reply else Step()
        if said.text and not said.tool_calls and not self._heard.knows(said):
            self.lost += 1
            self._reply(said, None)

    def _hear_new(self, messages: list[Chat]) -> None:
        """agentcal's own spans hold what is new and nothing else."""
        for message in messages:
            self._take(message, follows=True)

    def _hear_history(self, messages: list[Chat], thread: str) -> None:
        news = self._heard.news(messages, blank=thread in self._blanks)
        for message in news.earlier if not self._calls.settled else ():
            if message["role"] == "tool":
                self._answer(message)
        for message in news.new:
            if message["role"] == "assistant":
                self._unseen(message, thread)
            else:
                self._take(message, follows=news.follows)

    def _take(self, message: Chat, *, follows: bool) -> None:
        if message["role"] == "tool":
            self._answer(message)
            return
        told = self._heard.told(message, follows=follows)
        if told is not None:
            self._to.message(told.text, told.role)

    def _unseen(self, message: Chat, thread: str) -> None:
        """What an agent said and no span told: a turn whose span is blank or lost."""
        said = to_step(message, self._context)
        blank = self._blanks.pop(thread, None)
        if blank is None:
            self.lost += 1
            self._reply(said, None)
            return
        self.blank -= 1
        told = {"text": said.text, "reasoning": said.reasoning, "tool_calls": said.tool_calls}
        self._reply(blank.step.model_copy(update=told), blank.key)
        for span in blank.ran:
            self.tool(span, thread)

    def _answer(self, message: Chat) -> None:
        found = to_result(message, self._context)
        call = self._calls.answered(found.id, found.name, found.text)
        if call is not None:
            call.text, call.vague = found.text, False
        elif found.failed:
            # A span may take an error for a result like any other; the message knows better.
            call = self._calls.with_answer(found.id, found.text)
            call = None if call is not None and call.failed else call
        if call is not None:
            call.failed = call.failed or found.failed
            declined = message.get("status") == "rejected"
            self._tell(call, "rejected" if declined else call.status)

    def _ran(self, call: Proposal, span: SpanFacts) -> None:
        call.ran, call.failed, call.took_s = True, span.failed, _took(span)
        call.vague = span.result is None
        call.text = _error(span) if span.result is None else span.result
        told = span.told.status if span.told else None
        self._tell(call, told or call.status)

    def _tell(self, call: Proposal, status: CallStatus) -> None:
        self._to.returned(call.id, call.text or "", status, call.took_s, name=call.name)

    def _settle(self, thread: str) -> None:
        """A turn of which nothing was recorded proposed what tools were then seen to run."""
        blank = self._blanks.pop(thread, None)
        if blank is not None:
            calls = blank.calls()
            self._reply(blank.step.model_copy(update={"tool_calls": calls}), blank.key)
            for span in blank.ran:
                self.tool(span, thread)

    def _reply(self, step: Step, key: str | None) -> None:
        self._heard.said(step)
        self._calls.add(step.tool_calls)
        self._newest = step
        self._to.replied(step, key=key)

    def _step(self, span: SpanFacts, agent: str | None, step: Step) -> Step:
        stated = span.told.stated_confidence if span.told else None
        step.usage = _both(span.usage, step.usage)
        step.latency_s = span.duration_s
        step.model = span.model or step.model
        step.agent = agent
        step.logprobs = span.logprobs or step.logprobs
        step.stated_confidence = step.stated_confidence if stated is None else stated
        return step


def _error(span: SpanFacts) -> str:
    """What went wrong, as far as it is known that something did."""
    return ": ".join(part for part in (span.fault, span.fault_text) if part)


def _both(one: Usage | None, other: Usage | None) -> Usage | None:
    """Token counts of which each may know what the other does not."""
    if one is None or other is None:
        return one or other
    known = {name: value for name, value in one if value is not None}
    return other.model_copy(update=known)


def _took(span: SpanFacts) -> float | None:
    """How long a tool ran; our own spans have no length where nobody knows."""
    return span.duration_s or None if span.told else span.duration_s
