"""OpenLLMetry, the instrumentors of Traceloop: GenAI conventions and attributes of their own."""

from __future__ import annotations

from typing import Any, ClassVar, cast

from agentcal._fields import as_text
from agentcal.formats import langchain_decisions
from agentcal.telemetry import _names as n
from agentcal.telemetry import _names_in as i
from agentcal.telemetry._dialects._chat import chat_messages
from agentcal.telemetry._dialects._genai import GenAI, agent_name
from agentcal.telemetry._dialects._langchain import (
    answer_to_interrupt,
    answer_within,
    answered,
    from_langchain,
    messages_within,
)
from agentcal.telemetry._dialects._values import Values, fields, listed, opened
from agentcal.telemetry._raw import RawSpan
from agentcal.telemetry._span import Chat, Kind, SpanFacts

_GENAI = GenAI()


class OpenLLMetry:
    """``traceloop.*`` around ``gen_ai.*``. What a tool was given and gave is wrapped once more."""

    name: ClassVar[str] = "openllmetry"

    def speaks(self, span: RawSpan) -> bool:
        """Any attribute of Traceloop's own."""
        return any(key.startswith(i.TL_PREFIX) for key in span.attributes)

    def read(self, span: RawSpan) -> SpanFacts:
        """Read what the conventions say, then what is wrapped in inputs and outputs."""
        values = Values(span.attributes)
        facts = _GENAI.read(span)
        facts.dialect = self.name
        kind = i.TL_KINDS.get(values.text(i.TL_KIND))
        if kind is not None and facts.kind in ("other", "chain"):
            facts.kind = cast(Kind, kind)
        agent = values.name(i.TL_PROPERTIES + i.LC_AGENT)
        facts.agent = agent_name(values) or agent
        talks = [i.TL_PROPERTIES + name for name in i.LC_CONVERSATIONS]
        facts.conversation = facts.conversation or values.name(*talks)
        facts.place = values.name(i.TL_PROPERTIES + i.LC_PLACE)
        if facts.kind == "tool":
            _tool(facts, values)
        elif facts.kind in ("agent", "chain"):
            _chain(facts, values)
            named = values.text(i.TL_NAME)
            facts.name = named if named != i.LC_UNNAMED else ""
        elif facts.kind == "model":
            facts.asked = facts.asked or values.name(i.TL_PROPERTIES + i.LC_MODEL)
        facts.cut_off += values.cut_off
        return facts


def _tool(facts: SpanFacts, values: Values) -> None:
    facts.name = facts.name or values.text(i.TL_NAME)
    given = fields(values.either(i.TL_INPUT, n.TOOL_ARGUMENTS))
    inner = given.get("inputs", given.get("kwargs") if "args" in given else None)
    facts.arguments = inner if isinstance(inner, dict) else _loose(given)
    facts.call_id = facts.call_id or as_text(fields(given.get("kwargs")).get("tool_call_id"))
    put_out = values.either(i.TL_OUTPUT, n.TOOL_RESULT)
    answer = fields(put_out).get("output", put_out)
    message = answer_within(answer, facts.call_id)
    if message is not None:
        answered(facts, message)
    else:
        facts.result = None if put_out is None else as_text(answer)


def _loose(given: dict[str, Any]) -> dict[str, Any] | None:
    """Arguments that stand for themselves, or the text that LangChain made of them."""
    written = opened(given.get("input_str")) if "input_str" in given else given
    return written if isinstance(written, dict) and written else None


def _chain(facts: SpanFacts, values: Values) -> None:
    given = values.either(i.TL_INPUT)
    asked = fields(given).get("inputs", given)
    answer = answer_to_interrupt(asked)
    facts.resumes, facts.decisions = answer is not None, langchain_decisions(answer)
    facts.messages = facts.messages or _asked(asked)
    facts.passed_on = messages_within(fields(values.either(i.TL_OUTPUT)).get("outputs"))
    facts.reply = facts.reply or next(
        (chat for chat in reversed(facts.passed_on) if chat["role"] == "assistant"), None
    )


def _asked(value: Any) -> list[Chat] | None:
    messages = listed(fields(value).get("messages"))
    found = [c for m in messages for c in (from_langchain(m) or chat_messages([m]))]
    return found or None
