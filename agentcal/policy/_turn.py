"""What a policy is asked about: one model turn, before anything that it proposes has happened."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agentcal.policy._tiers import Tier
from agentcal.trajectory import ToolDeclaration

if TYPE_CHECKING:
    from agentcal.calibration import Confidence


@dataclass(frozen=True, slots=True)
class ProposedCall:
    """A tool call that the model has proposed. ``arguments`` is None where they did not parse."""

    name: str
    arguments: Mapping[str, Any] | None
    call_id: str = ""
    declared: ToolDeclaration | None = None
    raw_arguments: str | None = None


@dataclass(frozen=True, slots=True)
class GatedTurn:
    """One model turn that waits for its decisions; without ``calls`` it is an answer.

    ``turn`` counts from 1. ``confidence`` is None where there is none, and ``missing`` says why.
    ``trail``: the confidences of the turns before this one, oldest first, None where missing.
    ``checks``: how often this run was sent back to check already. ``answer``: what the reply says.
    """

    run_id: str
    turn: int
    confidence: Confidence | None
    calls: tuple[ProposedCall, ...] = ()
    trail: tuple[Confidence | None, ...] = ()
    checks: int = 0
    answer: str = ""
    agent: str | None = None
    model: str | None = None
    missing: str = ""

    @property
    def value(self) -> float | None:
        """The confidence as a number; None without one, and where it is not a probability."""
        value = None if self.confidence is None else self.confidence.value
        return value if value is not None and math.isfinite(value) and 0 <= value <= 1 else None


@dataclass(frozen=True, slots=True)
class Subject:
    """One thing to rule on: a call of the turn, or its answer (``tool`` is None).

    ``gated``: whether the policy rules on its tier.
    """

    tool: str | None
    tier: Tier
    gated: bool = True
