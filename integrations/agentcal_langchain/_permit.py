"""Whether a call may run: the last word, right before the tool."""

from __future__ import annotations

from typing import Any, NamedTuple, cast

from langchain.agents.middleware import ToolCallRequest

from agentcal.policy import Decision
from agentcal_langchain._following import Tool
from agentcal_langchain._frozen import Frozen, call_in, frozen_for, newest_reply
from agentcal_langgraph.building import Answer, annotated

UNDECIDED = "nothing was decided about this when it was proposed"


class Permit(NamedTuple):
    """``request``: what is to run; None: nothing, because of ``why``.

    ``decision``: the one by which it runs, where that was to be enforced; ``key``: its key, that of
    the changed call where a reviewer has changed it (``edited``).
    """

    request: ToolCallRequest | None
    why: str = ""
    decision: Decision | None = None
    key: str = ""
    edited: bool = False

    def told(self, output: Tool) -> Tool:
        """The result as the agent gets to read it."""
        if self.request is None or not self.edited:
            return output
        return cast("Tool", annotated(output, self.request.tool_call, "messages"))


def permit(request: ToolCallRequest, name: str, *, enforces: bool) -> Permit:
    """By what the middleware of this name has frozen; ``enforces``: without that, nothing runs.

    What counts is the call as the model's message has it. Code of the user's, and reviewers, may
    run it with other arguments.
    """
    state = request.state if isinstance(request.state, dict) else {}
    reply = newest_reply(state.get("messages") or [])
    frozen = frozen_for(state, reply, name)
    if frozen is None:
        return Permit(None, UNDECIDED) if enforces else Permit(request)
    if not frozen.enforced:
        return Permit(request)
    call = call_in(reply, request.tool_call["id"])
    at = None if call is None else frozen.place(call)
    return Permit(None, UNDECIDED) if at is None else _decided(request, frozen, at)


def _decided(request: ToolCallRequest, frozen: Frozen, at: int) -> Permit:
    if not frozen.lets_run(at):
        return Permit(None, frozen.decision.decisions[at].reason)
    decision, answer = frozen.decision.decisions[at], frozen.answers.get(at)
    if answer is None or answer.type != "edit":
        return Permit(request, decision=decision, key=decision.key)
    edited = _edited(request, answer)
    if edited is None:
        return Permit(None, f"a reviewer changed this to {answer.name}, which is not a tool here")
    key = frozen.key(at, edited.tool_call)
    return Permit(edited, decision=decision, key=key, edited=True)


def _edited(request: ToolCallRequest, answer: Answer) -> ToolCallRequest | None:
    call: Any = {**request.tool_call, "name": answer.name, "args": answer.args}
    if answer.name == request.tool_call["name"]:
        return request.override(tool_call=call)
    known = {tool.name: tool for tool in request.runtime.tools}
    if answer.name not in known:
        return None
    return request.override(tool_call=call, tool=known[answer.name])
