"""The data model: plain JSON, lossless, and honest about what was not known at a prefix."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

import agentcal as ac
from agentcal.trajectory import WAITING

TEXT = st.text(max_size=30)
SCALARS = st.none() | st.booleans() | st.integers(-(10**9), 10**9) | TEXT
ARGUMENTS = st.dictionaries(TEXT, SCALARS | st.lists(SCALARS, max_size=3), max_size=3)
CALLS = st.builds(
    ac.ToolCall,
    id=TEXT,
    name=TEXT,
    arguments=ARGUMENTS | st.none(),
    raw_arguments=st.none() | TEXT,
    result=st.none() | TEXT,
    status=st.sampled_from(["ok", "error", "missing", "rejected", "edited"]),
    duration_s=st.none() | st.floats(0, 1e6),
)
STEPS = st.builds(
    ac.Step,
    inputs=st.lists(st.builds(ac.Message, role=st.just("user"), text=TEXT), max_size=2),
    text=TEXT,
    tool_calls=st.lists(CALLS, max_size=3),
    usage=st.none() | st.builds(ac.Usage, output_tokens=st.integers(0, 10**6)),
    stated_confidence=st.none() | st.floats(0, 1),
)
RUNS = st.builds(
    ac.Trajectory,
    run_id=st.text(min_size=1, max_size=10),
    task=TEXT,
    steps=st.lists(STEPS, max_size=4),
    outcome=st.none() | st.builds(ac.Outcome, value=st.floats(0, 1)),
    metadata=ARGUMENTS,
)


@given(RUNS)
@settings(max_examples=100)
def test_json_round_trip_is_lossless(run: ac.Trajectory) -> None:
    assert ac.Trajectory.model_validate_json(run.model_dump_json()) == run
    assert ac.Trajectory.model_validate_json(run.model_dump_json(exclude_defaults=True)) == run


def test_every_field_survives_a_round_trip() -> None:
    run = ac.Trajectory(
        run_id="r",
        group="g",
        agent="a",
        model="m",
        task="t",
        system="s",
        tools=[ac.ToolDeclaration(name="send", destructive=True, parameters={"type": "object"})],
        steps=[
            ac.Step(
                text="x",
                reasoning="y",
                logprobs=ac.TokenLogprobs(tokens=["x"], logprobs=[-0.5], top=[[-0.5, -1.0]]),
                usage=ac.Usage(input_tokens=1, output_tokens=2, reasoning_tokens=3),
                latency_s=0.5,
                stated_confidence=0.7,
            )
        ],
        trailing_inputs=[ac.Message(role="user", text="thanks")],
        interventions=[ac.Intervention(step=0, kind="edited", by="ann", waited_s=2.5)],
        end_reason="max_steps",
        outcome=ac.Outcome(value=0.5, source="orders", at=datetime(2026, 1, 2, tzinfo=UTC)),
        started_at=datetime(2026, 1, 1, tzinfo=UTC),
        metadata={"deep": {"list": [1, None]}},
    )
    text = run.model_dump_json()
    json.loads(text)
    assert ac.Trajectory.model_validate_json(text) == run


def test_log_probabilities_that_are_not_finite_become_missing() -> None:
    values = ac.TokenLogprobs(logprobs=[float("-inf"), float("nan"), -1.0], top=[[], [], []])
    assert values.logprobs == [None, None, -1.0]
    assert json.loads(values.model_dump_json())["logprobs"] == [None, None, -1.0]


def test_log_probabilities_of_other_length_than_the_tokens_are_refused() -> None:
    with pytest.raises(ValidationError, match="tokens has 1 entries, logprobs has 2"):
        ac.TokenLogprobs(tokens=["a"], logprobs=[-1.0, -2.0])


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_an_outcome_outside_its_range_is_refused(value: float) -> None:
    with pytest.raises(ValidationError):
        ac.Outcome(value=value)


@pytest.mark.parametrize("waited_s", [-0.1, float("nan"), float("inf")])
def test_a_wait_that_no_clock_measured_is_refused(waited_s: float) -> None:
    with pytest.raises(ValidationError):
        ac.Intervention(step=0, kind="approved", waited_s=waited_s)


def _call(status: str = "ok") -> ac.ToolCall:
    return ac.ToolCall(name="get", result="value", status=status, duration_s=1.0)


def test_a_prefix_knows_nothing_of_what_came_after_its_last_proposal() -> None:
    run = ac.Trajectory(
        run_id="r",
        steps=[ac.Step(tool_calls=[_call()]), ac.Step(tool_calls=[_call()]), ac.Step(text="end")],
        interventions=[ac.Intervention(step=s, kind="approved") for s in (0, 1)],
        end_reason="abstained",
        outcome=ac.Outcome(value=1),
        metadata={WAITING: 2, "user": "u1"},
    )
    prefix = run.prefix(2)
    first, second = (step.tool_calls[0] for step in prefix.steps)
    assert first == _call()
    assert (second.result, second.status, second.duration_s) == (None, "missing", None)
    assert [i.step for i in prefix.interventions] == [0]
    assert (prefix.end_reason, prefix.outcome) == ("unknown", None)
    assert prefix.metadata == {"user": "u1"}
    assert run.steps[1].tool_calls[0].result == "value"


def test_stated_confidence_is_the_last_that_was_stated() -> None:
    steps = [ac.Step(stated_confidence=0.9), ac.Step(stated_confidence=0.4), ac.Step()]
    assert ac.Trajectory(run_id="r", steps=steps).stated_confidence == 0.4
    assert ac.Trajectory(run_id="r").stated_confidence is None


def test_a_run_of_500_turns_is_no_problem() -> None:
    step = ac.Step(text="looking" * 20, tool_calls=[_call()])
    run = ac.Trajectory(run_id="long", steps=[step.model_copy(deep=True) for _ in range(500)])
    started = time.process_time()
    assert ac.Trajectory.model_validate_json(run.model_dump_json()) == run
    assert sum(1 for _ in ac.decision_points(run)) == 501
    assert time.process_time() - started < 5
