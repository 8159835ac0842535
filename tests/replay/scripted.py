"""Runs that are written down turn by turn, and a calibrator that says what stands there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

from agentcal import Outcome, Step, ToolCall, Trajectory, Usage
from agentcal.bounds import ThresholdCertificate
from agentcal.calibration import Calibrator, Confidence, Seen
from agentcal.metrics import Estimate
from agentcal.policy import Certificate, Policy, RiskTarget, Scope

FINGERPRINT = "0123456789abcdef"
NOTHING = Seen.of([], [])
READ, WRITE, ANSWER = "look_up", "send_money", ""


@dataclass(frozen=True)
class Scripted:
    """Says what ``metadata["says"]`` lists, one number a turn; what it says last is the end."""

    fingerprint: str = FINGERPRINT
    group: str = "task"
    seen: Seen = NOTHING

    @property
    def settings(self) -> Any:
        return SimpleNamespace(group=self.group, success_at=1.0)

    def score(self, run: Trajectory) -> Sequence[Confidence]:
        says = cast(list[float], run.metadata["says"])
        assert len(says) == len(run.steps)
        kinds = ["tool_turn" if step.tool_calls else "answer_turn" for step in run.steps]
        return [
            Confidence(
                value=value,
                low=0.0,
                high=1.0,
                thinness=0.0,
                support=0.5,
                supported=True,
                kind=cast(Any, kind),
                turn=turn,
                fingerprint=self.fingerprint,
            )
            for turn, (value, kind) in enumerate(
                zip([*says, 0.5], [*kinds, "finished"], strict=True), 1
            )
        ]


CALIBRATOR = cast(Calibrator, Scripted())


def a_run(
    name: str,
    turns: Sequence[tuple[str, float]],
    success: bool | None,
    *,
    group: str | None = None,
    tokens: Sequence[int | None] = (),
    stated: Sequence[float | None] = (),
    **fields: Any,
) -> Trajectory:
    """``turns``: the tools called (several with "+", "" for an answer) and what is said of it."""
    steps = [
        Step(
            text="done" if not tools else "",
            tool_calls=[
                ToolCall(name=tool, result="x", status="ok") for tool in tools.split("+") if tool
            ],
            usage=_usage(tokens[place] if place < len(tokens) else None),
            stated_confidence=stated[place] if place < len(stated) else None,
        )
        for place, (tools, _) in enumerate(turns)
    ]
    return Trajectory(
        run_id=name,
        group=group or name,
        task="t",
        steps=steps,
        outcome=None if success is None else Outcome(value=float(success)),
        metadata={"says": [value for _, value in turns]},
        **fields,
    )


def _usage(tokens: int | None) -> Usage | None:
    return None if tokens is None else Usage(input_tokens=tokens - 1, output_tokens=1)


def certified(threshold: float, **fields: Any) -> Policy:
    """A policy with a certificate that nobody worked for, on every run of these tests."""
    bare = Policy.of(RiskTarget(0.1), **fields)
    share = Estimate(value=0.5, low=0.4, high=0.6, n=100, groups=100)
    made = Certificate(
        result=ThresholdCertificate(
            threshold=threshold,
            max_failure_rate=0.1,
            confidence=0.95,
            groups=100,
            runs=100,
            accepted=50,
            failures=1,
            upper=0.09,
            coverage=share,
            method="single",
            seed=None,
            tested=[threshold],
        ),
        scope=Scope(
            calibrator=FINGERPRINT,
            policy=bare.composed,
            agents=("",),
            models=("",),
            tools={name: bare.tiers.of(name) for name in (READ, WRITE, "delete_all", "pay")},
        ),
        success_at=1.0,
        made_at=datetime(2026, 1, 2, tzinfo=UTC),
    )
    return bare.with_(rules=(RiskTarget(0.1, certificate=made),))
