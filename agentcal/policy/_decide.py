"""From the rules of a policy to decisions about one turn."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from agentcal.policy._alarm import Alarm
from agentcal.policy._budget import ReviewBudget
from agentcal.policy._decision import Decision, TurnDecision, decision_key
from agentcal.policy._ledger import BudgetLedger, Request
from agentcal.policy._risk import RiskTarget
from agentcal.policy._rule import Rule
from agentcal.policy._ruling import Ruling
from agentcal.policy._turn import GatedTurn, Subject
from agentcal.policy._verdict import Verdict

if TYPE_CHECKING:
    from agentcal.policy._policy import Policy


def decide(policy: Policy, turn: GatedTurn, ledger: BudgetLedger, at: datetime) -> TurnDecision:
    """The strictest ruling on each subject, within the number of checks and the budget."""
    subjects, keys = subjects_of(policy, turn), keys_of(turn)
    rulings = [_checked(policy, turn, _ruled(policy, turn, subject)) for subject in subjects]
    if policy.budget is not None:
        asked = [
            Request(key, turn.value, ruling.verdict is Verdict.ESCALATE)
            for key, subject, ruling in zip(keys, subjects, rulings, strict=True)
            if _counts(policy, subject, ruling)
        ]
        granted = dict(zip((r.key for r in asked), ledger.grant(policy.budget, asked), strict=True))
        rulings = [
            ruling
            if granted.get(key, True) or ruling.verdict is not Verdict.ESCALATE
            else _spent(policy, policy.budget, turn, ruling)
            for key, ruling in zip(keys, rulings, strict=True)
        ]
    decisions = [
        decision(policy, turn, at, about) for about in zip(keys, subjects, rulings, strict=True)
    ]
    return TurnDecision(
        run_id=turn.run_id,
        turn=turn.turn,
        confidence=turn.confidence,
        decisions=tuple(decisions),
    )


def subjects_of(policy: Policy, turn: GatedTurn) -> list[Subject]:
    """What there is to rule on: the calls of ``turn`` in their order, or its answer."""
    if not turn.calls:
        return [Subject(None, "answer")]
    tier = policy.tiers.of
    return [Subject(call.name, tier(call.name, call.declared)) for call in turn.calls]


def keys_of(turn: GatedTurn) -> list[str]:
    """The decision keys of the same."""
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


def _ruled(policy: Policy, turn: GatedTurn, subject: Subject) -> Ruling:
    gated = subject.tier in policy.gated
    if turn.value is None:
        if gated:
            return Ruling(policy.without_score, _unscored(turn), "without_score")
        return _free(subject)
    found = [
        _rule(policy, rule, turn, subject, turn.value)
        for rule in policy.rules
        if gated or (isinstance(rule, Alarm) and rule.bound is not None)
    ]
    strict = max(found, key=_strictness, default=_free(subject))
    return strict if gated or strict.verdict is not Verdict.PROCEED else _free(subject)


def _rule(policy: Policy, rule: Rule, turn: GatedTurn, subject: Subject, value: float) -> Ruling:
    if isinstance(rule, RiskTarget) and policy.outdated:
        why = "not certified: the policy was changed after it was certified"
        return Ruling(rule.uncertified, why, rule.type)
    return rule.rule(turn, subject, value)


def _strictness(ruling: Ruling) -> tuple[int, float]:
    return ruling.verdict.severity, ruling.threshold or -1.0


def _free(subject: Subject) -> Ruling:
    return Ruling(Verdict.PROCEED, f"{subject.tier} steps are not gated", "tiers")


def _unscored(turn: GatedTurn) -> str:
    if turn.confidence is not None:
        return f"no usable confidence: {turn.confidence.value!r} is not a probability"
    return f"no confidence: {turn.missing or 'the turn was not scored'}"


def _checked(policy: Policy, turn: GatedTurn, ruling: Ruling) -> Ruling:
    if ruling.verdict is not Verdict.VERIFY or turn.checks < policy.max_checks:
        return ruling
    why = f"checked {turn.checks} times already; {ruling.reason}"
    return Ruling(policy.after_checks, why, ruling.by, ruling.threshold, ruling.certificate)


def _counts(policy: Policy, subject: Subject, ruling: Ruling) -> bool:
    return subject.tier in policy.gated or ruling.verdict is Verdict.ESCALATE


def _spent(policy: Policy, budget: ReviewBudget, turn: GatedTurn, ruling: Ruling) -> Ruling:
    verdict = budget.spent
    if verdict is Verdict.VERIFY and turn.checks >= policy.max_checks:
        verdict = Verdict.ABSTAIN
    why = f"should be asked about, but the review budget is spent; {ruling.reason}"
    return Ruling(verdict, why, "review_budget", ruling.threshold)


def decision(
    policy: Policy, turn: GatedTurn, at: datetime, about: tuple[str, Subject, Ruling]
) -> Decision:
    """The frozen form of a ruling, under its key."""
    key, subject, ruling = about
    return Decision(
        key=key,
        verdict=ruling.verdict,
        reason=ruling.reason,
        by=ruling.by,
        mode=policy.mode,
        tool=subject.tool,
        tier=subject.tier,
        confidence=turn.confidence,
        threshold=ruling.threshold,
        certificate=ruling.certificate,
        policy=policy.fingerprint,
        at=at,
    )
