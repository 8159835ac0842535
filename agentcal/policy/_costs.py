"""A rule that compares what each verdict is expected to cost."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from agentcal.policy._ruling import Ruling
from agentcal.policy._tiers import Tier
from agentcal.policy._turn import GatedTurn, Subject
from agentcal.policy._verdict import Verdict

_WRONG: dict[Tier, float] = {"read_only": 0.0, "write": 10.0, "destructive": 100.0, "answer": 5.0}


class Costs(BaseModel):
    """What things cost, all in one unit of the user's choice.

    ``wrong``: a step of this tier in a run that fails. ``minute``: one of a reviewer's.
    ``minutes``: how many a question takes. ``interruption``: what the wait costs the user of a run
    that would have succeeded. ``caught``: the share of wrong steps that a reviewer stops.
    ``check``: one more turn in which the agent checks. ``check_caught``: the share of wrong steps
    that this stops; None where nothing is known of it, and then ``VERIFY`` is never chosen.
    ``abstained``: to end a run that would have succeeded.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    wrong: dict[Tier, float] = Field(default_factory=lambda: dict(_WRONG))
    minute: float = Field(default=1.0, ge=0)
    minutes: float = Field(default=2.0, ge=0)
    interruption: float = Field(default=1.0, ge=0)
    caught: float = Field(default=1.0, ge=0, le=1)
    check: float = Field(default=0.5, ge=0)
    check_caught: float | None = Field(default=None, ge=0, le=1)
    abstained: float = Field(default=20.0, ge=0)

    def expected(self, p: float, tier: Tier) -> dict[Verdict, float]:
        """The expected cost of each verdict on a step of ``tier`` at P(success) ``p``."""
        wrong = (1 - p) * self.wrong.get(tier, _WRONG[tier])
        costs = {
            Verdict.PROCEED: wrong,
            Verdict.ESCALATE: self.minute * self.minutes
            + p * self.interruption
            + (1 - self.caught) * wrong,
            Verdict.ABSTAIN: p * self.abstained,
        }
        if self.check_caught is not None:
            costs[Verdict.VERIFY] = self.check + (1 - self.check_caught) * wrong
        return costs


class CostTarget(BaseModel):
    """The verdict with the least expected cost; of equal ones the mildest."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: Literal["cost_target"] = "cost_target"
    costs: Costs = Field(default_factory=Costs)

    def __init__(self, costs: Costs | None = None, **rest: object) -> None:
        super().__init__(costs=costs or Costs(), **rest)

    @property
    def may_escalate(self) -> bool:
        """Always: a question may be the cheapest thing to do."""
        return True

    def rule(self, turn: GatedTurn, subject: Subject, value: float) -> Ruling:
        """Compare the costs."""
        return self._cheapest(value, subject.tier)

    def _cheapest(self, p: float, tier: Tier) -> Ruling:
        costs = self.costs.expected(p, tier)
        best = min(Verdict, key=lambda verdict: costs.get(verdict, float("inf")))
        told = ", ".join(f"{verdict} {cost:.2f}" for verdict, cost in costs.items())
        return Ruling(best, f"expected cost at P(success) {p:.2f}: {told}", self.type)
