"""One run, read as a whole and point by point."""

from __future__ import annotations

import json
import math
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from agentcal.errors import ConfigError
from agentcal.sequential import AlarmBound, Normaliser, Signs, fit_alarm
from agentcal.sequential._watch import SILENT, Watch

from .worlds import Drawn, alike

SCORES = st.floats(-5, 5) | st.just(math.nan) | st.sampled_from([math.inf, -math.inf, 1e300])
TRAILS = st.lists(SCORES, max_size=12)
PAIRS = st.lists(st.tuples(SCORES, st.floats(0, 1) | st.just(math.nan)), max_size=12)


@cache
def bound_of(quiet_turns: int = 0, second: bool = False) -> AlarmBound:
    drawn = Drawn.of(alike(400, 1).groups)
    rng = np.random.default_rng(0)
    other = [rng.random(len(run)).tolist() for run in drawn.sequences]
    return fit_alarm(
        *drawn,
        false_alarm_rate=0.2,
        quiet_turns=quiet_turns,
        second=other if second else None,
    )


BOUNDS = st.sampled_from([0, 1, 3]).map(bound_of)


@given(BOUNDS, TRAILS)
def test_read_as_a_whole_it_is_what_it_is_point_by_point(
    bound: AlarmBound, trail: list[float]
) -> None:
    watch, first = bound.watch(), None
    for turn, value in enumerate(trail, 1):
        fired = watch.push(value)
        assert (watch.turn, watch.fired) == (turn, fired)
        assert watch.score == bound.running(trail[:turn])
        assert fired is bound.fires(trail[:turn]) is (watch.score > bound.threshold)
        first = turn if fired and first is None else first
    assert bound.first(trail) == first


@given(BOUNDS, TRAILS, TRAILS)
def test_what_comes_later_changes_nothing_of_what_was(
    bound: AlarmBound, before: list[float], after: list[float]
) -> None:
    assert bound.running([*before, *after]) >= bound.running(before)
    if (first := bound.first(before)) is not None:
        assert bound.first([*before, *after]) == first


@given(PAIRS)
def test_with_a_second_signal_too(pairs: list[tuple[float, float]]) -> None:
    bound = bound_of(second=True)
    values, second = [a for a, _ in pairs], [b for _, b in pairs]
    watch = bound.watch()
    fired = [watch.push(a, b) for a, b in pairs]
    assert fired == sorted(fired)
    assert bound.fires(values, second) is any(fired)
    assert bound.running(values, second) == watch.score
    assert not bound.fires(values, [1.0] * len(values))
    lows = np.fmin.accumulate([math.inf, *second])[1:]
    assert not any(f for f, low in zip(fired, lows, strict=True) if low > (bound.agrees_at or 0))


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=9))
def test_the_signs_are_what_they_are_said_to_be(values: list[float]) -> None:
    seen: list[tuple[int, Signs]] = []

    def note(turn: int, *signs: float) -> float:
        seen.append((turn, Signs(*signs)))
        return 0.0

    watch = Watch(note, centre=1.0, scale=2.0, quiet_turns=0, agrees_at=None, threshold=0.0)
    for value in values:
        watch.push(value)
    z = (np.array(values) - 1) / 2
    for t, (turn, signs) in enumerate(seen, 1):
        assert turn == t
        assert signs.last == pytest.approx(z[t - 1])
        assert signs.mean == pytest.approx(z[:t].mean(), abs=1e-12)
        assert signs.recent == pytest.approx(
            np.average(z[:t], weights=0.5 ** np.arange(t)[::-1]), abs=1e-12
        )
        assert signs.change == pytest.approx(z[t - 1] - z[t - 2] if t > 1 else 0.0)


def test_a_missing_score_is_neither_good_nor_bad_but_time_goes_on() -> None:
    bound = bound_of(quiet_turns=3)
    assert bound.running([math.nan] * 9) == SILENT
    bad = [-5.0] * 6
    assert bound.first(bad) == 4
    assert bound.first([math.nan, *bad]) == 4
    assert bound.first([*bad[:3], math.nan, *bad]) == 5


def test_infinite_scores_are_the_best_and_the_worst() -> None:
    plain = AlarmBound(
        false_alarm_rate=0.1,
        confidence=0.95,
        n=29,
        rank=29,
        threshold=0.0,
        quiet_turns=0,
        normaliser=Normaliser(),
        fitted=0,
    )
    assert plain.running([-math.inf]) > plain.running([-1e6]) > plain.running([1e6, math.inf])
    assert plain.fires([math.inf, -math.inf])
    assert not plain.fires([math.inf, 0.0])


@pytest.mark.parametrize("bound", [bound_of(), bound_of(3), bound_of(second=True)])
def test_it_comes_back_from_json_as_it_was(bound: AlarmBound) -> None:
    text = bound.model_dump_json()
    again = AlarmBound.model_validate_json(text)
    assert again == bound
    assert AlarmBound.model_validate(json.loads(json.dumps(bound.model_dump(mode="json")))) == bound
    rng = np.random.default_rng(0)
    for _ in range(50):
        values = rng.normal(0, 1, 6).tolist()
        second = None if bound.agrees_at is None else rng.random(6).tolist()
        assert again.running(values, second) == bound.running(values, second)


def test_one_that_was_tampered_with_is_refused() -> None:
    good = bound_of().model_dump(mode="json")
    table = good["normaliser"]
    wrong = [
        good | {"rank": good["n"] + 1},
        good | {"threshold": math.nan},
        good | {"false_alarm_rate": 1.0},
        good | {"surprise": 1},
        good | {"normaliser": table | {"turns": [*table["turns"], 99.0]}},
        good | {"normaliser": table | {"edges": [[2.0, 1.0], [], [], []]}},
        good | {"normaliser": table | {"values": table["values"][:-1]}},
        good | {"normaliser": table | {"scale": 0.0}},
    ]
    for fields in wrong:
        with pytest.raises(ValidationError):
            AlarmBound.model_validate(fields)


def test_the_second_signal_is_asked_for_and_refused() -> None:
    with pytest.raises(ConfigError, match="with a second signal"):
        bound_of(second=True).fires([0.1])
    with pytest.raises(ConfigError, match="without a second signal"):
        bound_of().running([0.1], [0.1])
    with pytest.raises(ConfigError, match="2 points of the second signal for 1 scores"):
        bound_of(second=True).first([0.1], [0.1, 0.2])


@settings(max_examples=30)
@given(st.lists(st.floats(-3, 3), min_size=1, max_size=8), st.floats(0.1, 10), st.floats(-5, 5))
def test_units_do_not_matter(values: list[float], scale: float, shift: float) -> None:
    """The same alarm for scores in other units: its normaliser has them too."""
    bound = bound_of()
    inner = bound.normaliser
    fields = {"centre": inner.centre * scale + shift, "scale": inner.scale * scale}
    moved = bound.model_copy(update={"normaliser": inner.model_copy(update=fields)})
    # Off the edges of the step tables rounding cannot matter.
    safe = [round(v, 2) + 0.00123 for v in values]
    assert moved.running([v * scale + shift for v in safe]) == pytest.approx(
        bound.running(safe), abs=0.3
    )
