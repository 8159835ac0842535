"""From the rules of a policy to decisions about one turn."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from agentcal.policy._decision import Decision, TurnDecision, decision_key
from agentcal.policy._ledger import BudgetLedger, Request
from agentcal.policy._risk import RiskTarget
from agentcal.policy._rule import Rule
from agentcal.policy._ruling import Ruling
from agentcal.policy._turn import GatedTurn, ProposedCall, Subject
from agentcal.policy._verdict import Verdict

if TYPE_CHECKING:
    from agentcal.policy._policy import Policy


class Matter(NamedTuple):
    """One thing to decide: its decision key, and what it is."""

    key: str
    subject: Subject


def decide(policy: Policy, turn: GatedTurn, ledger: BudgetLedger, at: datetime) -> TurnDecision:
    """The strictest ruling on each matter, within the number of checks and the budget."""
    matters = matters_of(policy, turn)
    rulings = judge(policy, turn, [matter.subject for matter in matters])
    return freeze(policy, turn, at, matters, afford(policy, turn, ledger, matters, rulings))


def matters_of(policy: Policy, turn: GatedTurn) -> list[Matter]:
    """What there is to decide: the calls of ``turn`` in their order, or its answer."""
    return [*map(Matter, _keys(turn), subjects_of(policy, turn))]


def subjects_of(policy: Policy, turn: GatedTurn) -> list[Subject]:
    """The same without keys."""
    if not turn.calls:
        return [Subject(None, "answer", "answer" in policy.gated)]
    return [_subject(policy, call) for call in turn.calls]


def _subject(policy: Policy, call: ProposedCall) -> Subject:
    """What was gated when the policy was certified stays so, whatever the tool says of itself."""
    tier, made = policy.tiers.of(call.name, call.declared), policy.certificate
    before = tier if made is None else made.scope.tools.get(call.name, tier)
    return Subject(call.name, tier, tier in policy.gated or before in policy.gated)


def _keys(turn: GatedTurn) -> list[str]:
    if not turn.calls:
        return [decision_key(turn.run_id, turn.turn, 0, "", turn.answer)]
    return [
        decision_key(
            turn.run_id,
            turn.turn,
            index,
            call.name,
            call.raw_arguments if call.arguments is None else call.arguments,
        )
        for index, call in enumerate(turn.calls)
    ]


Failed = Callable[[Exception], str]
"""Told of a rule that raised; says what the reason of the ruling is then."""


def judge(
    policy: Policy, turn: GatedTurn, subjects: Sequence[Subject], failed: Failed | None = None
) -> list[Ruling]:
    """The strictest ruling on each subject, within the number of checks.

    With ``failed``, a rule that raises counts as ``without_score`` instead.
    """
    found = {subject: _strictest(policy, turn, subject, failed) for subject in set(subjects)}
    return [_checked(policy, turn, found[subject]) for subject in subjects]


def _strictest(policy: Policy, turn: GatedTurn, subject: Subject, failed: Failed | None) -> Ruling:
    value = turn.value
    found = [
        _ask(policy, rule, turn, subject, failed)
        for rule in policy.rules
        if not rule.needs_score or (subject.gated and value is not None)
    ]
    if subject.gated and value is None:
        found.append(Ruling(policy.without_score, _unscored(turn), "without_score"))
    strict = max(found, key=_strictness, default=None)
    if strict is None or (strict.verdict is Verdict.PROCEED and not subject.gated):
        return Ruling(Verdict.PROCEED, f"{subject.tier} steps are not gated", "tiers")
    return strict


def _ask(
    policy: Policy, rule: Rule, turn: GatedTurn, subject: Subject, failed: Failed | None
) -> Ruling:
    if isinstance(rule, RiskTarget) and policy.outdated:
        return rule.unbacked("the policy was changed after it was certified")
    try:
        return rule.rule(turn, subject, math.nan if turn.value is None else turn.value)
    except Exception as error:
        if failed is None:
            raise
        verdict = policy.without_score if subject.gated else Verdict.PROCEED
        return Ruling(verdict, failed(error), "without_score")


def _strictness(ruling: Ruling) -> tuple[int, bool]:
    return ruling.verdict.severity, ruling.threshold is not None


def _unscored(turn: GatedTurn) -> str:
    if turn.confidence is not None:
        return f"no usable confidence: {turn.confidence.value!r} is not a probability"
    return f"no confidence: {turn.missing or 'the turn was not scored'}"


def _checked(policy: Policy, turn: GatedTurn, ruling: Ruling) -> Ruling:
    if ruling.verdict is not Verdict.VERIFY or turn.checks < policy.max_checks:
        return ruling
    why = f"checked {turn.checks} times already; {ruling.reason}"
    return Ruling(policy.after_checks, why, ruling.by, ruling.threshold, ruling.certificate)


def afford(
    policy: Policy,
    turn: GatedTurn,
    ledger: BudgetLedger,
    matters: Sequence[Matter],
    rulings: Sequence[Ruling],
) -> list[Ruling]:
    """The rulings as far as the review budget allows them."""
    if policy.budget is None:
        return list(rulings)
    asked = [
        Request(matter.key, turn.value, ruling.verdict is Verdict.ESCALATE)
        for matter, ruling in zip(matters, rulings, strict=True)
        if matter.subject.gated or ruling.verdict is Verdict.ESCALATE
    ]
    answers = ledger.grant(policy.budget, asked) if asked else []
    refused = {r.key for r, granted in zip(asked, answers, strict=True) if r.ask and not granted}
    why = "the review budget is spent"
    return [
        unasked(policy, turn, ruling, why) if matter.key in refused else ruling
        for matter, ruling in zip(matters, rulings, strict=True)
    ]


def unasked(policy: Policy, turn: GatedTurn, ruling: Ruling, why: str) -> Ruling:
    """What happens to a step where nobody can be asked: ``spent``, if anybody should be."""
    if policy.budget is None or ruling.verdict is not Verdict.ESCALATE:
        return ruling
    verdict = policy.budget.spent
    if verdict is Verdict.VERIFY and turn.checks >= policy.max_checks:
        verdict = Verdict.ABSTAIN
    reason = f"{why}; {ruling.reason}"
    return Ruling(verdict, reason, "review_budget", ruling.threshold, ruling.certificate)


def freeze(
    policy: Policy,
    turn: GatedTurn,
    at: datetime,
    matters: Sequence[Matter],
    rulings: Sequence[Ruling],
) -> TurnDecision:
    """The rulings as decisions, under their keys. A confidence that is no probability is left."""
    confidence = None if turn.value is None else turn.confidence
    decisions = tuple(
        Decision(
            key=matter.key,
            verdict=ruling.verdict,
            reason=ruling.reason,
            by=ruling.by,
            mode=policy.mode,
            tool=matter.subject.tool,
            tier=matter.subject.tier,
            confidence=confidence,
            threshold=ruling.threshold,
            certificate=ruling.certificate,
            policy=policy.fingerprint,
            at=at,
        )
        for matter, ruling in zip(matters, rulings, strict=True)
    )
    return TurnDecision(
        run_id=turn.run_id, turn=turn.turn, confidence=confidence, decisions=decisions
    )
