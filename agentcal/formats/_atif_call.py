"""One agent step of ATIF: what was said, the calls, the metrics, and the observation."""

from __future__ import annotations

from typing import Any

from agentcal._fields import as_text
from agentcal.formats import _message
from agentcal.formats._format import Context
from agentcal.formats._logprobs import Checker
from agentcal.formats._results import ToolResult
from agentcal.trajectory import Step, TokenLogprobs, ToolCall

OURS = "agentcal"
RUN_BESIDE = {"conversation", "group", "family", "limits", "end_reason", "interventions"}
RUN_BESIDE |= {"outcome", "started_at", "known_after", "gaps", "metadata"}
"""Fields of a run that ATIF has no place for: written, and read again, under ``OURS``."""
_BESIDE = ("latency_s", "stated_confidence", "agent", "model", "decided")
_FAILED = ("error", "failed", "failure")


def surplus(holder: dict[str, Any]) -> dict[str, Any]:
    """What agentcal wrote under ``extra.agentcal``, empty for anybody else's file."""
    return _object(_object(holder.get("extra")).get(OURS))


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def to_step(raw: dict[str, Any], context: Context) -> Step:
    """The step with its calls, which have no results yet."""
    metrics, calls = _object(raw.get("metrics")), raw.get("tool_calls")
    more = _object(metrics.get("extra"))
    step = _message.to_step(
        {
            "content": raw.get("message"),
            "reasoning_content": raw.get("reasoning_content"),
            "tool_calls": [_call(call) for call in calls] if isinstance(calls, list) else [],
            "usage": {**metrics, "reasoning_tokens": more.get("reasoning_tokens")},
            "model": raw.get("model_name"),
        },
        context,
    )
    step.logprobs = _logprobs(metrics, context)
    return step


def _call(call: Any) -> Any:
    if not isinstance(call, dict):
        return call
    return {
        "id": call.get("tool_call_id"),
        "name": call.get("function_name"),
        "arguments": call.get("arguments"),
    }


def _logprobs(metrics: dict[str, Any], context: Context) -> TokenLogprobs | None:
    """ATIF has a number a token; tokens, alternatives and gaps are agentcal's own."""
    own, values = surplus(metrics), metrics.get("logprobs")
    if own:
        return TokenLogprobs.model_validate({"logprobs": values, **own})
    if not isinstance(values, list) or not values:
        return None
    check = Checker()
    found = TokenLogprobs(logprobs=[check(value) for value in values])
    check.report(context)
    return found


def to_results(raw: dict[str, Any], context: Context) -> list[ToolResult]:
    """The observation of a step, one result after the other."""
    results = _object(raw.get("observation")).get("results")
    found = [r for r in results if isinstance(r, dict)] if isinstance(results, list) else []
    unread = len(results) - len(found) if isinstance(results, list) else 0
    if unread:
        context.note("observation is not readable", fix="It was left out.", count=unread)
    # Some converters mark the step, which then holds one call.
    step_failed = len(found) == 1 and _object(raw.get("extra")).get("tool_result_is_error") is True
    return [_result(result, context, failed=step_failed) for result in found]


def _result(result: dict[str, Any], context: Context, *, failed: bool) -> ToolResult:
    extra = _object(result.get("extra"))
    content = result.get("content")
    # A call that failed may leave nothing else.
    said = extra.get("error") if content in (None, "") else content
    text, _ = _message.spoken(said, context)
    return ToolResult(
        text=text,
        id=as_text(result.get("source_call_id")),
        failed=failed
        or bool(extra.get("is_error"))
        or bool(extra.get("error"))
        or extra.get("success") is False
        or extra.get("status") in _FAILED,
    )


def completed(step: Step, own: dict[str, Any]) -> Step:
    """The step with what agentcal wrote beside it and its calls."""
    told = own.get("tool_calls")
    calls = told if isinstance(told, list) else []
    fields = {name: own[name] for name in _BESIDE if name in own}
    done = [
        ToolCall.model_validate({**dict(call), **_object(more)})
        for call, more in zip(step.tool_calls, [*calls, *[{}] * len(step.tool_calls)], strict=False)
    ]
    return Step.model_validate({**dict(step), **fields, "tool_calls": done})
