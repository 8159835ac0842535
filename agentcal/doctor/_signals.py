"""The signals that are looked for, in the order in which they are told."""

from __future__ import annotations

from typing import Final

from agentcal.doctor import _counting as c
from agentcal.doctor._signal import Signal

_MOST = 0.9

SIGNALS: Final[tuple[Signal, ...]] = (
    Signal(
        "outcome", "outcome", "runs", "costly", _MOST, c.in_run(lambda run: run.outcome is not None)
    ),
    Signal(
        "task", "task text", "runs", "costly", _MOST,
        c.in_run(lambda run: bool(run.task)), c.unset(task=""),
    ),
    Signal(
        "text", "what the model said", "turns", "costly", _MOST,
        c.in_turns(lambda step: bool(step.text or step.reasoning or step.tool_calls)),
        c.unset_in_turns(text="", reasoning=""),
    ),
    Signal(
        "logprobs", "token log-probs", "turns", "costly", _MOST,
        c.in_turns(lambda step: step.logprobs is not None and bool(step.logprobs.logprobs)),
        c.unset_in_turns(logprobs=None),
    ),
    Signal(
        "top_logprobs", "alternatives to tokens", "turns with log-probs", "nice to have", _MOST,
        c.in_turns(
            lambda step: step.logprobs is not None and any(len(t) > 1 for t in step.logprobs.top),
            lambda step: step.logprobs is not None and bool(step.logprobs.logprobs),
        ),
        c.without_alternatives,
    ),
    Signal(
        "arguments", "arguments of calls", "calls", "costly", 0.0,
        c.in_calls(lambda call: bool(call.arguments or call.raw_arguments), lambda _: True),
        c.unset_in_calls(arguments={}, raw_arguments=None),
    ),
    Signal(
        "results", "results of calls", "calls", "costly", _MOST,
        c.results, c.unset_in_calls(result=None, status="missing", duration_s=None),
    ),
    Signal(
        "status", "status of failed calls", "failed calls", "costly", _MOST,
        c.in_calls(lambda call: call.status == "error", c.failed), c.without_errors,
    ),
    Signal("call_ids", "call ids that join", "calls", "nice to have", _MOST, c.joining_ids),
    Signal(
        "tools", "tool declarations", "runs", "nice to have", _MOST,
        c.in_run(lambda run: bool(run.tools)), c.unset(tools=[]),
    ),
    Signal(
        "tool_hints", "kinds and hints of tools", "declared tools", "nice to have", 0.0,
        c.hinted,
    ),
    Signal(
        "system", "system prompt", "runs", "nice to have", _MOST,
        c.in_run(lambda run: bool(run.system)), c.unset(system=""),
    ),
    Signal(
        "reasoning", "reasoning", "turns", None, 0.0,
        c.in_turns(lambda step: bool(step.reasoning)), c.unset_in_turns(reasoning=""),
    ),
    Signal(
        "stated_confidence", "stated confidence", "runs", "nice to have", 0.5,
        c.in_run(lambda run: any(map(c.states, run.steps))),
        c.unset_in_turns(stated_confidence=None),
    ),
    Signal(
        "usage", "token usage", "turns", "nice to have", _MOST,
        c.in_turns(lambda step: step.usage is not None and step.usage.output_tokens is not None),
        c.unset_in_turns(usage=None),
    ),
    Signal(
        "latency", "latency of turns", "turns", "nice to have", _MOST,
        c.in_turns(lambda step: step.latency_s is not None), c.unset_in_turns(latency_s=None),
    ),
    Signal(
        "durations", "durations of calls", "answered calls", "nice to have", _MOST,
        c.in_calls(lambda call: call.duration_s is not None, c.answered),
        c.unset_in_calls(duration_s=None),
    ),
    Signal(
        "limits", "limits", "runs", "nice to have", 0.0,
        c.in_run(lambda run: run.limits is not None), c.unset(limits=None),
    ),
    Signal(
        "turn_agents", "agent of each turn", "turns", "nice to have", 0.0,
        c.in_turns(lambda step: bool(step.agent)), c.unset_in_turns(agent=None),
    ),
    Signal(
        "agent", "agent of the run", "runs", "nice to have", _MOST,
        c.in_run(lambda run: bool(run.agent)),
    ),
    Signal(
        "model", "model of the run", "runs", "nice to have", _MOST,
        c.in_run(lambda run: bool(run.model or any(step.model for step in run.steps))),
    ),
    Signal(
        "conversation", "conversation id", "runs", "nice to have", 0.0,
        c.in_run(lambda run: run.conversation is not None),
    ),
    Signal(
        "end_reason", "end reason", "runs", "nice to have", _MOST,
        c.in_run(lambda run: run.end_reason != "unknown"), c.unset(end_reason="unknown"),
    ),
)  # fmt: skip

BY_NAME: Final = {signal.name: signal for signal in SIGNALS}
