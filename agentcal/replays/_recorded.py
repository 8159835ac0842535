"""What a gate, or anything that it is compared with, can see of a recorded run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agentcal.calibration import changed
from agentcal.evaluation import stated_by_turn
from agentcal.policy import Always, Policy, Tier, Tiers, meets_gate
from agentcal.trajectory import Step, Trajectory

if TYPE_CHECKING:
    from agentcal.calibration import Confidence

WRITING: frozenset[Tier] = frozenset({"write", "destructive"})
EVERY: frozenset[Tier] = frozenset({"read_only", "write", "destructive", "answer"})


@dataclass(frozen=True, slots=True)
class RecordedRun:
    """One run as it happened; ``tiers``, ``confidence``, ``stated``, ``tokens``: one a turn.

    ``tiers``: of the calls that the turn proposes, or ("answer",), or () where no gate is asked.
    ``confidence``: P(success). ``stated``: what the model itself had claimed by then, in [0, 1].
    ``tokens``: read and written in the turn. All three None where they are not known. ``touched``:
    somebody changed what the agent had proposed, so that the outcome is that with their help.
    """

    run_id: str
    group: str
    family: str | None
    success: bool
    tiers: tuple[tuple[Tier, ...], ...]
    confidence: tuple[float | None, ...]
    stated: tuple[float | None, ...]
    tokens: tuple[int | None, ...]
    touched: bool = False

    @property
    def turns(self) -> int:
        """How many turns the model had."""
        return len(self.tiers)

    @property
    def writes_at(self) -> int | None:
        """The first turn, counted from 1, that proposes a writing or destructive call."""
        turns = (turn for turn, tiers in enumerate(self.tiers, 1) if WRITING & set(tiers))
        return next(turns, None)

    def gated(self, reach: frozenset[Tier]) -> list[int]:
        """How many calls (or answers) of each turn are of the tiers in ``reach``."""
        return [sum(tier in reach for tier in tiers) for tiers in self.tiers]


def reach_of(policy: Policy) -> frozenset[Tier]:
    """The tiers of steps that ``policy`` may stop: a fitted alarm may stop any."""
    if policy.alarm is not None and policy.alarm.bound is not None:
        return EVERY
    rules = [rule for rule in policy.rules if isinstance(rule, Always)]
    tools = {policy.tiers.of(tool) for rule in rules for tool in rule.tools}
    return frozenset(tools).union(policy.gated, *(rule.tiers for rule in rules))


def recorded(
    run: Trajectory,
    confidences: Sequence[Confidence],
    tiers: Tiers,
    *,
    group: str,
    success: bool,
) -> RecordedRun:
    """The parts of ``run`` that matter here; ``confidences``: one for each turn."""
    return RecordedRun(
        run_id=run.run_id,
        group=group,
        family=run.family,
        success=success,
        tiers=_tiers(run, tiers),
        confidence=tuple(c.value for c in confidences),
        stated=tuple(stated_by_turn(run)),
        tokens=tuple(map(_tokens, run.steps)),
        touched=changed(run),
    )


def _tiers(run: Trajectory, tiers: Tiers) -> tuple[tuple[Tier, ...], ...]:
    declared = {tool.name: tool for tool in run.tools}
    return tuple(
        tuple(tiers.of(call.name, declared.get(call.name)) for call in step.tool_calls)
        or (("answer",) if met else ())
        for step, met in zip(run.steps, meets_gate(run), strict=True)
    )


def _tokens(step: Step) -> int | None:
    usage = step.usage
    if usage is None or usage.input_tokens is None or usage.output_tokens is None:
        return None
    return usage.input_tokens + usage.output_tokens
