"""What is known of a run before its first turn: who was asked what, with which tools."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import JsonValue

from agentcal.formats import Context
from agentcal.formats.parts import declarations
from agentcal.telemetry._forest import RunSpans
from agentcal.telemetry._heard import leading_system, newest_request, task_in
from agentcal.telemetry._span import Chat, SpanFacts
from agentcal.trajectory import ToolDeclaration, Trajectory, tool_fact

_NS = 1e-9


def head_of(run: RunSpans, spans: list[SpanFacts], context: Context) -> Trajectory:
    """The run without its steps. ``spans`` are those that count, in the order of their ends."""
    models = sorted((s for s in spans if s.kind == "model"), key=lambda s: (s.start_ns, s.span_id))
    root = run.root
    told = next((span.told for span in [root, *spans] if span is not None and span.told), None)
    asking = [span for span in (root, *_agents(spans)) if span is not None]
    offered = _tools([*models, *asking], context)
    told_by = {tool_fact(tool): by for tool, by in offered.values()}
    told_by["system"] = [span for span in [*models, *asking] if _prompt(span, context)]
    return Trajectory(
        run_id=(told.run_id if told else "") or f"{spans[0].trace_id}-{run.key}",
        conversation=conversation_of(run),
        group=_first(span.told.group for span in spans if span.told),
        family=_first(span.told.family for span in spans if span.told),
        agent=_agent(asking, models),
        model=_first(span.asked or span.model for span in [*asking, *models]),
        task=_task(asking, models, context),
        system=_system(asking, models, context),
        tools=[tool for tool, _ in offered.values()],
        known_after=_known_after(told_by, models),
        started_at=datetime.fromtimestamp(run.start_ns * _NS, UTC),
        metadata=_metadata(spans),
    )


def conversation_of(run: RunSpans) -> str | None:
    """The thread or session that a run belongs to; the outermost span that names one counts."""
    line = [run.root, *_agents(run.spans), *run.spans]
    found: str | None = _first(span.conversation for span in line if span is not None)
    return found


def _agents(spans: list[SpanFacts]) -> list[SpanFacts]:
    """Spans of agents and chains, the outermost first as far as times tell."""
    found = [span for span in spans if span.kind in ("agent", "chain")]
    return sorted(found, key=lambda span: (span.start_ns, -span.end_ns, span.span_id))


def _first(values: Any) -> Any:
    return next((value for value in values if value), None)


def _agent(asking: list[SpanFacts], models: list[SpanFacts]) -> str | None:
    """Who was asked: the agent of the root, or what the root is called."""
    named: str | None = _first(span.agent for span in [*asking[:1], *models])
    return named or _first(span.name for span in asking[:1])


def _task(asking: list[SpanFacts], models: list[SpanFacts], context: Context) -> str:
    """The request as it came in; without it, what a user said last to the first model."""
    for span in [*asking, *models[:1]]:
        asked = newest_request(span.messages or [])
        if asked:
            return task_in(asked, context)
    return ""


def _system(asking: list[SpanFacts], models: list[SpanFacts], context: Context) -> str:
    """The prompt of the first model turn that has one."""
    return next(filter(None, (_prompt(span, context) for span in [*models, *asking])), "")


def _prompt(span: SpanFacts, context: Context) -> str:
    return span.system or leading_system(span.messages or [], context)


def _tools(
    spans: list[SpanFacts], context: Context
) -> dict[str, tuple[ToolDeclaration, list[SpanFacts]]]:
    """The tools that the agents of the run were offered, by name, and the spans that say so."""
    found: dict[str, tuple[ToolDeclaration, list[SpanFacts]]] = {}
    last = None
    for span in spans:
        if span.tools != last:  # it is the same list turn after turn
            last = span.tools
            for tool in declarations(span.tools, context):
                found.setdefault(tool.name, (tool, []))[1].append(span)
    return found


def _known_after(told: Mapping[str, list[SpanFacts]], models: list[SpanFacts]) -> dict[str, int]:
    """Facts that no span tells before the first turn ends, with the index of the newest turn then.

    ``told``: the spans that tell each fact; ``models``: the turns.
    """
    ends = sorted(span.end_ns for span in models)
    first = {fact: min(s.start_ns for s in spans) for fact, spans in told.items() if spans}
    turns = {fact: bisect_right(ends, start) for fact, start in first.items()}
    return {fact: count - 1 for fact, count in turns.items() if count}


def _metadata(spans: list[SpanFacts]) -> dict[str, JsonValue]:
    """Where the run comes from, to find it again; no feature looks at it."""
    told: dict[str, JsonValue] = {"trace_id": spans[0].trace_id}
    service = _first(span.service for span in spans)
    telling = [span for span in spans if span.kind == "model"] or spans
    dialects = sorted({span.dialect for span in telling if span.dialect})
    return told | ({"service": service} if service else {}) | {"dialect": "+".join(dialects)}


def asked_again(messages: list[Chat] | None) -> bool:
    """Whether a user said something in this input."""
    return any(message["role"] == "user" for message in messages or ())
