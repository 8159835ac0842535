"""The OpenTelemetry GenAI conventions, current and as they were."""

from __future__ import annotations

from typing import Any, ClassVar

from agentcal._fields import as_text
from agentcal.telemetry import _names as n
from agentcal.telemetry import _names_in as i
from agentcal.telemetry._dialects._base import bare
from agentcal.telemetry._dialects._chat import chat_messages, one_reply
from agentcal.telemetry._dialects._events import Content, content_of
from agentcal.telemetry._dialects._indexed import indexed
from agentcal.telemetry._dialects._langchain import answer_within, answered
from agentcal.telemetry._dialects._values import Values, fields, listed
from agentcal.telemetry._raw import RawSpan
from agentcal.telemetry._span import Kind, SpanFacts

_CHOICES = "gen_ai.request.choice.count"


class GenAI:
    """``gen_ai.*``: messages as JSON, numbered attributes, span events or log records."""

    name: ClassVar[str] = "genai"

    def speaks(self, span: RawSpan) -> bool:
        """Any attribute of the conventions."""
        return any(key.startswith("gen_ai.") for key in span.attributes) or (
            i.REQUEST_TYPE in span.attributes
        )

    def read(self, span: RawSpan) -> SpanFacts:
        """Read the attributes, and the messages wherever they are."""
        values = Values(span.attributes)
        facts = bare(span, self.name)
        facts.kind = kind_of(values)
        facts.name = values.text(n.TOOL_NAME) if facts.kind == "tool" else ""
        facts.conversation = values.name(n.CONVERSATION_ID, i.SESSION_ID)
        facts.agent = agent_name(values)
        facts.system = system_text(values)
        facts.tools = tools(values)
        if facts.kind == "tool":
            _tool(facts, values)
        elif facts.kind in ("model", "agent"):
            _content(facts, values, content_of(span.events))
            facts.asked = _model(values, n.REQUEST_MODEL)
        if facts.kind == "model":
            facts.model = _model(values, i.RESPONSE_MODEL, n.REQUEST_MODEL)
            facts.usage = values.usage(i.INPUT_TOKENS, i.OUTPUT_TOKENS, i.REASONING_TOKENS)
        facts.cut_off += values.cut_off
        return facts


def kind_of(values: Values) -> Kind:
    """By the name of the operation; before there was one, by what else there is."""
    operation = values.text(n.OPERATION_NAME)
    if operation in i.MODEL_OPERATIONS:
        return "model"
    if operation in i.AGENT_OPERATIONS:
        return "agent"
    if operation == n.EXECUTE_TOOL or (not operation and values.get(n.TOOL_NAME)):
        return "tool"
    if operation == i.TL_TASK:
        return "chain"
    asked = values.get(i.REQUEST_TYPE)
    if operation or (asked is not None and asked not in i.MODEL_REQUESTS):
        return "other"
    return "model" if asked or values.get(n.REQUEST_MODEL, i.RESPONSE_MODEL) else "other"


def agent_name(values: Values) -> str | None:
    """The agent, or the workflow; LangGraph calls graphs by its own name that have none."""
    name = values.name(n.AGENT_NAME, i.WORKFLOW_NAME)
    return None if name == i.LC_UNNAMED else name


def _model(values: Values, *names: str) -> str | None:
    """The first model that is named."""
    found = (values.name(name) for name in names)
    return next((name for name in found if name and name != i.UNKNOWN), None)


def system_text(values: Values) -> str:
    """The instructions, which are text or parts of a message."""
    found = values.either(n.SYSTEM_INSTRUCTIONS)
    if not isinstance(found, list):
        return as_text(found)
    parts = (fields(part) for part in found)
    return "\n".join(as_text(part.get("content", part.get("text"))) for part in parts)


def tools(values: Values) -> list[Any]:
    """The declarations of the tools that were offered."""
    found = listed(values.json(n.TOOL_DEFINITIONS)) or indexed(values.attributes, i.FUNCTIONS)
    return [_declared(tool) for tool in found]


def _declared(tool: Any) -> Any:
    """Older tracers keep the parameters of a tool as text."""
    if isinstance(tool, dict) and isinstance(tool.get("parameters"), str):
        return {**tool, "parameters": Values(tool).json("parameters")}
    return tool


def _content(facts: SpanFacts, values: Values, told: Content) -> None:
    given = values.json(n.INPUT_MESSAGES)
    if given is None:
        given = indexed(values.attributes, i.PROMPT) or values.either(i.PROMPT)
    facts.messages = told.messages if given is None else chat_messages(given)
    put_out = values.json(n.OUTPUT_MESSAGES)
    if put_out is None:
        numbered = indexed(values.attributes, i.COMPLETION)
        put_out = [{"role": "assistant", **fields(one)} for one in numbered]
    choices = values.count(_CHOICES) or 1
    facts.reply = one_reply(chat_messages(put_out), choices=choices) or told.reply
    facts.system = facts.system or told.system
    facts.tools = facts.tools or told.tools


def _tool(facts: SpanFacts, values: Values) -> None:
    facts.call_id = values.text(n.TOOL_CALL_ID)
    arguments = values.either(n.TOOL_ARGUMENTS, i.PYDANTIC_ARGUMENTS)
    facts.arguments = arguments if isinstance(arguments, dict) else None
    names = (n.TOOL_RESULT, i.PYDANTIC_RESULT)
    result = values.either(*names)
    answer = answer_within(result, facts.call_id)
    if answer is not None:
        answered(facts, answer)
    elif result is not None:
        facts.result = values.text(*names)
