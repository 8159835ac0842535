"""The three spans of a run, with the names and attributes of the GenAI conventions."""

from __future__ import annotations

from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer
from opentelemetry.util.types import AttributeValue

from agentcal.recorder import RunInfo
from agentcal.telemetry import _content
from agentcal.telemetry import _names as n
from agentcal.telemetry._content import Said
from agentcal.telemetry._moments import ToolUse, Turn
from agentcal.telemetry._open import OpenRun
from agentcal.trajectory import Intervention, Message, Step, Trajectory

Attributes = dict[str, AttributeValue]

_FAILED = {"error", "max_steps"}


class Spans:
    """Makes the spans; ``content`` says whether what was said may be on them."""

    def __init__(self, tracer: Tracer, content: bool) -> None:
        self._tracer = tracer
        self.content = content

    def agent(self, run: RunInfo, seen: OpenRun) -> Span:
        """The span of the whole run, open."""
        attributes = _common(n.INVOKE_AGENT, run, run.agent)
        if run.model:
            attributes[n.REQUEST_MODEL] = run.model
        if seen.resumed:
            attributes[n.RESUMED] = True
        return self._tracer.start_span(
            _titled(n.INVOKE_AGENT, run.agent),
            seen.context,
            SpanKind.INTERNAL,
            attributes,
            () if seen.link is None else (seen.link,),
            seen.started_ns,
        )

    def chat(self, turn: Turn, context: Context, heard: list[Said]) -> Span:
        """The span of one model turn, open so that an event can be put on it."""
        step = turn.step
        attributes = _common(n.CHAT, turn.run, turn.agent) | _usage(step)
        attributes[n.TURN] = turn.number
        if turn.model:
            attributes[n.REQUEST_MODEL] = turn.model
        if step.tool_calls:
            attributes[n.FINISH_REASONS] = ["tool_call"]
        if step.stated_confidence is not None:
            attributes[n.STATED_CONFIDENCE] = step.stated_confidence
        span = self._tracer.start_span(
            _titled(n.CHAT, turn.model),
            context,
            SpanKind.CLIENT,
            attributes,
            start_time=turn.start_ns,
        )
        if self.content and span.is_recording():
            span.set_attributes(_spoken(step, heard))
        return span

    def tool(self, use: ToolUse, context: Context) -> Span:
        """The span of a tool that ran, open so that an event can be put on it."""
        call = use.call
        attributes = _common(n.EXECUTE_TOOL, use.run, use.run.agent)
        attributes |= {n.TOOL_NAME: call.name, n.TOOL_TYPE: "function", n.TURN: use.turn}
        attributes |= {n.POSITION: use.position, n.CALL_STATUS: call.status}
        if call.id:
            attributes[n.TOOL_CALL_ID] = call.id
        name, failed = _titled(n.EXECUTE_TOOL, call.name), call.status == "error"
        if failed:
            attributes[n.ERROR_TYPE] = "tool_error"
        span = self._tracer.start_span(
            name, context, SpanKind.INTERNAL, attributes, start_time=use.start_ns
        )
        if self.content and span.is_recording():
            span.set_attribute(n.TOOL_ARGUMENTS, _content.arguments(call))
            span.set_attribute(n.TOOL_RESULT, call.result or "")
        if failed:
            span.set_status(Status(StatusCode.ERROR))
        return span

    def finish(
        self, span: Span, run: RunInfo, trajectory: Trajectory, scores: Attributes, end_ns: int
    ) -> None:
        """Close the span of a run with what is known at its end."""
        if span.is_recording():
            span.update_name(_titled(n.INVOKE_AGENT, run.agent))
            span.set_attributes(_ending(run, trajectory) | scores)
            if self.content:
                span.set_attributes(_whole(trajectory))
            for stepped_in in trajectory.interventions:
                noted = _stepped_in(stepped_in, content=self.content)
                span.add_event(n.INTERVENTION, noted, end_ns)
            if trajectory.end_reason in _FAILED:
                span.set_status(Status(StatusCode.ERROR))
        span.end(end_ns)

    def pause(self, span: Span, end_ns: int) -> None:
        """Close the span of a run that waits for somebody: not an error."""
        span.set_attributes({n.INTERRUPTED: True, n.END_REASON: "interrupted"})
        span.end(end_ns)


def _titled(operation: str, of: str | None) -> str:
    return f"{operation} {of}" if of else operation


def _common(operation: str, run: RunInfo, agent: str | None) -> Attributes:
    attributes: Attributes = {n.OPERATION_NAME: operation, n.RUN_ID: run.run_id}
    if agent:
        attributes[n.AGENT_NAME] = agent
    if run.conversation is not None:
        attributes[n.CONVERSATION_ID] = run.conversation
    return attributes


def _usage(step: Step) -> Attributes:
    used = step.usage
    if used is None:
        return {}
    counts = {
        n.INPUT_TOKENS: used.input_tokens,
        n.OUTPUT_TOKENS: used.output_tokens,
        n.REASONING_TOKENS: used.reasoning_tokens,
    }
    return {name: count for name, count in counts.items() if count is not None}


def _spoken(step: Step, heard: list[Said]) -> Attributes:
    messages = heard + _content.said(step.inputs)
    attributes: Attributes = {n.OUTPUT_MESSAGES: _content.dumps(_content.replied(step))}
    if messages:
        attributes[n.INPUT_MESSAGES] = _content.dumps(messages)
    if step.logprobs is not None:
        attributes[n.LOGPROBS] = _content.logprobs(step.logprobs)
    return attributes


def _ending(run: RunInfo, trajectory: Trajectory) -> Attributes:
    attributes = _common(n.INVOKE_AGENT, run, run.agent)
    attributes |= {n.END_REASON: trajectory.end_reason, n.TURNS: len(trajectory.steps)}
    if trajectory.group is not None:
        attributes[n.GROUP] = trajectory.group
    if trajectory.family is not None:
        attributes[n.FAMILY] = trajectory.family
    if trajectory.gaps:
        attributes[n.GAPS] = list(trajectory.gaps)
    if trajectory.known_after:
        late = trajectory.known_after.items()
        attributes[n.KNOWN_AFTER] = [f"{after} {fact}" for fact, after in late]
    if trajectory.end_reason == "interrupted":
        attributes[n.INTERRUPTED] = True
    if trajectory.end_reason in _FAILED:
        attributes[n.ERROR_TYPE] = trajectory.end_reason
    return attributes


def _stepped_in(entry: Intervention, *, content: bool) -> Attributes:
    """Who did what; in which words only where content is wanted, or the words are a policy's."""
    attributes: Attributes = {n.INTERVENTION_KIND: entry.kind, n.TURN: entry.step + 1}
    if entry.by:
        attributes[n.INTERVENTION_BY] = entry.by
    if entry.waited_s is not None:
        attributes[n.INTERVENTION_WAITED] = entry.waited_s
    if entry.detail and (content or entry.by == "agentcal"):
        attributes[n.INTERVENTION_DETAIL] = entry.detail
    return attributes


def _whole(trajectory: Trajectory) -> Attributes:
    task = [Message(role="user", text=trajectory.task)] if trajectory.task else []
    attributes: Attributes = {n.INPUT_MESSAGES: _content.dumps(_content.said(task))}
    if trajectory.system:
        instructions = _content.instructions(trajectory.system)
        attributes[n.SYSTEM_INSTRUCTIONS] = _content.dumps(instructions)
    if trajectory.tools:
        attributes[n.TOOL_DEFINITIONS] = _content.dumps(_content.definitions(trajectory.tools))
    if trajectory.steps and not trajectory.steps[-1].tool_calls:
        answer = _content.replied(trajectory.steps[-1])
        attributes[n.OUTPUT_MESSAGES] = _content.dumps(answer)
    return attributes
