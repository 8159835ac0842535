"""A policy as people read it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import singledispatch
from typing import TYPE_CHECKING

from agentcal.policy._alarm import Alarm
from agentcal.policy._always import Always
from agentcal.policy._certificate import Certificate, Scope
from agentcal.policy._costs import CostTarget
from agentcal.policy._risk import RiskTarget

if TYPE_CHECKING:
    from agentcal.policy._policy import AnyRule, Policy

_MOST_NAMES = 8


def summary(policy: Policy) -> str:
    """What it does, what is promised, and where the promise holds; a few lines."""
    return "\n".join(_lines(policy))


def _lines(policy: Policy) -> Iterator[str]:
    yield f"policy {policy.fingerprint}, {policy.mode}; rules on {', '.join(policy.gated)} steps"
    for rule in policy.rules:
        yield from _told(rule)
    if policy.outdated:
        yield "  OUTDATED: the policy was changed after it was certified, so no promise holds"
    if policy.budget is not None:
        share, spent = policy.budget.share, policy.budget.spent
        yield f"  review_budget  asks about at most {share:.1%} of the gated steps, then {spent}"
    checks = f"{policy.max_checks} check{'s' * (policy.max_checks != 1)} a run"
    yield f"  without a score: {policy.without_score}; {checks}, then {policy.after_checks}"


@singledispatch
def _told(rule: AnyRule) -> Iterator[str]:
    raise TypeError(rule)


@_told.register
def _(rule: RiskTarget) -> Iterator[str]:
    yield (
        f"  risk_target    of runs that proceed whole at most {rule.max_failure_rate:.1%} fail, "
        f"with {rule.confidence:.0%} confidence; else {rule.otherwise}"
    )
    if rule.margins:
        by = ", ".join(f"{tier} {margin:+g}" for tier, margin in sorted(rule.margins.items()))
        yield f"    margins in log odds: {by}"
    if rule.certificate is None:
        yield f"    no certificate was made, so {rule.uncertified} everywhere"
    else:
        yield from _certified(rule.certificate, rule)


def _certified(made: Certificate, rule: RiskTarget) -> Iterator[str]:
    yield f"    {made.result}"
    if made.never_gated_failed:
        yield (
            f"    {made.never_gated} runs had no gated step and so always proceed; "
            f"{made.never_gated_failed} of them failed"
        )
    if made.left_out:
        yield f"    left out: {', '.join(f'{n} {why}' for why, n in made.left_out.items())}"
    if made.threshold is None:
        yield f"    so {rule.uncertified} everywhere"
    else:
        yield from _scope(made.scope, rule)


def _scope(scope: Scope, rule: RiskTarget) -> Iterator[str]:
    yield f"    for calibrator {scope.calibrator}; elsewhere {rule.uncertified}"
    for what, names in (
        ("agents", scope.agents),
        ("models", scope.models),
        ("tools", tuple(sorted(scope.tools))),
    ):
        yield f"      {what:<7}{_listed(names)}"


@_told.register
def _(rule: Alarm) -> Iterator[str]:
    yield (
        f"  alarm          {rule.verdict} in at most {rule.false_alarm_rate:.1%} of the runs that "
        f"would succeed, with {rule.confidence:.0%} confidence"
    )
    if rule.bound is None:
        yield f"    not fitted, so {rule.unfitted} everywhere"
    else:
        yield (
            f"    certified on {rule.bound.n} successful runs, one a group, for calibrator "
            f"{rule.calibrator}; elsewhere {rule.unfitted}"
        )


@_told.register
def _(rule: CostTarget) -> Iterator[str]:
    costs = rule.costs
    wrong = ", ".join(f"{tier} {cost:g}" for tier, cost in sorted(costs.wrong.items()))
    yield f"  cost_target    least expected cost; a wrong step costs: {wrong}"


@_told.register
def _(rule: Always) -> Iterator[str]:
    yield f"  always         {rule.verdict} on {_listed((*rule.tools, *rule.tiers))}"


def _listed(names: tuple[str, ...]) -> str:
    shown = [name or "(unnamed)" for name in names[:_MOST_NAMES]]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "") if shown else "none"
