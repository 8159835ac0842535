"""What takes the place of a result, for calls that do not run."""

from __future__ import annotations

from typing import Literal

from langchain_core.messages import ToolCall, ToolMessage

from agentcal_langgraph.building import Answer, ended, lost, rejected, unsure


def check_first(call: ToolCall, why: str) -> ToolMessage:
    """The agent has to check before this runs."""
    return _result(call, unsure(why))


def stopped(call: ToolCall, why: str) -> ToolMessage:
    """The run is over."""
    return _result(call, ended(why))


def refused(call: ToolCall, why: str) -> ToolMessage:
    """Nobody has said that this may run."""
    return _result(call, f"Not run: {why}.")


def reviewed(call: ToolCall, answer: Answer) -> ToolMessage:
    """What a reviewer said instead of letting it run."""
    if answer.type == "respond":
        return _result(call, answer.message, "success")
    return _result(call, rejected(answer))


def in_doubt(call: ToolCall, answer: Answer) -> ToolMessage:
    """What a reviewer said about a call that may have run."""
    if answer.type == "respond":
        return _result(call, answer.message, "success")
    return _result(call, lost(answer))


def _result(
    call: ToolCall, text: str, status: Literal["success", "error"] = "error"
) -> ToolMessage:
    return ToolMessage(text, name=call["name"], tool_call_id=call["id"] or "", status=status)
