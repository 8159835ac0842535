"""Whether a tool runs with other arguments than the model proposed."""

from __future__ import annotations

from langchain.agents.middleware import ToolCallRequest
from langchain_core.messages import AIMessage

# Where HumanInTheLoopMiddleware keeps what a reviewer changed, for middleware inside it.
_HITL_EDITS = "hitl_edited_tool_calls"


def was_edited(request: ToolCallRequest) -> bool:
    """By middleware around this one, or by a reviewer whom middleware inside it will obey."""
    call, state = request.tool_call, request.state
    if not isinstance(state, dict):
        return False
    if call["id"] in (state.get(_HITL_EDITS) or {}):
        return True
    for message in reversed(state.get("messages") or []):
        if isinstance(message, AIMessage):
            proposed = next((c for c in message.tool_calls if c["id"] == call["id"]), None)
            return proposed is not None and (proposed["name"], proposed["args"]) != (
                call["name"],
                call["args"],
            )
    return False
