"""Messages on events: of spans, as the conventions once had it, and of log records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from agentcal._fields import as_text
from agentcal.telemetry import _names as n
from agentcal.telemetry import _names_in as i
from agentcal.telemetry._dialects._chat import chat_messages, one_reply
from agentcal.telemetry._dialects._values import fields, listed, opened, plain
from agentcal.telemetry._raw import RawEvent
from agentcal.telemetry._span import Chat


@dataclass(slots=True)
class Content:
    """What went into a model and came out; ``messages`` is ``None`` where no event says."""

    messages: list[Chat] | None = None
    reply: Chat | None = None
    system: str = ""
    tools: list[Any] = field(default_factory=list)

    def hear(self, message: Mapping[str, Any]) -> None:
        """One more message that went in."""
        self.messages = [*(self.messages or []), *chat_messages([dict(message)])]


def content_of(events: Iterable[RawEvent]) -> Content:
    """The content on events, in the order of their times."""
    found = Content()
    for event in sorted(events, key=lambda event: event.time_ns):
        name = event.name or as_text(event.attributes.get(i.EVENT_NAME))
        told = _told(event)
        if name in i.MESSAGE_EVENTS:
            found.hear({"role": i.MESSAGE_EVENTS[name], **told})
        elif name == i.CHOICE_EVENT:
            found.reply = found.reply or _choice(told)
        elif name == i.DETAILS_EVENT:
            _details(found, event.attributes)
        elif name == i.PROMPT_EVENT:
            for message in listed(opened(event.attributes.get(i.PROMPT))):
                found.hear(fields(message))
        elif name == i.COMPLETION_EVENT:
            put_out = chat_messages(opened(event.attributes.get(i.COMPLETION)))
            found.reply = found.reply or one_reply(put_out)
    return found


def _told(event: RawEvent) -> dict[str, Any]:
    """What the event holds: the body of a log record, JSON in one attribute, or attributes."""
    for holder in (event.body, event.attributes.get(i.EVENT_CONTENT)):
        found = opened(holder)
        if isinstance(found, dict):
            return found
    values = {key: opened(value) for key, value in event.attributes.items() if "." not in key}
    content = event.attributes.get("content")
    return {**values, **({} if content is None else {"content": plain(content)})}


def _choice(told: dict[str, Any]) -> Chat | None:
    message = opened(told.get("message"))
    inner = message if isinstance(message, dict) else told
    if isinstance(message, str):
        inner = {"content": message}
    outer = {"tool_calls": told["tool_calls"]} if "tool_calls" in told else {}
    return one_reply(chat_messages([{**outer, **inner, "role": "assistant"}]))


def _details(found: Content, attributes: Mapping[str, Any]) -> None:
    given = opened(attributes.get(n.INPUT_MESSAGES))
    if given is not None:
        found.messages = chat_messages(given)
    put_out = chat_messages(opened(attributes.get(n.OUTPUT_MESSAGES)))
    found.reply = found.reply or one_reply(put_out)
    parts = opened(attributes.get(n.SYSTEM_INSTRUCTIONS))
    if isinstance(parts, list):
        found.system = "\n".join(as_text(fields(part).get("content")) for part in parts)
    found.tools = found.tools or listed(opened(attributes.get(n.TOOL_DEFINITIONS)))
