from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentcal.features import FEATURES, decision_points
from agentcal.features.structure import Structure
from agentcal.trajectory import EndReason, Message, Step, ToolCall, Trajectory, Usage

NAMES = [feature.name for feature in FEATURES]
OWN = {feature.name: feature for feature in Structure.features}
nan = math.nan


def rows(trajectory: Trajectory) -> list[dict[str, float]]:
    return [dict(zip(NAMES, p.vector.tolist(), strict=True)) for p in decision_points(trajectory)]


def check(row: dict[str, float], **expected: float) -> None:
    found = {name: row[name] for name in expected}
    assert found == pytest.approx(expected, nan_ok=True)


def call(argument: str, result: str | None, seconds: float | None = None) -> ToolCall:
    status = "missing" if result is None else "ok"
    return ToolCall(
        name="get", arguments={"k": argument}, result=result, status=status, duration_s=seconds
    )


RUN = Trajectory(
    run_id="r",
    task="find the  red book",
    steps=[
        Step(
            text="I look",
            tool_calls=[call("ab", "12345", 0.5), call("", "1")],
            usage=Usage(output_tokens=7),
            latency_s=2.0,
        ),
        Step(tool_calls=[call("abcd", "123456789")], latency_s=4.0),
        Step(inputs=[Message(role="user", text="well?")], text="here", latency_s=1.5),
    ],
    trailing_inputs=[Message(role="agent", text="more"), Message(role="user", text="thanks")],
    end_reason="answered",
)


def test_sizes_by_hand() -> None:
    first, second, third, end = rows(RUN)
    check(
        first, turns=1, calls=2, calls_in_turn=2, answer_turn_share=0, user_messages=0,
        turns_since_message=1, task_chars=18, task_words=4, text_chars=6, text_chars_mean=6,
        text_chars_max=6, text_empty=0, argument_chars=len('{"k":"ab"}{"k":""}'),
        argument_chars_mean=9, result_chars_last=nan, result_chars_mean=nan, result_chars_max=nan,
        result_s=nan, output_tokens=7, output_tokens_total=7, latency_s=2, latency_ratio=nan,
    )  # fmt: skip
    check(
        second, turns=2, calls=3, calls_in_turn=1, turns_since_message=2, text_chars=0,
        text_chars_mean=3, text_chars_max=6, text_empty=1, argument_chars=12,
        argument_chars_mean=10, result_chars_last=1, result_chars_mean=3, result_chars_max=5,
        result_s=nan, output_tokens=nan, output_tokens_total=7, latency_s=4, latency_ratio=2,
    )  # fmt: skip
    check(
        third, turns=3, calls=3, calls_in_turn=0, answer_turn_share=1 / 3, user_messages=1,
        turns_since_message=1, text_chars=4, text_chars_max=6, argument_chars=0,
        result_chars_last=9, result_chars_mean=5, result_chars_max=9, latency_ratio=0.5,
    )  # fmt: skip
    check(end, user_messages=2, turns_since_message=0, turns=3, ended_abnormally=0)


def test_the_duration_of_the_newest_result() -> None:
    trajectory = Trajectory(run_id="r", steps=[Step(tool_calls=[call("a", "b", 1.25)]), Step()])
    assert [row["result_s"] for row in rows(trajectory)] == pytest.approx(
        [nan, 1.25, 1.25], nan_ok=True
    )


def test_a_run_without_turns() -> None:
    (row,) = rows(Trajectory(run_id="r", task="hello", end_reason="error"))
    known = {"turns", "calls", "user_messages", "turns_since_message", "task_chars", "task_words"}
    for name, feature in OWN.items():
        assert math.isnan(row[name]) is (name not in known)
        assert name in known or feature.missing
    check(row, turns=0, task_chars=5, task_words=1, ended_abnormally=1)


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        *(("answered", 0), ("unknown", nan)),
        *((why, 1) for why in ("max_steps", "error", "interrupted", "cancelled", "abstained")),
    ],
)
def test_how_it_ended_shows_on_the_finished_row_alone(reason: EndReason, code: float) -> None:
    *gated, end = rows(RUN.model_copy(update={"end_reason": reason}))
    assert all(math.isnan(row["ended_abnormally"]) for row in gated)
    check(end, ended_abnormally=code)


def test_empty_arguments_and_texts_divide_by_nothing() -> None:
    first, end = rows(Trajectory(run_id="r", steps=[Step(latency_s=0.0)]))
    check(first, argument_chars_mean=nan, text_empty=1, latency_ratio=nan, answer_turn_share=1)
    check(end, text_chars_max=0)


STEPS = st.builds(
    Step,
    text=st.text(max_size=5),
    inputs=st.lists(st.builds(Message, role=st.just("user"), text=st.text(max_size=3)), max_size=1),
    tool_calls=st.lists(st.builds(call, st.text(max_size=3), st.text(max_size=4)), max_size=2),
    usage=st.none() | st.builds(Usage, output_tokens=st.none() | st.integers(0, 9)),
    latency_s=st.none() | st.floats(0, allow_infinity=False),
)


@given(st.lists(STEPS, max_size=6))
def test_a_recount_of_the_whole_run_agrees(steps: list[Step]) -> None:
    *_, row = rows(Trajectory(run_id="r", steps=steps))
    results = [len(c.result or "") for s in steps for c in s.tool_calls]
    used = [s.usage.output_tokens for s in steps if s.usage]
    texts = [len(s.text) for s in steps]
    check(
        row,
        turns=len(steps),
        calls=len(results),
        user_messages=sum(len(s.inputs) for s in steps),
        text_chars_max=max(texts, default=nan),
        text_chars_mean=sum(texts) / len(texts) if texts else nan,
        result_chars_max=max(results, default=nan),
        result_chars_mean=sum(results) / len(results) if results else nan,
        output_tokens_total=sum(u for u in used if u is not None)
        if any(u is not None for u in used)
        else nan,
    )
    for name, feature in OWN.items():
        assert math.isnan(row[name]) or feature.low <= row[name] <= feature.high
