"""What holds of any runs: the counts add up, and nothing looks ahead."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentcal import Trajectory
from agentcal.policy import CostTarget, MemoryLedger, Policy, RiskTarget, Verdict
from agentcal.replays import Figures, Replay, Rivals, Stop, WalkedRuns, replay, stop_of, walk_runs
from agentcal.replays._recorded import EVERY
from agentcal.replays._signals import least_stated, least_sure, random_turns, step_count
from agentcal.replays._watch import watch
from tests.replay.scripted import ANSWER, CALIBRATOR, READ, WRITE, a_run, certified

POLICIES = [certified(0.5), Policy.of(CostTarget()), Policy.of(RiskTarget(0.2))]
SIGNALS = [least_sure, least_stated, random_turns, step_count]

turns = st.lists(
    st.tuples(
        st.sampled_from([READ, WRITE, ANSWER, f"{READ}+{WRITE}"]), st.sampled_from([0.2, 0.5, 0.9])
    ),
    max_size=6,
)
told = st.lists(st.sampled_from([None, 0.1, 0.8]), min_size=12, max_size=12)


@st.composite
def many_runs(draw: st.DrawFn) -> list[Trajectory]:
    drawn = draw(st.lists(st.tuples(turns, st.booleans(), told), min_size=1, max_size=12))
    return [
        a_run(f"r{k}", steps, good, group=f"g{k // 2}", stated=stated, family=f"f{k % 2}")
        for k, (steps, good, stated) in enumerate(drawn)
    ]


def counted(share: Any, of: int) -> float:
    return 0.0 if share is None else share.value * of


def check_sums(found: Replay, good: int) -> None:
    for row in found.rows:
        assert row.interrupted == sum(row.verdicts.values())
        assert row.interrupted + row.passed.runs == found.runs
        stopped = counted(row.failures_stopped, found.failed)
        assert row.passed.failed == pytest.approx(found.failed - stopped)
        interrupted = stopped + counted(row.successes_interrupted, good)
        assert interrupted == pytest.approx(row.interrupted)
        assert row.first_questions <= row.questions + 1e-9 <= row.calls + 2e-9
        assert row.budget is None or row.interrupted <= row.budget
    own = found.row()
    assert sum(own.rules.values()) == own.interrupted
    assert sum(tool.stopped for tool in found.by_tool) == own.interrupted
    assert sum(family.interrupted for family in found.by_family) == own.interrupted
    assert sum(family.failed for family in found.by_family) == found.failed


@settings(max_examples=12)
@given(runs=many_runs(), which=st.sampled_from(POLICIES))
def test_counts_add_up(runs: list[Trajectory], which: Policy) -> None:
    found = replay(which, CALIBRATOR, runs, progress=False)
    good = sum(bool(run.outcome and run.outcome.value) for run in runs)
    assert (found.runs, found.failed) == (len(runs), len(runs) - good)
    check_sums(found, good)


@settings(max_examples=40)
@given(seen=turns, after=turns, other=turns, which=st.sampled_from(POLICIES))
def test_a_policy_stops_a_run_without_knowing_how_it_goes_on(
    seen: Any, after: Any, other: Any, which: Policy
) -> None:
    stops = []
    for rest in (after, other):
        run = a_run("r", [*seen, *rest], success=True)
        stops.append(stop_of(which, run, CALIBRATOR.score(run)[:-1], MemoryLedger()))
    early = [(s.turn, s.verdict, s.tool) for s in stops if s is not None and s.turn <= len(seen)]
    assert len(early) in (0, 2)
    assert len(set(early)) <= 1


@settings(max_examples=60)
@given(
    runs=many_runs(),
    seen=turns,
    after=turns,
    other=turns,
    stated=told,
    signal=st.sampled_from(SIGNALS),
    stops=st.integers(0, 12),
)
def test_a_baseline_with_its_limit_stops_a_run_without_knowing_how_it_goes_on(
    runs: list[Trajectory],
    seen: Any,
    after: Any,
    other: Any,
    stated: Any,
    signal: Any,
    stops: int,
) -> None:
    limit = watch(signal, recorded(runs), EVERY, 0).limit(stops)
    crossed = []
    for rest in (after, other):
        run = a_run("r", [*seen, *rest], success=True, stated=stated)
        (where,) = watch(signal, recorded([run]), EVERY, 0).crossings(limit)
        crossed.append([turn for turn in where if turn <= len(seen)])
    assert crossed[0] == crossed[1]


def recorded(runs: list[Trajectory]) -> Any:
    return walk_runs(CALIBRATOR, {}, runs, tiers=POLICIES[0].tiers).runs


@settings(max_examples=60)
@given(runs=many_runs(), budget=st.integers(0, 14), signal=st.sampled_from(SIGNALS))
def test_a_baseline_interrupts_as_many_as_it_was_told_to_if_it_can(
    runs: list[Trajectory], budget: int, signal: Any
) -> None:
    met = recorded(runs)
    watched = watch(signal, met, EVERY, 0)
    possible = sum(any(not math.isnan(s) for s in scores) for scores in watched.scores)
    crossings = list(watched.crossings(watched.limit(budget)))
    assert sum(map(bool, crossings)) == min(budget, possible)
    more = list(watched.crossings(watched.limit(budget + 1)))
    assert all(set(few) <= set(many) for few, many in zip(crossings, more, strict=True))


def test_chance_is_even_over_steps() -> None:
    runs = recorded([a_run(f"r{k}", [(ANSWER, 0.5)] * 4, success=True) for k in range(400)])
    rivals = Rivals(runs, frozenset({"answer"}), seed=3)
    first = [stop.turn for stop in rivals.stops("random", 200) if stop]
    assert len(first) == 200
    counts = np.bincount(first, minlength=5)[1:]
    # A chance q at each of four steps with 1 - (1 - q)^4 = 1/2: about 64, 53, 45, 38 of 200.
    assert counts == pytest.approx([64, 53, 45, 38], abs=25)
    assert counts[0] > counts[3]


def test_ties_are_split_at_random_and_the_seed_decides() -> None:
    runs = recorded([a_run(f"r{k}", [(ANSWER, 0.5)], success=k < 50) for k in range(100)])
    chosen = []
    for seed in (0, 0, 1):
        rivals = Rivals(runs, frozenset({"answer"}), seed)
        chosen.append([stop is not None for stop in rivals.stops("agentcal", 40)])
    assert chosen[0] == chosen[1] != chosen[2]
    assert 8 <= sum(chosen[0][:50]) <= 32


def test_what_is_pooled_over_folds_is_what_the_folds_counted() -> None:
    runs = [a_run(f"r{k}", [(ANSWER, 0.1 * (k % 9))], success=k % 3 > 0) for k in range(30)]
    parts = [walked(runs[:12]), walked(runs[12:])]
    whole = walked(runs)
    assert (*parts[0].runs, *parts[1].runs) == whole.runs
    pooled: list[Stop | None] = [*parts[0].stops["it"], *parts[1].stops["it"]]
    figures = Figures(whole.runs, level=0.9, seed=1, confidence=0.95)
    row = figures.row("it", "", pooled)
    assert row == figures.row("it", "", whole.stops["it"])
    assert row.verdicts == {Verdict.ESCALATE.value: row.interrupted}


def walked(runs: list[Trajectory]) -> WalkedRuns:
    policy = certified(0.5)
    return walk_runs(CALIBRATOR, {"it": policy}, runs, tiers=policy.tiers)
