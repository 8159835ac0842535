"""A run that carries every signal, to see which features need which.

A feature needs a signal if it is another one, at any decision point, once the signal is taken out.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from agentcal.doctor._signals import BY_NAME
from agentcal.features import FEATURES, decision_points
from agentcal.trajectory import (
    Limits,
    Message,
    Step,
    TokenLogprobs,
    ToolCall,
    ToolDeclaration,
    Trajectory,
    Usage,
)

# Between them, words of most kinds that features look for.
_FIRST = 'Sorry, first I "look" it up: find_order F-20990 . Perhaps it is late?'
_SECOND = "I was unable to read it. Actually, let me try again:\n- F-20990"
_THIRD = "You're right. <think>Hm.</think> It is certainly 41.50, then 99.10 more…"
_FOURTH = "Done: F-20990 got 41.50, you have 99.10. It failed once. Is that likely?"


def reference() -> Trajectory:
    """Two agents refund an order: a failed look-up, a retry, a doubtful change, an answer."""
    return Trajectory(
        run_id="reference",
        task="Refund order F-20990 if it is late, and tell me the amount.",
        system="You are a clerk. Goodwill is 99.10. Never refund more than 500.",
        limits=Limits(steps=10, tokens=10_000, seconds=60.0),
        tools=[
            ToolDeclaration(name="find_order", description="Orders."),
            ToolDeclaration(name="refund", description="Money."),
        ],
        steps=[
            _turn("clerk", 0.9, _FIRST, _look_up("1", "504 after 30 s", "error")),
            _turn("clerk", 0.6, _SECOND, _look_up("2", "F-20990 is 9 days late: 41.50", "ok")),
            _turn("payer", 0.7, _THIRD, _pay("3"), inputs=[_objection()]),
            _turn("payer", 0.8, _FOURTH),
        ],
        end_reason="max_steps",
    )


def _objection() -> Message:
    return Message(role="user", text="No, that is wrong. Please hurry.")


def _look_up(call_id: str, result: str, status: str) -> ToolCall:
    call = ToolCall(id=call_id, name="find_order", arguments={"order": "F-20990"}, result=result)
    return call.model_copy(update={"status": status, "duration_s": 0.1 * len(result)})


def _pay(call_id: str) -> ToolCall:
    paid = {"order": "F-20990", "amount": "99.10"}
    call = ToolCall(id=call_id, name="refund", arguments=paid, result="paid 99.10 to F-20990")
    return call.model_copy(update={"status": "ok", "duration_s": 0.5})


def _turn(
    agent: str, stated: float, text: str, *calls: ToolCall, inputs: list[Message] | None = None
) -> Step:
    tokens = text.replace(" ", "\x00 ").split("\x00")
    logprobs = [-0.05 * (1 + (3 * at + len(text)) % 7) for at in range(len(tokens))]
    return Step(
        inputs=inputs or [],
        text=text,
        reasoning=f"The user wants {len(text)} things, maybe.",
        tool_calls=list(calls),
        logprobs=TokenLogprobs(
            tokens=tokens,
            logprobs=list(logprobs),
            top=[[p, p - 1.5 - at % 3, p - 4.0] for at, p in enumerate(logprobs)],
        ),
        usage=Usage(input_tokens=40 * len(text), output_tokens=len(text)),
        latency_s=0.02 * len(text),
        stated_confidence=stated,
        agent=agent,
    )


@cache
def needing(signal: str) -> frozenset[str]:
    """The features that need a signal."""
    strip = BY_NAME[signal].strip
    if strip is None:
        return frozenset()
    stripped = reference()
    strip(stripped)
    with_it, without = _rows(reference()), _rows(stripped)
    same = (with_it == without) | (np.isnan(with_it) & np.isnan(without))
    return frozenset(f.name for f, kept in zip(FEATURES, same.all(axis=0), strict=True) if not kept)


def _rows(run: Trajectory) -> NDArray[np.float64]:
    return np.array([point.vector for point in decision_points(run)])
