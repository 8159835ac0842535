"""Turns, policies and certificates for tests, made by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from agentcal.bounds import ThresholdCertificate
from agentcal.calibration import Confidence
from agentcal.metrics import Estimate
from agentcal.policy import (
    AnyPart,
    Certificate,
    GatedTurn,
    Policy,
    ProposedCall,
    RiskTarget,
    Scope,
)
from agentcal.trajectory import ToolDeclaration

CALIBRATOR = "c" * 16
AT = datetime(2026, 1, 2, tzinfo=UTC)
READS = ToolDeclaration(name="look", read_only=True)
WRITES = ToolDeclaration(name="save", read_only=False, destructive=False)
DESTROYS = ToolDeclaration(name="drop", destructive=True)
OFFERED = {tool.name: tool for tool in (READS, WRITES, DESTROYS)}


def sure(value: float, turn: int = 1, fingerprint: str = CALIBRATOR, **rest: Any) -> Confidence:
    support = rest.pop("support", 0.5)
    return Confidence(
        value, 0.1, 0.9, 0.01, support, True, rest.pop("kind", "tool_turn"), turn, fingerprint
    )


def call(name: str, **arguments: Any) -> ProposedCall:
    return ProposedCall(name, arguments, declared=OFFERED.get(name))


def turn_of(value: float | None, *names: str, **rest: Any) -> GatedTurn:
    """A turn that proposes these tools (look, save and drop are declared); else an answer."""
    at = rest.pop("turn", 1)
    fields: dict[str, Any] = {
        "run_id": "run",
        "agent": "ann",
        "model": "small",
        "confidence": None if value is None else sure(value, at),
        "calls": tuple(call(name) for name in names),
    }
    return GatedTurn(turn=at, **{**fields, **rest})


def certified(policy: Policy, threshold: float = 0.8, **scope: Any) -> Policy:
    """``policy`` with a certificate at ``threshold`` for what :func:`turn_of` makes."""
    target = policy.risk_target
    assert target is not None
    made = Certificate(
        result=ThresholdCertificate(
            threshold=threshold,
            max_failure_rate=target.max_failure_rate,
            confidence=target.confidence,
            groups=100,
            runs=100,
            accepted=60,
            failures=0,
            upper=0.04,
            coverage=Estimate(value=0.6, low=0.5, high=0.7, n=60, groups=100),
            method="single",
            seed=None,
            tested=[threshold],
        ),
        scope=Scope(
            **{
                "calibrator": CALIBRATOR,
                "policy": policy.composed,
                "agents": ("ann",),
                "models": ("small",),
                "tools": {"drop": "destructive", "look": "read_only", "save": "write"},
                **scope,
            }
        ),
        success_at=1.0,
        made_at=AT,
    )
    new = target.model_copy(update={"certificate": made})
    return policy.with_(rules=tuple(new if rule is target else rule for rule in policy.rules))


def gated(*parts: AnyPart, threshold: float = 0.8, **fields: Any) -> Policy:
    """A policy of these parts, certified if there is a :class:`RiskTarget` among them."""
    policy = Policy.of(*parts, **fields)
    return policy if policy.risk_target is None else certified(policy, threshold)


def target(rate: float = 0.05, **fields: Any) -> RiskTarget:
    return RiskTarget(rate, **fields)
