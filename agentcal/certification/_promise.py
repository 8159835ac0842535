"""The certificate of a policy: its threshold, and where it holds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime

from agentcal.bounds import certify_threshold
from agentcal.certification._composed import ComposedScore
from agentcal.certification._walked import Walked
from agentcal.evaluation import LabelledRuns
from agentcal.policy import Certificate, Policy, RiskTarget, Scope, Tier


def promised(
    policy: Policy,
    target: RiskTarget,
    runs: Sequence[Walked],
    *,
    others: Sequence[Walked],
    calibrator: str,
    usable: LabelledRuns,
    seed: int,
) -> Certificate:
    """Test thresholds on ``runs``; ``others``, that nothing is tested on, may say where to look."""
    scores = ComposedScore(policy, target)
    own = scores(runs)
    free = [run for run, score in zip(runs, own, strict=True) if score == math.inf]
    return Certificate(
        result=certify_threshold(
            own,
            _failed(runs),
            [run.group for run in runs],
            max_failure_rate=target.max_failure_rate,
            confidence=target.confidence,
            planned=(scores(others), _failed(others)) if others else None,
            seed=seed,
        ),
        scope=_scope(policy, calibrator, runs),
        success_at=usable.success_at,
        left_out=usable.left_out,
        never_gated=len(free),
        never_gated_failed=sum(_failed(free)),
        made_at=datetime.now(UTC),
    )


def _failed(runs: Sequence[Walked]) -> list[bool]:
    return [not run.success for run in runs]


def _scope(policy: Policy, calibrator: str, runs: Sequence[Walked]) -> Scope:
    return Scope(
        calibrator=calibrator,
        policy=policy.composed,
        agents=tuple({run.agent for run in runs}),
        models=tuple({run.model for run in runs}),
        tools=_tiers(policy, runs),
    )


def _tiers(policy: Policy, runs: Sequence[Walked]) -> dict[str, Tier]:
    """The tier of each tool, of the last run where they differ: any other is out of scope."""
    return {
        name: policy.tiers.of(name, declared)
        for run in runs
        for name, declared in run.tools.items()
    }
