"""OpenInference, as the instrumentors of Arize write it."""

from __future__ import annotations

from typing import Any, ClassVar, cast

from agentcal._fields import as_text
from agentcal.formats import langchain_decisions
from agentcal.telemetry import _names_in as i
from agentcal.telemetry._dialects._base import bare
from agentcal.telemetry._dialects._chat import chat_messages, one_reply
from agentcal.telemetry._dialects._indexed import indexed
from agentcal.telemetry._dialects._langchain import (
    answer_to_interrupt,
    answer_within,
    answered,
    first_generation,
    from_langchain,
    messages_within,
    shown_to_model,
)
from agentcal.telemetry._dialects._values import Values, fields, listed
from agentcal.telemetry._raw import RawSpan
from agentcal.telemetry._span import Chat, Kind, SpanFacts


class OpenInference:
    """``openinference.span.kind`` with ``llm.*``, ``tool.*``, ``input.value``, ``output.value``."""

    name: ClassVar[str] = "openinference"

    def speaks(self, span: RawSpan) -> bool:
        """The kind of span is required of every span of theirs."""
        return i.OI_KIND in span.attributes

    def read(self, span: RawSpan) -> SpanFacts:
        """Read the attributes, and what LangChain left in the values of input and output."""
        values = Values(span.attributes)
        facts = bare(span, self.name)
        about = fields(values.json(i.OI_METADATA))
        kind = as_text(values.get(i.OI_KIND)).upper()
        facts.kind = cast(Kind, i.OI_KINDS.get(kind, "other"))
        if facts.kind == "agent" and about.get(i.LC_NODE) == span.name:
            facts.kind = "chain"  # a node that happens to be called "agent" is labelled as one
        facts.conversation = values.name(i.SESSION_ID) or _first(about, i.LC_CONVERSATIONS)
        facts.agent = values.name(i.OI_AGENT) or _first(about, (i.LC_AGENT,))
        if facts.kind == "agent":
            facts.agent = facts.agent or span.name
        facts.place = _first(about, (i.LC_PLACE,))
        if facts.kind == "model":
            _model(facts, values)
            facts.asked = _first(about, (i.LC_MODEL,)) or facts.asked
        elif facts.kind == "tool":
            _tool(facts, values, span.name)
        elif facts.kind in ("agent", "chain"):
            _chain(facts, values)
            facts.name = span.name if span.name != i.LC_UNNAMED else ""
        facts.cut_off += values.cut_off
        return facts


def _first(about: dict[str, Any], names: tuple[str, ...]) -> str | None:
    return next((as_text(about[name]) for name in names if about.get(name)), None)


def _model(facts: SpanFacts, values: Values) -> None:
    put_out = values.either(i.OI_OUTPUT)
    attributes = values.attributes
    facts.messages = chat_messages(indexed(attributes, i.OI_INPUT_MESSAGES)) or None
    if facts.messages is None:
        facts.messages = shown_to_model(values.either(i.OI_INPUT))
    numbered = one_reply(chat_messages(indexed(attributes, i.OI_OUTPUT_MESSAGES)))
    facts.reply = first_generation(put_out) or _choice(put_out) or numbered
    asked = fields(values.json(i.OI_PARAMETERS))
    declared = [fields(tool).get("tool") for tool in indexed(attributes, i.OI_TOOLS)]
    schemas = [Values(fields(tool)).json("json_schema") for tool in declared]
    facts.tools = [tool for tool in schemas if tool] or listed(asked.get("tools"))
    facts.model = values.name(i.OI_MODEL)
    facts.asked = _first(asked, ("model", "model_name"))
    facts.usage = values.usage(
        (i.OI_PROMPT_TOKENS,), (i.OI_COMPLETION_TOKENS,), (i.OI_REASONING_TOKENS,)
    )


def _choice(put_out: Any) -> Chat | None:
    """The answer of a provider as it came: ``{"choices": [{"message", "logprobs"}]}``."""
    choices = listed(fields(put_out).get("choices"))
    choice = fields(choices[0]) if choices else {}
    found = one_reply(chat_messages([{"role": "assistant", **fields(choice.get("message"))}]))
    if not choice or found is None:
        return None
    return {**found, "logprobs": choice.get("logprobs"), "usage": fields(put_out).get("usage")}


def _tool(facts: SpanFacts, values: Values, called: str) -> None:
    facts.name = values.text(i.OI_TOOL_NAME) or called
    given = values.either(i.OI_INPUT, i.OI_TOOL_PARAMETERS)
    facts.arguments = given if isinstance(given, dict) else None
    facts.argument = given if isinstance(given, str) else None
    facts.call_id = values.text(*i.OI_TOOL_IDS)
    put_out = values.either(i.OI_OUTPUT)
    answer = answer_within(put_out, facts.call_id)
    if answer is not None:
        answered(facts, answer)
    elif put_out is not None:
        facts.result = values.text(i.OI_OUTPUT)


def _chain(facts: SpanFacts, values: Values) -> None:
    given, put_out = values.either(i.OI_INPUT), values.either(i.OI_OUTPUT)
    answer = answer_to_interrupt(given)
    facts.resumes, facts.decisions = answer is not None, langchain_decisions(answer)
    facts.messages = _given(given)
    facts.passed_on = messages_within(put_out)
    facts.reply = next((c for c in reversed(facts.passed_on) if c["role"] == "assistant"), None)


def _given(value: Any) -> list[Chat] | None:
    """What a graph or an agent was asked: messages of either shape, or plain text."""
    messages = fields(value).get("messages")
    if isinstance(messages, list):
        return [
            chat
            for message in messages
            for chat in (from_langchain(message) or chat_messages([message]))
        ]
    return [{"role": "user", "content": value}] if isinstance(value, str) and value else None
