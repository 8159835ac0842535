"""Budget and time, on runs whose values are worked out by hand."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import agentcal as ac
from agentcal.features import FEATURES, decision_points
from agentcal.features.budget import Budget

NAMES = [feature.name for feature in FEATURES]
OWN = {feature.name: feature for feature in Budget.features}
nan = math.nan


def rows(*steps: ac.Step, limits: ac.Limits | None = None) -> list[dict[str, float]]:
    run = ac.Trajectory(run_id="r", task="t", steps=list(steps), limits=limits)
    return [dict(zip(NAMES, p.vector.tolist(), strict=True)) for p in decision_points(run)]


def check(row: dict[str, float], **expected: float) -> None:
    assert {name: row[name] for name in expected} == pytest.approx(expected, nan_ok=True)


def step(
    text: str = "x", read: int | None = None, written: int | None = None, s: float | None = None
) -> ac.Step:
    usage = ac.Usage(input_tokens=read, output_tokens=written)
    return ac.Step(text=text, usage=usage if (read, written) != (None, None) else None, latency_s=s)


def test_without_limits_and_records_nothing_is_known() -> None:
    row = rows(ac.Step(text="x"))[0]
    assert all(math.isnan(row[name]) for name in OWN)


def test_share_of_the_step_limit() -> None:
    first, second, third, _ = rows(*[step()] * 3, limits=ac.Limits(steps=2))
    check(
        first, steps_used_share=1 / 2, turns_left=1, tokens_used_share=nan, seconds_used_share=nan
    )
    check(second, steps_used_share=1, turns_left=0)
    check(third, steps_used_share=1, turns_left=0)  # beyond the limit


def test_share_of_the_token_limit_counts_input_and_output() -> None:
    first, second, third, _ = rows(
        step(read=100, written=20), step(read=150, written=30), step(), limits=ac.Limits(tokens=600)
    )
    check(first, tokens_used_share=120 / 600, input_tokens=100, output_tokens_ratio=nan)
    check(second, tokens_used_share=300 / 600, turns_left=2, input_tokens=150)
    check(second, output_tokens_ratio=30 / 20)
    check(third, tokens_used_share=300 / 600, turns_left=3, input_tokens=nan)
    check(third, output_tokens_ratio=nan, steps_used_share=nan)


def test_share_of_the_time_limit_counts_turns_and_results() -> None:
    call = ac.ToolCall(name="f", result="x", status="ok", duration_s=4.0)
    steps = [ac.Step(latency_s=2.0, tool_calls=[call]), step(s=2.0)]
    first, second, finished = rows(*steps, limits=ac.Limits(seconds=10.0))
    check(first, elapsed_s=2, seconds_used_share=0.2, turns_left=4)
    check(second, elapsed_s=8, seconds_used_share=0.8, turns_left=1 / 2)
    check(finished, elapsed_s=8)
    check(rows(*steps)[1], elapsed_s=8, seconds_used_share=nan, turns_left=nan)


def test_the_tightest_limit_says_what_is_left() -> None:
    limits = ac.Limits(steps=10, tokens=100, seconds=40.0)
    row = rows(step(read=30, written=20, s=4.0), limits=limits)[0]
    check(row, steps_used_share=0.1, tokens_used_share=0.5, seconds_used_share=0.1, turns_left=1)


def test_a_limit_whose_use_is_unknown_tells_nothing() -> None:
    row = rows(step(), limits=ac.Limits(tokens=100, seconds=9.0))[0]
    check(row, tokens_used_share=nan, seconds_used_share=nan, turns_left=nan)


def test_usage_without_output_tokens() -> None:
    first, second, third, _ = rows(step(read=5), step(written=4), step(written=8))
    check(first, input_tokens=5, output_tokens_ratio=nan)
    check(second, input_tokens=nan, output_tokens_ratio=nan)
    check(third, output_tokens_ratio=2)


def test_pace_of_time_and_text() -> None:
    call = ac.ToolCall(name="f", arguments={"a": 1})  # {"a":1} has 7 characters
    first, second, third, _ = rows(
        ac.Step(text="abc", latency_s=3.0),
        ac.Step(text="abcde", tool_calls=[call], latency_s=9.0),
        ac.Step(latency_s=None),
    )
    check(first, latency_pace=nan, text_pace=nan)
    # recent: 3 + (9 - 3) / 3 = 5, mean 6; 3 + (12 - 3) / 3 = 6, mean 7.5
    check(second, latency_pace=5 / 6, text_pace=6 / 7.5)
    # recent: 6 + (0 - 6) / 3 = 4, mean 5
    check(third, latency_pace=5 / 6, text_pace=4 / 5)
    check(rows(ac.Step(), ac.Step())[1], text_pace=nan)


STEPS = st.lists(
    st.builds(
        ac.Step,
        text=st.sampled_from(["", "abc", "a" * 999]),
        usage=st.none()
        | st.builds(
            ac.Usage,
            input_tokens=st.none() | st.integers(0, 10**9),
            output_tokens=st.none() | st.integers(0, 10**9),
        ),
        latency_s=st.none() | st.floats(0, allow_infinity=False),
        tool_calls=st.lists(
            st.builds(
                ac.ToolCall,
                name=st.just("f"),
                result=st.just("x"),
                status=st.just("ok"),
                duration_s=st.none() | st.floats(0, 1e300),
            ),
            max_size=2,
        ),
    ),
    max_size=6,
)
LIMITS = st.builds(
    ac.Limits,
    steps=st.none() | st.integers(1, 5),
    tokens=st.none() | st.integers(1, 10**6),
    seconds=st.none() | st.floats(0, 1e300, exclude_min=True),
)


@settings(max_examples=200)
@given(STEPS, st.none() | LIMITS)
def test_any_budget_stays_in_range_and_prefixes_agree(
    steps: list[ac.Step], limits: ac.Limits | None
) -> None:
    run = ac.Trajectory(run_id="r", steps=steps, limits=limits)
    whole = list(decision_points(run))
    for k, point in enumerate(whole[:-1], 1):
        row = dict(zip(NAMES, point.vector.tolist(), strict=True))
        for name, feature in OWN.items():
            fine = feature.low <= row[name] <= feature.high and math.isfinite(row[name])
            assert fine or math.isnan(row[name]), (name, row[name])
        cut = list(decision_points(run.prefix(k)))[k - 1]
        assert cut.vector.tobytes() == point.vector.tobytes()
