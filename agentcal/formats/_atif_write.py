"""ATIF, the Agent Trajectory Interchange Format of Harbor, v1.4 to v1.8: writing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from agentcal.errors import ConfigError
from agentcal.formats._atif_call import OURS, RUN_BESIDE
from agentcal.trajectory import (
    Message,
    Step,
    TokenLogprobs,
    ToolCall,
    ToolDeclaration,
    Trajectory,
)

VERSIONS = ("1.4", "1.5", "1.6", "1.7", "1.8")
_NO_NAME = "unknown"
_HINTS = {
    "read_only": "readOnlyHint",
    "destructive": "destructiveHint",
    "idempotent": "idempotentHint",
    "open_world": "openWorldHint",
}


def to_atif(run: Trajectory, *, version: str = "1.7") -> dict[str, Any]:
    """The run as an ATIF document: plain JSON, valid under ``version`` ("1.4" to "1.8").

    What ATIF has no field for goes to ``extra.agentcal`` of document, steps and metrics, where
    agentcal finds it again. Raises :class:`ConfigError` for a version that it cannot write.
    """
    if version not in VERSIONS:
        raise ConfigError(f"ATIF version {version!r} is not known; give one of {VERSIONS}")
    steps = [_opening("user", run.task)]
    if run.system:
        steps.insert(0, _opening("system", run.system))
    if run.started_at is not None:
        steps[0]["timestamp"] = run.started_at.isoformat()
    calls = _Calls(results_may_say_more=version >= "1.7")
    for step in run.steps:
        steps += map(_message, step.inputs)
        steps.append(_agent_step(step, calls))
    steps += map(_message, run.trailing_inputs)
    return {
        "schema_version": f"ATIF-v{version}",
        "session_id": run.run_id,
        **({"trajectory_id": run.run_id} if version >= "1.7" else {}),
        "agent": _agent(run, version),
        "steps": [{"step_id": number, **step} for number, step in enumerate(steps, 1)],
        **_totals(run),
        "extra": {OURS: _beside(run)},
    }


def _opening(source: str, text: str) -> dict[str, Any]:
    return {"source": source, "message": text}


def _message(message: Message) -> dict[str, Any]:
    """In ATIF an agent's step is a decision, so what another agent said comes as a user's."""
    if message.role == "agent":
        return {**_opening("user", message.text), "extra": {OURS: {"role": "agent"}}}
    return _opening(message.role, message.text)


def _agent(run: Trajectory, version: str) -> dict[str, Any]:
    told = run.metadata.get("agent_version")
    agent: dict[str, Any] = {
        "name": run.agent or _NO_NAME,
        "version": told if isinstance(told, str) else _NO_NAME,
    }
    if run.model:
        agent["model_name"] = run.model
    tools = [_tool(tool) for tool in run.tools]
    if tools and version >= "1.5":
        agent["tool_definitions"] = tools
    elif tools:
        agent["extra"] = {"tool_definitions": tools}
    return agent


def _tool(tool: ToolDeclaration) -> dict[str, Any]:
    hints = {theirs: getattr(tool, ours) for ours, theirs in _HINTS.items()}
    known = {name: value for name, value in hints.items() if value is not None}
    function: dict[str, Any] = {
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.parameters,
        **({"kind": tool.kind} if tool.kind else {}),
        **({"annotations": known} if known else {}),
    }
    return {"type": "function", "function": function}


def _beside(run: Trajectory) -> dict[str, Any]:
    """What a document has no field for; a name that is not there is written as one."""
    nameless = {name for name in ("agent", "model") if not getattr(run, name)}
    kept = run.model_dump(mode="json", include=RUN_BESIDE, exclude_defaults=True)
    return {"schema_version": run.schema_version, **kept, **{n: getattr(run, n) for n in nameless}}


def _totals(run: Trajectory) -> dict[str, Any]:
    counts = [step.usage for step in run.steps if step.usage is not None]
    sums = {
        "total_prompt_tokens": [u.input_tokens for u in counts if u.input_tokens is not None],
        "total_completion_tokens": [u.output_tokens for u in counts if u.output_tokens is not None],
    }
    told = {name: sum(values) for name, values in sums.items() if values}
    return {"final_metrics": told} if told else {}


class _Calls:
    """Gives every call of a run an id of its own, as observations need, and writes both."""

    def __init__(self, *, results_may_say_more: bool) -> None:
        self._extra = results_may_say_more
        self._used: set[str] = set()

    def fields(self, calls: list[ToolCall]) -> dict[str, Any]:
        """``tool_calls`` and ``observation`` of a step."""
        if not calls:
            return {}
        ids = [self._id(call) for call in calls]
        results = [
            self._result(name, call)
            for name, call in zip(ids, calls, strict=True)
            if call.result is not None
        ]
        return {
            "tool_calls": [_call(name, call) for name, call in zip(ids, calls, strict=True)],
            **({"observation": {"results": results}} if results else {}),
        }

    def _id(self, call: ToolCall) -> str:
        name = call.id
        while not name or name in self._used:
            name = f"{call.id or 'call'}-{len(self._used) + 1}"
        self._used.add(name)
        return name

    def _result(self, name: str, call: ToolCall) -> dict[str, Any]:
        failed = call.status == "error" and self._extra
        return {
            "source_call_id": name,
            "content": call.result,
            **({"extra": {"is_error": True}} if failed else {}),
        }


def _call(name: str, call: ToolCall) -> dict[str, Any]:
    return {"tool_call_id": name, "function_name": call.name, "arguments": call.arguments or {}}


def _agent_step(step: Step, calls: _Calls) -> dict[str, Any]:
    written = calls.fields(step.tool_calls)
    own = _step_surplus(step, [c["tool_call_id"] for c in written.get("tool_calls", [])])
    return {
        "source": "agent",
        "message": step.text,
        **({"model_name": step.model} if step.model else {}),
        **({"reasoning_content": step.reasoning} if step.reasoning else {}),
        **written,
        **_metrics(step),
        **({"extra": {OURS: own}} if own else {}),
    }


def _step_surplus(step: Step, ids: list[str]) -> dict[str, Any]:
    kept = {"latency_s", "stated_confidence", "agent", "decided"}
    own = step.model_dump(mode="json", include=kept, exclude_defaults=True)
    if step.model == "":
        own["model"] = ""
    calls = [
        dict(_call_surplus(call, name)) for call, name in zip(step.tool_calls, ids, strict=True)
    ]
    return {**own, **({"tool_calls": calls} if any(calls) else {})}


def _call_surplus(call: ToolCall, name: str) -> Iterator[tuple[str, Any]]:
    """Where the call differs from what a reader of ATIF would make of it."""
    if call.id != name:
        yield "id", call.id
    if call.arguments is None:
        yield "arguments", None
    if call.raw_arguments is not None:
        yield "raw_arguments", call.raw_arguments
    if call.status != ("missing" if call.result is None else "ok"):
        yield "status", call.status
    if call.duration_s is not None:
        yield "duration_s", call.duration_s
    if call.returned_after is not None:
        yield "returned_after", call.returned_after


def _metrics(step: Step) -> dict[str, Any]:
    usage = step.usage
    metrics: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    if usage is not None:
        counts = {"prompt_tokens": usage.input_tokens, "completion_tokens": usage.output_tokens}
        metrics = {name: count for name, count in counts.items() if count is not None}
        if usage.reasoning_tokens is not None:
            extra["reasoning_tokens"] = usage.reasoning_tokens
    values, own = _logprobs(step.logprobs)
    metrics |= {"logprobs": values} if values else {}
    extra |= {OURS: own} if own else {}
    metrics |= {"extra": extra} if extra else {}
    return {"metrics": metrics} if metrics else {}


def _logprobs(found: TokenLogprobs | None) -> tuple[list[Any], dict[str, Any]]:
    """A number a token, as ATIF has it; where one is missing, agentcal's own list in its place."""
    if found is None or not found.logprobs:
        return [], {}
    own = found.model_dump(include={"tokens", "top"}, exclude_defaults=True)
    if None not in found.logprobs:
        return found.logprobs, own
    return [], {**own, "logprobs": found.logprobs}
