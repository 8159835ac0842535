"""Known p, d and r are found, and the advice is right as often as it says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import agentcal as ac
from agentcal.errors import ConfigError, NotEnoughData
from agentcal.pilot import PilotAdvice, pilot
from tests.pilot.conftest import Effect, run


def both(
    effect: Effect, seed: int, tasks: int, each: int = 1
) -> tuple[list[ac.Trajectory], list[ac.Trajectory]]:
    rng = np.random.default_rng(seed)
    chances = effect.chances(rng, tasks)
    return tuple(effect.runs(rng, chances, each, gated=gated) for gated in (False, True))


def sets(pairs: list[tuple[int, int]]) -> tuple[list[ac.Trajectory], list[ac.Trajectory]]:
    """One run of each task without and one with."""
    return (
        [run(f"b{i}", f"t{i}", float(a)) for i, (a, _) in enumerate(pairs)],
        [run(f"i{i}", f"t{i}", float(b), True) for i, (_, b) in enumerate(pairs)],
    )


def test_rates_of_tasks_that_always_end_alike_are_d_and_r():
    """Where a task always succeeds or always fails, pairs show what one interruption does."""
    effect = Effect(p=0.4, d=0.1, r=0.5, spread=1e6)
    found = pilot(*both(effect, 1, 3000))
    assert found.failure_rate.value == pytest.approx(0.4, abs=0.03)
    assert found.disruption.value == pytest.approx(0.1, abs=0.02)
    assert found.recovery.value == pytest.approx(0.5, abs=0.04)
    assert found.threshold.value == pytest.approx(1 / 6, abs=0.03)
    assert found.net.value == pytest.approx(effect.net, abs=0.03)
    assert (found.advice, found.paired, found.luck) == ("gate", True, None)
    assert found.disruption.low <= 0.1 <= found.disruption.high
    assert found.recovery.low <= 0.5 <= found.recovery.high


def test_luck_is_what_a_gate_that_does_nothing_shows():
    found = pilot(*both(Effect(p=0.5, d=0.0, r=0.0, spread=1.0), 0, 3000, each=3))
    # Chances of Beta(1/2, 1/2): a second run fails where the first succeeded in a quarter.
    for rates in (found, found.luck):
        assert rates.disruption.value == pytest.approx(0.25, abs=0.02)
        assert rates.recovery.value == pytest.approx(0.25, abs=0.02)
    assert found.net.value == pytest.approx(0, abs=0.02)


@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), min_size=2, max_size=60),
    st.sampled_from([0.8, 0.95]),
)
@settings(max_examples=30)
def test_the_arithmetic_holds(pairs, confidence):
    found = pilot(*sets(pairs), confidence=confidence)
    assert PilotAdvice.model_validate_json(found.model_dump_json()) == found
    good, after = (np.array(column) for column in zip(*pairs, strict=True))
    assert found.net.value == pytest.approx((after - good).mean(), abs=1e-12)
    p, d, r = found.failure_rate.value, found.disruption, found.recovery
    if d is not None and r is not None:
        assert found.net.value == pytest.approx(r.value * p - d.value * (1 - p), abs=1e-12)
        assert d.value == pytest.approx((1 - after[good == 1]).mean())
        assert r.value == pytest.approx(after[good == 0].mean())
    if found.threshold is not None:
        above = np.sign(p - found.threshold.value) if p != found.threshold.value else 0
        assert abs(p - found.threshold.value) < 1e-9 or above == np.sign(found.net.value)
        assert found.threshold.low <= found.threshold.value <= found.threshold.high


@given(st.integers(0, 25), st.integers(0, 25), st.integers(0, 10))
@settings(max_examples=30)
def test_with_one_run_each_the_advice_is_mcnemars_exact_test(saved, spoilt, alike):
    pairs = [(0, 1)] * saved + [(1, 0)] * spoilt + [(1, 1)] * (alike + 2)
    found = pilot(*sets(pairs))
    gain = stats.binomtest(saved, max(saved + spoilt, 1), 0.5, alternative="greater").pvalue
    loss = stats.binomtest(spoilt, max(saved + spoilt, 1), 0.5, alternative="greater").pvalue
    expected = "gate" if gain < 0.025 else "do not gate" if loss < 0.025 else "more data"
    assert found.advice == expected


def advised(effect: Effect, repeats: int, tasks: int, each: int, *, paired: bool) -> dict[str, int]:
    counts = {"gate": 0, "do not gate": 0, "more data": 0, "covered": 0}
    for seed in range(repeats):
        without, under = both(effect, seed, tasks, each)
        if not paired:
            under = both(effect, seed + 10_000, tasks + 30, each)[1]
            under = [r.model_copy(update={"group": f"other-{r.group}"}) for r in under]
        found = pilot(without, under)
        counts[found.advice] += 1
        counts["covered"] += found.net.low <= effect.net <= found.net.high
        assert found.paired == paired
    return counts


@pytest.mark.parametrize("paired", [True, False])
def test_advice_is_right_where_the_effect_is_large(paired):
    gain, loss = Effect(p=0.6, d=0.05, r=0.6), Effect(p=0.2, d=0.5, r=0.3)
    for effect, right in ((gain, "gate"), (loss, "do not gate")):
        counts = advised(effect, 15, 60, 2, paired=paired)
        assert counts[right] >= 12, counts


def few(repeats: int, rate: float = 0.05) -> int:
    return int(stats.binom.ppf(0.999, repeats, rate))


def test_no_effect_is_rarely_taken_for_one():
    counts = advised(Effect(p=0.4, d=0.2, r=0.3), 40, 40, 2, paired=True)
    assert counts["gate"] + counts["do not gate"] <= few(40)


@pytest.mark.long
@pytest.mark.parametrize("paired", [True, False])
@pytest.mark.parametrize(("tasks", "each"), [(12, 1), (40, 1), (40, 4)])
@pytest.mark.parametrize("effect", [Effect(0.4, 0.2, 0.3), Effect(0.5, 0.1, 0.4, share=0.5)])
def test_intervals_hold_the_net_effect(effect, tasks, each, paired):
    counts = advised(effect, 150, tasks, each, paired=paired)
    assert 150 - counts["covered"] <= few(150), counts


def test_more_groups_is_told_and_about_right():
    effect, enough, told = Effect(p=0.5, d=0.1, r=0.35), 0, []
    for seed in range(12):
        found = pilot(*both(effect, seed, 30))
        if found.more_groups is not None:
            told.append(found.more_groups)
            enough += pilot(*both(effect, seed + 100, 30 + found.more_groups)).advice == "gate"
    assert len(told) >= 5
    assert enough >= len(told) / 2


def test_sets_without_a_difference_name_no_number():
    found = pilot(*sets([(1, 1), (0, 0), (1, 1)]))
    assert (found.advice, found.more_groups, found.threshold) == ("more data", None, None)
    assert "are 0" in " ".join(found.arithmetic)


def test_where_nothing_fails_there_is_nothing_to_recover():
    found = pilot(*sets([(1, 0)] * 10))
    assert (found.advice, found.recovery, found.threshold) == ("do not gate", None, None)
    assert "No run fails without interventions" in found.arithmetic[0]
    assert "No run succeeds" in pilot(*sets([(0, 1)] * 10)).arithmetic[0]


def test_groups_of_one_set_alone_are_left_out_and_counted():
    without, under = sets([(0, 1)] * 8 + [(1, 1)] * 8)
    alone = [run(f"x{i}", f"alone{i}", 1.0) for i in range(5)]
    found = pilot([*without, *alone], under)
    assert (found.paired, found.unmatched, found.baseline.groups) == (True, 5, 21)
    assert found.net == pilot(without, under).net
    assert "5 groups are in one set only" in str(found)


def test_few_groups_in_both_sets_are_left_out_instead():
    rng = np.random.default_rng(0)
    effect = Effect(p=0.5, d=0.0, r=0.9)
    without = effect.runs(rng, effect.chances(rng, 30), 1, gated=False, name="a")
    under = effect.runs(rng, effect.chances(rng, 70), 1, gated=True, name="b")
    both_ways = [run("s", "a-0", 0.0, True), run("t", "a-1", 0.0, True)]
    found = pilot(without, [*under, *both_ways])
    assert (found.paired, found.unmatched) == (False, 4)
    assert (found.disruption, found.recovery, found.threshold) == (None, None, None)
    assert found.net.n == 28
    assert "in both sets, too few to compare" in str(found)


def test_a_run_that_a_gate_ended_has_failed_and_one_without_outcome_is_left_out():
    without, under = sets([(1, 1)] * 6)
    aborted = ac.Intervention(step=0, kind="aborted", by="agentcal")
    under[0] = run("i0", "t0", None, kind=aborted)
    under[1] = run("i1", "t1", None).model_copy(update={"end_reason": "abstained"})
    without[2] = run("b2", "t2", None)
    found = pilot(without, under)
    assert (found.intervened.ended, found.intervened.succeeded) == (2, 4)
    assert (found.baseline.left_out, found.baseline.groups) == (1, 5)
    assert found.disruption.value == pytest.approx(2 / 5)


def test_runs_that_were_let_go_on_count_too():
    effect = Effect(p=0.5, d=0.0, r=0.8, spread=0.0, share=0.5)
    found = pilot(*both(effect, 0, 1500))
    assert found.intervened.intervened == pytest.approx(750, abs=60)
    assert found.net.value == pytest.approx(effect.net, abs=0.05)
    share = found.intervened.intervened / 1500
    per_interruption = f"{100 * found.net.value / share:+.1f}"
    assert per_interruption in " ".join(found.arithmetic)


def test_groups_may_be_anything_that_the_runs_name():
    without, under = sets([(0, 1)] * 40)
    named = [
        [r.model_copy(update={"family": f"f{i % 20}", "group": None}) for i, r in enumerate(runs)]
        for runs in (without, under)
    ]
    assert pilot(*named, group="family").baseline.groups == 20
    assert pilot(without, under, group=lambda r: r.group[:2]).baseline.groups == 10


RESUMED = ac.Intervention(step=0, kind="resumed")


@pytest.mark.parametrize(
    ("change", "error", "why"),
    [
        ({"success_at": 0}, ConfigError, "success_at"),
        ({"confidence": 95}, ConfigError, "confidence"),
        ({"group": "day"}, ConfigError, "day"),
        ({"group": "family"}, ConfigError, "names no family"),
        ({"baseline_runs": []}, NotEnoughData, "first set"),
        ({"intervened_runs": [run("i", "t", None)]}, NotEnoughData, "second set .*1 have none"),
        ({"intervened_runs": [run("i", "t0", 1.0)]}, ConfigError, "record what was done"),
        ({"intervened_runs": [run("i", "t0", 1.0, kind=RESUMED)]}, ConfigError, "record what"),
        ({"intervened_runs": [run("i", "t0", 1.0, True)]}, NotEnoughData, "at least 2"),
        ({"intervened_runs": [run("i", "x", 1.0, True)]}, NotEnoughData, "at least 2"),
    ],
)
def test_wrong_input_is_refused(change, error, why):
    without, under = sets([(0, 1)] * 5)
    given_ = {"baseline_runs": without, "intervened_runs": under} | change
    with pytest.raises(error, match=why):
        pilot(**given_)


def test_sets_the_wrong_way_round_are_noticed():
    without, under = sets([(0, 1)] * 5)
    with pytest.raises(ConfigError, match="wrong way round"):
        pilot(under, without)
