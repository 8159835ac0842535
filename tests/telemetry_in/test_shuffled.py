"""Spans in any order, many times or not at all; from real runs under every tracer."""

from __future__ import annotations

import json
import random
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentcal import Trajectory, decision_points
from agentcal.formats import Context
from agentcal.telemetry._collect import Collector
from agentcal.telemetry._otlp_proto import read_protobuf
from agentcal.telemetry._raw import RawSpan
from tests.telemetry_in.conftest import Recorded
from tests.telemetry_in.matrix import COLUMNS

FEW = settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
HARD = ["rich", "two_requests", "asks_in_tool", "reviewed", "as_tool", "handed_over", "retried"]


def told(spans: list[RawSpan]) -> list[Trajectory]:
    collector = Collector()
    for span in spans:
        collector.add(span)
    found = collector.runs(lambda _: Context(Path("spans"), "spans"))
    return [run for run, _ in found if run is not None]


@pytest.fixture(scope="session")
def spans_of(recorded: Recorded) -> Any:
    @cache
    def read(tracer: str, scenario: str) -> list[RawSpan]:
        data = (recorded(tracer) / f"{scenario}.binpb").read_bytes()
        return [item for item in read_protobuf(data) if isinstance(item, RawSpan)]

    return read


each_tracer = pytest.mark.parametrize("tracer", list(COLUMNS))


@each_tracer
@FEW
@given(st.data())
def test_order_and_copies_change_nothing(spans_of: Any, tracer: str, data: st.DataObject) -> None:
    spans = spans_of(tracer, data.draw(st.sampled_from(HARD)))
    known = told(spans)
    chance = random.Random(data.draw(st.integers(0, 2**32)))
    mixed = [*spans, *chance.choices(spans, k=chance.randrange(6))]
    chance.shuffle(mixed)
    assert told(mixed) == known


@each_tracer
@FEW
@given(st.data())
def test_what_is_left_is_told_as_far_as_it_goes(
    spans_of: Any, tracer: str, data: st.DataObject
) -> None:
    spans = spans_of(tracer, data.draw(st.sampled_from(HARD)))
    left = [span for span in spans if data.draw(st.booleans(), label=span.name)]
    found = told(left)
    for run in found:
        assert list(decision_points(run))
        assert Trajectory.model_validate_json(run.model_dump_json()) == run
    at_work = {span.trace_id for span in left if _asks_a_model(span)}
    assert bool(found) or not at_work
    calls = sum(len(step.tool_calls) for run in found for step in run.steps)
    assert calls <= sum(len(step.tool_calls) for run in told(spans) for step in run.steps) + 1


def _asks_a_model(span: RawSpan) -> bool:
    return (
        span.attributes.get("gen_ai.operation.name") == "chat"
        or span.attributes.get("openinference.span.kind") == "LLM"
    )


@each_tracer
def test_any_one_span_may_be_lost(spans_of: Any, tracer: str) -> None:
    """Whichever it is, the run is whole or says that it is not."""
    spans = spans_of(tracer, "rich")
    (known,) = told(spans)
    for lost in spans:
        (run,) = told([span for span in spans if span is not lost])
        assert run.gaps or _what_matters(run) == _what_matters(known), lost.name


def _what_matters(run: Trajectory) -> dict[str, Any]:
    """Of a lost tool, the next input has the result; of a lost root, another one has the rest."""
    call = {"duration_s", "status"}
    steps = {"__all__": {"tool_calls": {"__all__": call}}}
    return run.model_dump(exclude={"run_id": True, "started_at": True, "steps": steps})


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2)
    ),
    max_leaves=4,
)


@each_tracer
@FEW
@given(st.data())
def test_any_value_in_any_attribute(spans_of: Any, tracer: str, data: st.DataObject) -> None:
    """What others write is not ours to rely on: other spans are told all the same."""
    spans = spans_of(tracer, data.draw(st.sampled_from(HARD)))
    victim = data.draw(st.sampled_from(spans))
    name = data.draw(st.sampled_from(sorted(victim.attributes) or ["x"]))
    value = data.draw(ODD)
    odd = data.draw(
        st.sampled_from([value, json.dumps(value), f'{{"messages": {json.dumps(value)}}}'])
    )
    changed = RawSpan(**{f: getattr(victim, f) for f in RawSpan.__slots__})
    changed.attributes = {**victim.attributes, name: odd}
    found = told([changed if span is victim else span for span in spans])
    assert found
    for run in found:
        assert Trajectory.model_validate_json(run.model_dump_json()) == run
