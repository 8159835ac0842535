"""The promises by simulation, through the whole way: how often the truth exceeds them.

A finite population of groups, three runs each that are alike; redraws take groups from it with
replacement, so that the true rates are known. The policy has margins, an alarm and a budget.
500 redraws in `make long` (--log-cli-level=INFO shows what came of them), a few here.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, NamedTuple, cast

import numpy as np
import pytest
from scipy import stats

from agentcal import Trajectory, certify
from agentcal.calibration import Calibrator
from agentcal.policy import Alarm, MemoryLedger, Policy, ReviewBudget, RiskTarget, Verdict, walk

from .scripted import Scripted, many, run_of

CALIBRATOR = cast("Calibrator", Scripted())
MARGINS = {"drop": 0.6, "answer": -0.3}
LOG = logging.getLogger(__name__)
MOST_OF_500 = 37
"""A right 95% promise is broken in more than this of 500 redraws once in 200 times."""
POLICY = Policy.of(
    RiskTarget(0.1, margins={"destructive": MARGINS["drop"], "answer": MARGINS["answer"]}),
    Alarm(0.25, quiet_turns=1),
    ReviewBudget(0.1),
)


class Population(NamedTuple):
    """Groups of equally many runs, with what decides about each, worked out by hand."""

    groups: list[list[Trajectory]]
    lowest: np.ndarray
    failed: np.ndarray
    values: list[list[float]]

    @classmethod
    def of(cls, runs: list[Trajectory], per_group: int) -> Population:
        groups = [runs[at : at + per_group] for at in range(0, len(runs), per_group)]
        values: list[Any] = [run.metadata["values"] for run in runs]
        lowest = [min(_margined(run), default=np.inf) for run in runs]
        failed = [run.outcome is not None and run.outcome.value < 1 for run in runs]
        return cls(groups, np.array(lowest), np.array(failed), values)

    def draw(self, rng: np.random.Generator, groups: int) -> list[Trajectory]:
        chosen = rng.integers(len(self.groups), size=groups)
        return [
            run.model_copy(update={"group": f"drawn {k}", "run_id": f"{k}/{run.run_id}"})
            for k, at in enumerate(chosen)
            for run in self.groups[at]
        ]

    def sounded(self, policy: Policy) -> np.ndarray:
        alarm = policy.alarm
        if alarm is None or alarm.bound is None:
            return np.zeros(len(self.values), dtype=bool)
        return np.array([alarm.bound.fires(values) for values in self.values])

    def false_alarms(self, policy: Policy) -> float:
        """How often a successful run, drawn from a group drawn at random, is stopped."""
        good = ~self.failed.reshape(len(self.groups), -1)
        stopped = good & self.sounded(policy).reshape(good.shape)
        some = good.any(axis=1)
        return float((stopped.sum(axis=1)[some] / good.sum(axis=1)[some]).mean())


def _margined(run: Trajectory) -> list[float]:
    values: Any = run.metadata["values"]
    shifted = []
    for step, value in zip(run.steps, values, strict=True):
        name = step.tool_calls[0].name if step.tool_calls else "answer"
        if name != "look":
            log_odds = np.log(value / (1 - value)) - MARGINS.get(name, 0.0)
            shifted.append(float(1 / (1 + np.exp(-log_odds))))
    return shifted


class Truth(NamedTuple):
    """What is true of a certified policy in the whole population."""

    risk: float
    coverage: float


def truth(policy: Policy, population: Population) -> Truth | None:
    """None where nothing was certified."""
    made, sounded = policy.certificate, population.sounded(policy)
    if made is None or made.threshold is None:
        return None
    accepted = ~sounded & (population.lowest >= made.threshold)
    return Truth(
        risk=float(population.failed[accepted].mean()) if accepted.any() else 0.0,
        coverage=float(accepted.mean()),
    )


class Record(NamedTuple):
    redraws: int
    certified: int
    exceeded: int
    alarms_exceeded: int
    coverage: float

    def __str__(self) -> str:
        return (
            f"risk exceeded in {self.exceeded} and false alarms in {self.alarms_exceeded} of "
            f"{self.redraws} redraws; certified in {self.certified}, mean coverage "
            f"{self.coverage:.0%}"
        )


Certify = Callable[[Policy, list[Trajectory]], Policy]


def properly(policy: Policy, runs: list[Trajectory]) -> Policy:
    return certify(policy, CALIBRATOR, runs, progress=False)


def as_if_independent(policy: Policy, runs: list[Trajectory]) -> Policy:
    """Each run as a group of its own, which it is not."""
    return certify(policy, CALIBRATOR, runs, group=lambda run: run.run_id, progress=False)


def redraw(
    population: Population, policy: Policy, groups: int, redraws: int, how: Certify = properly
) -> Record:
    rng = np.random.default_rng(0)
    made = [how(policy, population.draw(rng, groups)) for _ in range(redraws)]
    found = [t for one in made if (t := truth(one, population)) is not None]
    target = policy.risk_target
    assert target is not None
    rate = 1.0 if policy.alarm is None else policy.alarm.false_alarm_rate
    alarms = [population.false_alarms(one) for one in made]
    return Record(
        redraws,
        len(found),
        sum(t.risk > target.max_failure_rate for t in found),
        sum(share > rate for share in alarms),
        float(np.mean([t.coverage for t in found])) if found else 0.0,
    )


@pytest.fixture(scope="module")
def population() -> Population:
    return Population.of(many(250, seed=77, per_group=3), 3)


def allowed(redraws: int) -> int:
    return int(stats.binom.ppf(0.995, redraws, 0.05))


def test_the_promises_are_kept(population: Population) -> None:
    record = redraw(population, POLICY, 150, 15)
    assert record.certified > 8, record
    assert record.exceeded <= allowed(15), record
    assert record.alarms_exceeded <= allowed(15), record
    assert record.coverage > 0.2, record


def test_the_truth_is_what_a_gate_would_do(population: Population) -> None:
    rng = np.random.default_rng(5)
    policy = properly(POLICY, population.draw(rng, 300))
    made = policy.certificate
    assert made is not None
    assert made.threshold is not None
    accepted = ~population.sounded(policy) & (population.lowest >= made.threshold)
    runs = [run for group in population.groups for run in group][:150]
    passed = [
        all(
            turn.verdict is Verdict.PROCEED
            for turn in walk(policy, run, CALIBRATOR.score(run)[:-1], MemoryLedger())
        )
        for run in runs
    ]
    assert passed == accepted[:150].tolist()
    assert 0 < sum(passed) < 150


def hopeless(per_group: int) -> Population:
    """The task alone decides the outcome, and 20% can never be kept."""
    runs = [
        run_of(
            ("save", 0.9),
            ("answer", 0.9),
            success=group % 100 >= 21,
            run_id=f"{group}/{k}",
            group=f"g{group}",
        )
        for group in range(200)
        for k in range(per_group)
    ]
    return Population.of(runs, per_group)


def test_the_test_can_fail() -> None:
    """Runs of one task counted as independent break the promise, and these redraws see it."""
    policy = Policy.of(RiskTarget(0.2))
    wrong = redraw(hopeless(10), policy, 24, 30, as_if_independent)
    right = redraw(hopeless(10), policy, 24, 30)
    assert wrong.exceeded > allowed(30) >= right.exceeded, (wrong, right)


@pytest.mark.long
@pytest.mark.parametrize(("rate", "groups"), [(0.1, 200), (0.06, 300)])
def test_the_promises_are_kept_in_500_redraws(
    population: Population, rate: float, groups: int
) -> None:
    target = POLICY.rules[0].model_copy(update={"max_failure_rate": rate})
    record = redraw(population, POLICY.with_(rules=(target, *POLICY.rules[1:])), groups, 500)
    LOG.info("%s", record)
    assert record.certified > 250, record
    assert record.exceeded <= MOST_OF_500, record
    assert record.alarms_exceeded <= MOST_OF_500, record


@pytest.mark.long
def test_the_promise_is_kept_in_500_redraws_where_nothing_is_true() -> None:
    record = redraw(hopeless(4), Policy.of(RiskTarget(0.2)), 120, 500)
    LOG.info("%s", record)
    assert record.exceeded <= MOST_OF_500, record
