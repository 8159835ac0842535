"""A rule that compares what each verdict is expected to cost."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from agentcal.policy._model import Part
from agentcal.policy._ruling import Ruling
from agentcal.policy._tiers import Tier
from agentcal.policy._turn import GatedTurn, Subject
from agentcal.policy._verdict import Verdict

_WRONG: dict[Tier, float] = {"read_only": 0.0, "write": 10.0, "destructive": 100.0, "answer": 5.0}

Cost = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]


class Costs(Part):
    """What things cost, all in one unit of the user's choice.

    ``wrong``: a step of this tier in a run that fails; tiers left out keep what stands here by
    default. ``minute``: one of a reviewer's. ``minutes``: how many a question takes.
    ``interruption``: what the wait costs the user of a run that would have succeeded. ``caught``:
    the share of wrong steps that a reviewer stops. ``check``: one more turn in which the agent
    checks. ``check_caught``: the share of wrong steps that this stops; None where nothing is known
    of it, and then ``VERIFY`` is never chosen. ``abstained``: to end a run that would have
    succeeded.
    """

    wrong: dict[Tier, Cost] = Field(default_factory=lambda: dict(_WRONG))
    minute: Cost = 1.0
    minutes: Cost = 2.0
    interruption: Cost = 1.0
    caught: Share = 1.0
    check: Cost = 0.5
    check_caught: Share | None = None
    abstained: Cost = 20.0

    def expected(self, p: float, tier: Tier) -> dict[Verdict, float]:
        """The expected cost of each verdict on a step of ``tier`` at P(success) ``p``."""
        wrong = (1 - p) * self.wrong.get(tier, _WRONG[tier])
        asking = self.minute * self.minutes + p * self.interruption
        costs = {Verdict.PROCEED: wrong}
        if self.check_caught is not None:
            costs[Verdict.VERIFY] = self.check + (1 - self.check_caught) * wrong
        costs[Verdict.ESCALATE] = asking + (1 - self.caught) * wrong
        costs[Verdict.ABSTAIN] = p * self.abstained
        return costs


class CostTarget(Part):
    """The verdict with the least expected cost; of equal ones the mildest."""

    type: Literal["cost_target"] = "cost_target"
    costs: Costs = Field(default_factory=Costs)

    def __init__(self, costs: Costs | None = None, **rest: object) -> None:
        super().__init__(costs=Costs() if costs is None else costs, **rest)

    @property
    def verdicts(self) -> frozenset[Verdict]:
        """All; "verify" only where it is known how much a check catches."""
        return frozenset(self.costs.expected(0.5, "write"))

    @property
    def needs_score(self) -> bool:
        """Yes."""
        return True

    def rule(self, turn: GatedTurn, subject: Subject, value: float) -> Ruling:
        """Compare the costs."""
        costs = self.costs.expected(value, subject.tier)
        best = min(costs, key=costs.__getitem__)
        told = ", ".join(f"{verdict} {cost:.2f}" for verdict, cost in costs.items())
        return Ruling(best, f"expected cost at P(success) {value:.3f}: {told}", self.type)
