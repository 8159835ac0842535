"""What an alarm is fitted on, and what is refused."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from agentcal.errors import ConfigError, NotEnoughData
from agentcal.sequential import AlarmBound, Normaliser, fit_alarm
from agentcal.sequential._fit import LEARNT_FROM
from agentcal.sequential._rank import least, rank

from .worlds import Drawn, Population, Run, alike

WORLD = alike(300, 4)


def fit(drawn: Drawn, rate: float = 0.2, **rest: Any) -> AlarmBound:
    return fit_alarm(*drawn, false_alarm_rate=rate, **rest)


def winners(population: Population) -> int:
    return sum(any(run.success for run in group) for group in population.groups)


def changed(at: int, how: Any) -> Drawn:
    """The world with the runs of one group changed."""
    groups = [[how(run) if k == at else run for run in g] for k, g in enumerate(WORLD.groups)]
    return Drawn.of(groups)


def test_a_part_fixed_beforehand_teaches_and_the_rest_carries_the_bound() -> None:
    bound = fit(Drawn.of(WORLD.groups))
    won = winners(WORLD)
    assert bound.n == won - int(LEARNT_FROM * won)
    assert bound.fitted == len(WORLD.groups) - bound.n
    assert bound.rank == rank(bound.n, 0.2, 0.95)
    assert bound.normaliser != Normaliser()


def test_no_run_of_a_group_that_carries_the_bound_reaches_the_normaliser() -> None:
    """Changing the scores of a group changes the normaliser or can change the threshold."""
    before = fit(Drawn.of(WORLD.groups))
    taught = []
    for at in range(40):
        after = fit(changed(at, lambda run: Run([s - 3 for s in run.scores], run.success)))
        assert (after.n, after.rank, after.fitted) == (before.n, before.rank, before.fitted)
        taught.append(after.normaliser != before.normaliser)
    won = [any(run.success for run in group) for group in WORLD.groups[:40]]
    assert all(t for t, w in zip(taught, won, strict=True) if not w)
    assert 0.2 < np.mean([t for t, w in zip(taught, won, strict=True) if w]) < 0.6


def test_failing_runs_of_such_a_group_do_not_count_at_all() -> None:
    before = fit(Drawn.of(WORLD.groups))
    worse = [
        fit(changed(at, lambda r: r if r.success else Run([-9.0] * 3, False))) for at in range(40)
    ]
    mixed = [len({run.success for run in group}) == 2 for group in WORLD.groups[:25]]
    assert any(after == before for after, m in zip(worse, mixed, strict=True) if m)
    for after in worse:
        assert after == before or after.normaliser != before.normaliser


def test_the_threshold_is_the_order_statistic_of_one_successful_run_a_group() -> None:
    """One run a group: then nothing but the split is random, and both sides can be told apart."""
    world = alike(120, 1)
    bound = fit(Drawn.of(world.groups))
    assert sum(run.success for group in world.groups for run in group) > bound.n
    held = []
    for at, (run,) in enumerate(world.groups):
        groups = [
            [Run([99.0], r.success)] if k == at else [r] for k, (r,) in enumerate(world.groups)
        ]
        if run.success and fit(Drawn.of(groups)).normaliser == bound.normaliser:
            held.append(bound.running(run.scores))
    assert len(held) == bound.n
    assert sorted(held)[bound.rank - 1] == bound.threshold


def test_seeds_draw_other_groups_and_the_same_seed_the_same() -> None:
    drawn = Drawn.of(WORLD.groups)
    assert fit(drawn, seed=3) == fit(drawn, seed=3)
    assert fit(drawn, seed=3).threshold != fit(drawn, seed=4).threshold


def test_the_order_of_the_groups_does_not_matter() -> None:
    drawn = Drawn.of(WORLD.groups)
    turned = Drawn(*(column[::-1] for column in drawn))
    a, b = fit(drawn), fit(Drawn(*(list(column) for column in turned)))
    assert (a.n, a.rank, a.fitted) == (b.n, b.rank, b.fitted)


def test_few_groups_all_carry_the_bound_with_the_score_as_it_is() -> None:
    world = alike(90, 1)
    bound = fit(Drawn.of(world.groups), rate=0.1)
    assert least(0.1, 0.95) <= winners(world) < least(0.1, 0.95) / (1 - LEARNT_FROM)
    assert (bound.n, bound.fitted, bound.normaliser) == (winners(world), 0, Normaliser())
    highest = sorted(-min(r.scores) for g in world.groups for r in g if r.success)
    assert bound.threshold == highest[bound.rank - 1]


def test_too_few_groups_are_told_how_many_more_would_do() -> None:
    runs = [[Run([0.5], k < 20)] for k in range(30)]
    with pytest.raises(NotEnoughData, match="about 9 more groups with a successful run would do"):
        fit(Drawn.of(runs), rate=0.1)
    more = Drawn.of([*runs, *([Run([0.5], True)],) * 9])
    assert fit(more, rate=0.1).n == 29


def test_with_a_second_signal_it_takes_more_of_them() -> None:
    """Where the signal agrees is learnt too, so not all groups can carry the bound."""
    few = Drawn.of([[Run([0.5], True)]] * 29)
    with pytest.raises(NotEnoughData, match="about") as caught:
        fit(few, rate=0.1, second=[[0.5]] * 29)
    enough = 29 + int(str(caught.value).split("about ")[1].split()[0])
    fit(Drawn.of([[Run([0.5], True)]] * enough), rate=0.1, second=[[0.5]] * enough)
    with pytest.raises(NotEnoughData, match="about 1 more"):
        fit(Drawn.of([[Run([0.5], True)]] * (enough - 1)), rate=0.1, second=[[0.5]] * (enough - 1))


def test_without_failures_there_is_nothing_to_learn_but_still_a_promise() -> None:
    rng = np.random.default_rng(0)
    bound = fit(Drawn.of([[Run(rng.random(4).tolist(), True)] for _ in range(200)]))
    assert bound.normaliser == Normaliser()
    assert bound.fires([0.5, -1.0])


def test_scores_that_say_nothing_never_sound() -> None:
    bound = fit(Drawn.of([[Run([0.5, 0.5], k % 2 == 0)] for k in range(400)]))
    assert not bound.fires([0.5] * 2)


def test_runs_without_any_score_are_never_flagged_and_count() -> None:
    runs = [[Run([] if k % 3 else [math.nan], k % 2 == 0)] for k in range(400)]
    bound = fit(Drawn.of(runs))
    assert not bound.fires([])
    assert not bound.fires([math.nan])
    # All that is known is that successful runs have none.
    assert bound.fires([0.5])


def test_quiet_turns_are_quiet_in_fitting_too() -> None:
    """Nothing of the first turns but what the trail remembers counts."""
    rng = np.random.default_rng(0)
    groups = [
        [Run([rng.normal(-9 if good else 0), *rng.normal(1.0 if good else -1.0, 1, 4)], good)]
        for good in rng.random(500) < 0.5
    ]
    drawn = Drawn.of([[Run([float(s) for s in r.scores], bool(r.success))] for (r,) in groups])
    loud, quiet = fit(drawn, rate=0.1), fit(drawn, rate=0.1, quiet_turns=1)
    assert quiet.quiet_turns == 1
    failing = [s for s, good in zip(drawn.sequences, drawn.success, strict=True) if not good]
    assert min(quiet.first(s) or 9 for s in failing) == 2
    assert np.mean([quiet.fires(s) for s in failing]) > 0.9
    assert loud.quiet_turns == 0


def test_the_second_signal_must_agree_and_helps_where_it_knows_more() -> None:
    rng = np.random.default_rng(0)
    good = (rng.random(1200) < 0.6).tolist()
    first = [rng.normal(0.5 if g else 0, 1, 5).tolist() for g in good]
    second = [rng.normal(1 if g else -1, 1, 5).tolist() for g in good]
    groups = [str(k) for k in range(1200)]
    half = slice(0, 600)
    alone = fit_alarm(first[half], good[half], groups[half], false_alarm_rate=0.1)
    both = fit_alarm(
        first[half], good[half], groups[half], false_alarm_rate=0.1, second=second[half]
    )
    won = [min(s) for s, g in zip(second[half], good[half], strict=True) if g]
    assert np.mean(np.array(won) <= (both.agrees_at or 0)) == pytest.approx(0.5, abs=0.08)
    rest = range(600, 1200)
    caught = [k for k in rest if not good[k]]
    assert np.mean([both.fires(first[k], second[k]) for k in caught]) > 0.1 + np.mean(
        [alone.fires(first[k]) for k in caught]
    )
    spared = [k for k in rest if good[k]]
    assert np.mean([both.fires(first[k], second[k]) for k in spared]) < 0.13


def test_a_second_signal_that_nobody_has_is_no_signal() -> None:
    drawn = Drawn.of(WORLD.groups)
    nothing = [[math.nan] * len(scores) for scores in drawn.sequences]
    with pytest.raises(NotEnoughData, match="second signal"):
        fit(drawn, second=nothing)


GOOD: dict[str, Any] = {
    "sequences": [[0.5], [0.4]],
    "success": [True, False],
    "groups": ["a", "b"],
    "false_alarm_rate": 0.5,
    "confidence": 0.5,
}


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"false_alarm_rate": 0.0}, "false_alarm_rate must lie between 0 and 1"),
        ({"false_alarm_rate": math.nan}, "false_alarm_rate must lie between 0 and 1"),
        ({"confidence": 1.0}, "confidence must lie between 0 and 1"),
        ({"quiet_turns": -1}, "quiet_turns must be an integer"),
        ({"quiet_turns": 1.5}, "quiet_turns must be an integer"),
        ({"quiet_turns": True}, "quiet_turns must be an integer"),
        ({"success": [True]}, "success has 1 entries where there are 2 runs"),
        ({"groups": ["a"]}, "groups has 1 entries"),
        ({"groups": ["a", 1]}, "groups mixes types"),
        ({"success": [True, 0.3]}, "true and false only"),
        ({"sequences": [[0.5], ["x"]]}, r"sequences\[1\] must hold numbers"),
        ({"sequences": [[0.5], 0.4]}, r"sequences\[1\] must hold numbers"),
        ({"sequences": [[math.inf], [0.4]]}, r"sequences\[0\] holds an infinite number"),
        ({"second": [[0.5]]}, "second has 1 entries"),
        ({"second": [[0.5], []]}, r"second\[1\] has 0 points for 1 scores"),
    ],
)
def test_malformed_input_is_named(wrong: dict[str, Any], says: str) -> None:
    assert fit_alarm(**GOOD).n == 1
    with pytest.raises(ConfigError, match=says):
        fit_alarm(**(GOOD | wrong))
