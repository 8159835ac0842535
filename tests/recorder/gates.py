"""Decisions as a gate hands them over."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from agentcal.policy import Decision, Mode, TurnDecision, Verdict, decision_key

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def decided(
    *verdicts: str,
    turn: int = 1,
    run_id: str = "r",
    mode: Mode = "enforce",
    arguments: dict[str, Any] | None = None,
    **facts: Any,
) -> TurnDecision:
    """One decision a verdict; the reason is the verdict and its place."""
    common: dict[str, Any] = {
        "by": "risk_target",
        "tool": "pay",
        "tier": "write",
        "confidence": None,
        "threshold": 0.8,
        "certificate": None,
        "policy": "0123456789abcdef",
        "at": AT,
    }
    decisions = tuple(
        Decision(
            key=decision_key(run_id, turn, index, "pay", arguments or {"to": "bob"}),
            verdict=Verdict(verdict),
            reason=f"{verdict} {index}",
            mode=mode,
            **common | facts,
        )
        for index, verdict in enumerate(verdicts)
    )
    return TurnDecision(run_id=run_id, turn=turn, confidence=None, decisions=decisions)
