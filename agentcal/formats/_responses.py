"""Items of the OpenAI Responses API: logged requests with their output, or whole Responses."""

from __future__ import annotations

from typing import Any, ClassVar

from agentcal._fields import name_of
from agentcal.formats._chat import Conversation
from agentcal.formats._format import Context, Record
from agentcal.formats._record import to_run
from agentcal.formats._responses_items import Turns
from agentcal.formats._shapes import is_item, is_message, speaks_responses
from agentcal.trajectory import EndReason, Trajectory

_USED = frozenset({"input", "output", "items", "instructions", "usage", "response", "object"})
_ENDS: dict[Any, EndReason] = {
    "failed": "error",
    "incomplete": "interrupted",
    "cancelled": "cancelled",
}


class Responses:
    """``{"input": ..., "output": [...]}``, ``{"items": [...]}``, a bare list, or a whole Response.

    Items say nothing of turns. A turn is what the model said until something came back from
    outside; a call that the provider ran itself, such as ``web_search_call``, has its result at
    once, so that what follows it is the next turn.
    """

    name: ClassVar[str] = "responses"
    about: ClassVar[str] = 'OpenAI Responses: {"input": [...], "output": [{"type": "message"}]}'

    def sniff(self, record: Record) -> bool:
        """Items that no chat log has."""
        if isinstance(record, list):
            return any(map(speaks_responses, record))
        items = record.get("items")
        if isinstance(items, list):
            return any(map(speaks_responses, items)) or (
                bool(items) and all(map(is_message, items))
            )
        return _is_output(record) or _is_output(record.get("response"), request=record)

    def read(self, record: Record, context: Context) -> Trajectory:
        """Read the items as turns; unknown fields beside them become metadata."""
        fields = _opened(record)
        turns = Turns(context)
        if isinstance(fields.get("instructions"), str):
            turns.add({"role": "system", "content": fields["instructions"]})
        turns.extend(_request(fields.get("input")))
        turns.extend(fields.get("items"))
        turns.extend(fields.get("output"), usage=fields.get("usage"))
        run = to_run(
            _with_named_tools(fields), Conversation(turns.chat, context), context, used=_USED
        )
        told = _ENDS.get(name_of(fields.get("status")))
        return run.model_copy(update={"end_reason": told}) if told else run


def _is_output(value: Any, request: Any = None) -> bool:
    """Whether this holds the output of a model, beside its input or as a Response does."""
    output = value.get("output") if isinstance(value, dict) else None
    if not isinstance(output, list) or not all(map(is_item, output)):
        return False
    asked = "input" in value or (isinstance(request, dict) and "input" in request)
    return asked or value.get("object") == "response" or any(map(speaks_responses, output))


def _opened(record: Record) -> dict[str, Any]:
    """The fields of request and response on one level; what the log itself says wins."""
    if isinstance(record, list):
        return {"items": record}
    response = record.get("response")
    inner = response if isinstance(response, dict) else {}
    fields = {**inner, **record}
    if "started_at" not in fields:
        fields["started_at"] = fields.pop("created_at", None)
    return fields


def _request(value: Any) -> Any:
    return [{"role": "user", "content": value}] if isinstance(value, str) else value


def _with_named_tools(fields: dict[str, Any]) -> dict[str, Any]:
    """Tools that the provider runs are declared by type alone."""
    tools = fields.get("tools")
    if not isinstance(tools, list):
        return fields
    return {**fields, "tools": [_named(tool) for tool in tools]}


def _named(tool: Any) -> Any:
    bare = isinstance(tool, dict) and "name" not in tool and "function" not in tool
    return {**tool, "name": tool.get("server_label", tool.get("type"))} if bare else tool
