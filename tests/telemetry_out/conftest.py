from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import pytest

import agentcal as ac
from agentcal.recorder import Recorder, Run
from agentcal.telemetry import SpanObserver
from agentcal.testing import CapturedTelemetry, capture_telemetry

CANARY = "canary-4711"


class Says:
    """Stands in for a calibrator: gives the values in turn, with and without support."""

    def __init__(self, *values: float, supported: bool = True) -> None:
        self.values, self.supported = list(values), supported

    def predict(self, point: ac.DecisionPoint, **_: Any) -> ac.Confidence:
        value = self.values[point.turn - 1]
        return ac.Confidence(
            value=value,
            low=value - 0.1,
            high=value + 0.05,
            thinness=0.2,
            support=0.4 if self.supported else 0.001,
            supported=self.supported,
            kind=point.kind,
            turn=point.turn,
            fingerprint="f1",
        )


class Watched:
    """A recorder with a SpanObserver, and what came out of it."""

    def __init__(self, to: CapturedTelemetry) -> None:
        self.to = to

    def observer(self, **settings: Any) -> SpanObserver:
        given = {
            "tracer_provider": self.to.tracer_provider,
            "meter_provider": self.to.meter_provider,
            "logger_provider": self.to.logger_provider,
        }
        return SpanObserver(**{**given, **settings})

    def recorder(self, *scores: float, supported: bool = True, **settings: Any) -> Recorder:
        judge = cast(ac.Calibrator, Says(*scores, supported=supported)) if scores else None
        return Recorder(judge, observers=[self.observer(**settings)])

    def named(self, prefix: str) -> list[Any]:
        return [span for span in self.to.spans if span.name.startswith(prefix)]


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    monkeypatch.delenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", raising=False)
    with capture_telemetry() as to:
        yield Watched(to)


def asks(
    *names: str, text: str = "", latency_s: float | None = 0.25, call_id: str = "c{0}"
) -> ac.Step:
    """A model turn that calls tools."""
    return ac.Step(
        text=text,
        tool_calls=[
            ac.ToolCall(id=call_id.format(i), name=name, arguments={"to": CANARY})
            for i, name in enumerate(names)
        ],
        usage=ac.Usage(input_tokens=100, output_tokens=7, reasoning_tokens=3),
        latency_s=latency_s,
        model="gpt-x",
    )


def two_turns(recorder: Recorder, *, run_id: str = "r1", status: Any = "ok") -> Run:
    """A request that takes one tool call and an answer, with the canary wherever text goes."""
    run = recorder.start(
        run_id=run_id,
        conversation="thread-7",
        task=f"do {CANARY}",
        system=f"be {CANARY}",
        tools=[ac.ToolDeclaration(name="pay", description=CANARY)],
        agent="clerk",
        model="gpt-x",
        group="g1",
        family="f1",
        metadata={"note": CANARY},
    )
    run.replied(asks("pay", text=f"I pay {CANARY}"))
    run.called("c0")
    run.returned("c0", f"paid {CANARY}", status, 0.5)
    run.message(f"also {CANARY}")
    run.replied(ac.Step(text=f"done {CANARY}", reasoning=CANARY, latency_s=0.125))
    return run


@pytest.fixture(scope="session")
def calibrator() -> ac.Calibrator:
    """A real one, fitted on a few runs of the sample."""
    runs = list(ac.sample_runs())
    groups = set(sorted({run.group or "" for run in runs})[:40])
    few = [run for run in runs if run.group in groups]
    return ac.fit(few, nested=False, progress=False)
