"""What one rule says about one subject."""

from __future__ import annotations

from dataclasses import dataclass

from agentcal.policy._verdict import Verdict


@dataclass(frozen=True, slots=True)
class Ruling:
    """``reason``: one clause for people. ``threshold``: what the confidence was held against."""

    verdict: Verdict
    reason: str
    by: str
    threshold: float | None = None
    certificate: str | None = None
