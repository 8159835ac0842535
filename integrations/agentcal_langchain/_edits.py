"""Whether a tool runs with other arguments than the model proposed."""

from __future__ import annotations

from langchain.agents.middleware import ToolCallRequest
from langchain_core.messages import AIMessage, ToolCall

# Where HumanInTheLoopMiddleware keeps what a reviewer changed, for middleware inside it.
_HITL_EDITS = "hitl_edited_tool_calls"


def was_edited(request: ToolCallRequest, proposed: ToolCall | None) -> bool:
    """By middleware around this one, or by a reviewer whom middleware inside it will obey.

    ``proposed`` is the call as the model made it; without it, as the state has it now.
    """
    call, state = request.tool_call, request.state
    if not isinstance(state, dict):
        return False
    if call["id"] in (state.get(_HITL_EDITS) or {}):
        return True
    original = proposed or _in_state(call, state.get("messages") or [])
    if original is None:
        return False
    return (original["name"], original["args"]) != (call["name"], call["args"])


def _in_state(call: ToolCall, messages: list[object]) -> ToolCall | None:
    newest = next((m for m in reversed(messages) if isinstance(m, AIMessage)), None)
    calls = [] if newest is None else newest.tool_calls
    return next((found for found in calls if found["id"] == call["id"]), None)
