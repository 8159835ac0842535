"""Where a policy would have stopped a recorded run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agentcal.policy import BudgetLedger, Decision, Policy, Tier, TurnDecision, Verdict, walk
from agentcal.trajectory import Trajectory

if TYPE_CHECKING:
    from agentcal.calibration import Confidence


@dataclass(frozen=True, slots=True)
class Stop:
    """The first verdict other than "proceed", at ``turn`` (from 1).

    ``questions``: turns with a call that a human is asked about, and ``calls`` such calls, if every
    answer is "go on" and the run goes as it was recorded: up to the first verdict that is no
    question. ``tool`` (None: the answer) and ``tier`` of the first call that the verdict is about,
    ``by``: the rule behind it. Methods without rules leave these empty.
    """

    turn: int
    verdict: Verdict
    questions: int
    calls: int
    tool: str | None = None
    tier: Tier | None = None
    by: str = ""


def stop_of(
    policy: Policy,
    run: Trajectory,
    confidences: Sequence[Confidence | None],
    ledger: BudgetLedger,
) -> Stop | None:
    """Where ``policy`` would have stopped ``run``; None where everything would have proceeded.

    ``confidences``: one for each turn. Nothing after the first verdict that is no question is
    decided, so that nothing there counts against a review budget.
    """
    first: TurnDecision | None = None
    questions = calls = 0
    for decided in walk(policy, run, confidences, ledger):
        verdict = decided.verdict
        if verdict is Verdict.PROCEED:
            continue
        first = first or decided
        if verdict is not Verdict.ESCALATE:
            break
        questions += 1
        calls += sum(decision.verdict is verdict for decision in decided.decisions)
    return None if first is None else _stop(first, questions, calls)


def _stop(first: TurnDecision, questions: int, calls: int) -> Stop:
    strict = next(d for d in first.decisions if d.verdict is first.verdict)
    return Stop(
        first.turn, first.verdict, questions, calls, strict.tool, strict.tier, _rule(strict)
    )


def _rule(decision: Decision) -> str:
    uncertified = decision.by == "risk_target" and decision.certificate is None
    return "risk_target, not certified" if uncertified else decision.by
