"""What a model said last, and what of it has not happened yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import uuid4

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolCall, ToolMessage

from agentcal_langgraph._messages import text_of

EDITS = "hitl_edited_tool_calls"
"""Where ``HumanInTheLoopMiddleware`` keeps what a reviewer made of a call, by the call's id."""

NUDGE = "agentcal"
"""The name of messages in which the gate speaks, where only a user's message can be given."""


class Proposal(NamedTuple):
    """A reply, the calls in it, and the places of those that have no result yet.

    ``calls`` are what would run: a reviewer of LangChain's may have changed what the model said.
    ``before`` is the conversation up to the reply. ``request`` names what the user asked for.
    A reply all of whose calls are garbled proposes nothing that could run: it is an answer.
    """

    message: AIMessage
    calls: list[ToolCall]
    before: Sequence[BaseMessage]
    request: str
    pending: frozenset[int]

    @property
    def text(self) -> str:
        """What the reply says."""
        return text_of(self.message.content)


def is_users(message: BaseMessage) -> bool:
    """Whether the user speaks, and not the gate."""
    return isinstance(message, HumanMessage) and message.name != NUDGE


def effective(call: ToolCall, edits: Any) -> ToolCall:
    """The call that ``HumanInTheLoopMiddleware`` will run in its place; see :data:`EDITS`."""
    edit = edits.get(call["id"]) if isinstance(edits, Mapping) else None
    if not isinstance(edit, Mapping):
        return call
    return {**call, "name": edit["name"], "args": edit["args"]}


def newest_proposal(messages: Any, edits: Any = None) -> Proposal | None:
    """The newest reply to the user's newest request, unless all its calls have results."""
    history = messages if isinstance(messages, list) else []
    answered: set[str] = set()
    for place in range(len(history) - 1, -1, -1):
        message = history[place]
        if isinstance(message, ToolMessage):
            answered.add(message.tool_call_id)
        elif isinstance(message, AIMessage):
            return _proposal(history, place, answered, edits)
        elif isinstance(message, BaseMessage) and is_users(message):
            return None
    return None


def with_reply(proposal: Proposal, reply: AIMessage) -> Proposal:
    """The same place in the conversation, with another reply under the same id."""
    message = reply.model_copy(update={"id": proposal.message.id or str(uuid4())})
    calls = message.tool_calls
    return proposal._replace(message=message, calls=calls, pending=frozenset(range(len(calls))))


def request_of(history: Sequence[Any]) -> str:
    """The id of the user's newest message; empty without one."""
    asked = (m for m in reversed(history) if isinstance(m, BaseMessage) and is_users(m))
    return next((str(m.id) for m in asked), "")


def _proposal(
    history: Sequence[Any], place: int, answered: set[str], edits: Any
) -> Proposal | None:
    message: AIMessage = history[place]
    calls = [effective(call, edits) for call in message.tool_calls]
    pending = frozenset(i for i, call in enumerate(calls) if call["id"] not in answered)
    if calls and not pending:
        return None
    before = history[:place]
    return Proposal(message, calls, before, request_of(before), pending)
