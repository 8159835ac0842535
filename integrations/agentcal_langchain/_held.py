"""What of a model turn is held up, as the agent's state has it after the model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from langchain_core.messages import AIMessage, AnyMessage, ToolCall, ToolMessage

from agentcal.policy import Decision, TurnDecision, Verdict, strictest
from agentcal_langchain._frozen import Frozen, newest_reply
from agentcal_langchain._turns import answer_of
from agentcal_langgraph.building import as_call

Close = Callable[[AIMessage, Frozen | None, Sequence[ToolCall]], TurnDecision]
"""Decides on what nobody has decided on: on these calls, or without any on the answer."""


class Item(NamedTuple):
    """One thing that has not happened yet.

    ``at``: the place of its decision. ``told``: where it is a structured response, the message in
    which the agent has been told of it. An answer in words is a call without an id.
    """

    at: int
    call: ToolCall
    decision: Decision
    told: ToolMessage | None = None

    @property
    def goes_out(self) -> bool:
        """Whether it is an answer to the user; nothing is run then."""
        return self.told is not None or self.call["id"] is None

    @property
    def decision_asked(self) -> Decision:
        """The decision as reviewers see it: what goes out to the user is an answer."""
        return self.decision.model_copy(update={"tool": None}) if self.goes_out else self.decision


class Held(NamedTuple):
    """A turn that must not go on as it is. ``items``: what the gate has to see to.

    ``others``: calls that may run. ``closed``: decisions that were only made now.
    """

    reply: AIMessage
    frozen: Frozen
    items: tuple[Item, ...]
    others: tuple[ToolCall, ...]
    closed: TurnDecision | None

    @property
    def verdict(self) -> Verdict:
        """The strictest."""
        return strictest(item.decision.verdict for item in self.items)

    @property
    def why(self) -> str:
        """The reason of the strictest."""
        verdict = self.verdict
        return next(i.decision.reason for i in self.items if i.decision.verdict is verdict)

    def of(self, verdict: Verdict) -> list[Item]:
        """The items with this verdict."""
        return [item for item in self.items if item.decision.verdict is verdict]


def held(state: Any, frozen: Frozen | None, close: Close) -> Held | None:
    """None where nothing is held up: all may proceed, or somebody has seen to it already."""
    messages: Sequence[AnyMessage] = state["messages"]
    reply = newest_reply(messages)
    if reply is None or (frozen is not None and (frozen.seen_to or not frozen.enforced)):
        return None
    told = _told_after(reply, messages)
    waiting = [call for call in reply.tool_calls if call["id"] not in told]
    structured = state.get("structured_response") is not None
    closed = None
    if frozen is None:
        new = waiting or (reply.tool_calls if structured else [])
        if reply.tool_calls and not new:
            return None  # others have answered every call: nothing is left to decide on
        closed = close(reply, None, new)
        ids = tuple(call["id"] or "" for call in new)
        frozen = Frozen(ids or ("",), closed, tuple(i for i in ids if i in told))
    elif new := [call for call in waiting if frozen.place(call) is None]:
        closed = close(reply, frozen, new)
        frozen = frozen.with_([call["id"] or "" for call in new], closed.decisions)
    items = [*_calls(frozen, waiting), *_answers(frozen, reply, told if structured else {})]
    acting = tuple(item for item in items if item.decision.acts and not frozen.lets_run(item.at))
    seen_to = {item.call["id"] for item in acting}
    others = tuple(call for call in waiting if call["id"] not in seen_to)
    return Held(reply, frozen, acting, others, closed) if acting else None


def _told_after(reply: AIMessage, messages: Sequence[AnyMessage]) -> dict[str, ToolMessage]:
    """Answers to the calls of the reply, by the id of the call."""
    after = messages[next(i for i, m in enumerate(messages) if m is reply) + 1 :]
    return {m.tool_call_id: m for m in after if isinstance(m, ToolMessage)}


def _calls(frozen: Frozen, waiting: Sequence[ToolCall]) -> list[Item]:
    places = [(frozen.place(call), call) for call in waiting]
    decisions = frozen.decision.decisions
    return [Item(at, call, decisions[at]) for at, call in places if at is not None]


def _answers(frozen: Frozen, reply: AIMessage, told: Mapping[str, ToolMessage]) -> list[Item]:
    """A structured response, or the words of a reply without calls, where they go to the user."""
    decisions = frozen.decision.decisions
    if not reply.tool_calls:
        strict = max(range(len(decisions)), key=lambda at: decisions[at].verdict.severity)
        return [Item(strict, as_call(answer_of(reply)), decisions[strict])]
    given = [call for call in reply.tool_calls if call["id"] in told and call["id"] in frozen.given]
    places = [(frozen.place(call), call) for call in given]
    return [
        Item(at, call, decisions[at], told[call["id"] or ""])
        for at, call in places
        if at is not None
    ]
