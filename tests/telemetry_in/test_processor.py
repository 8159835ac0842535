"""A TrajectoryProcessor in a program that is traced by somebody."""

from __future__ import annotations

import gc
import json
import logging
import os
import threading
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import numpy as np
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

from agentcal import (
    Calibrator,
    Confidence,
    ConfigError,
    DecisionPoint,
    Trajectory,
    decision_points,
)
from agentcal.recorder import QuietObserver, Recorder, RunInfo, SqlitePending
from agentcal.sinks import CallbackSink, MemorySink
from agentcal.telemetry import SpanObserver, TrajectoryProcessor, runs_from_spans
from agentcal.testing import capture_telemetry
from agentcal.trajectory import Step
from tests.telemetry_in.spans import answers, proposes, says, shape, user

HI = [user("hi")]
TOLD = [*HI, says([proposes()]), answers("x")]
WHOLE = [("", [("f", "x", "ok")]), ("bye", [])]


class Judge:
    """Stands in for a calibrator: a tenth for each turn. Keeps what it was asked."""

    def __init__(self) -> None:
        self.points: list[DecisionPoint] = []

    def predict(self, point: DecisionPoint, **_: Any) -> Confidence:
        self.points.append(point)
        return Confidence(
            value=point.turn / 10,
            low=0.0,
            high=1.0,
            thinness=0.0,
            support=1.0,
            supported=True,
            kind=point.kind,
            turn=point.turn,
            fingerprint="f",
        )


def judge() -> Calibrator:
    return cast(Calibrator, Judge())


class Program:
    """A traced program: spans of the GenAI conventions, made by a tracer of any name."""

    def __init__(self, processor: TrajectoryProcessor, scope: str = "shop") -> None:
        self.provider = TracerProvider(shutdown_on_exit=False)
        self.provider.add_span_processor(processor)
        self.tracer = self.provider.get_tracer(scope)

    def agent(self, **more: Any) -> Any:
        given = {"gen_ai.operation.name": "invoke_agent", **_dotted(more)}
        return self.tracer.start_as_current_span("invoke_agent", attributes=given)

    def chat(self, said: Any, shown: Any) -> None:
        with self.tracer.start_as_current_span("chat") as span:
            span.set_attribute("gen_ai.operation.name", "chat")
            span.set_attribute("gen_ai.input.messages", json.dumps(shown))
            span.set_attribute("gen_ai.output.messages", json.dumps([says(said)]))

    def tool(self, result: str = "x") -> None:
        given = {"gen_ai.tool.name": "f", "gen_ai.tool.call.id": "1"}
        given |= {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.call.result": result}
        with self.tracer.start_as_current_span("execute_tool f", attributes=given):
            pass

    def run(self, **more: Any) -> None:
        with self.agent(**more):
            self.chat([proposes()], HI)
            self.tool()
            self.chat("bye", TOLD)


def _dotted(more: dict[str, Any]) -> dict[str, Any]:
    return {key.replace("__", "."): value for key, value in more.items()}


@pytest.fixture
def sink() -> MemorySink:
    return MemorySink()


@pytest.fixture
def processor(sink: MemorySink) -> Iterator[TrajectoryProcessor]:
    made = TrajectoryProcessor(sinks=[sink])
    yield made
    made.shutdown()


def test_a_run_goes_to_the_sinks_when_its_root_has_ended(
    processor: TrajectoryProcessor, sink: MemorySink
) -> None:
    Program(processor).run(gen_ai__agent__name="clerk")
    assert processor.force_flush()
    (run,) = sink.runs
    assert shape(run) == WHOLE
    assert (run.agent, run.end_reason, run.gaps) == ("clerk", "answered", [])
    assert processor.stats.runs == 1
    assert processor.stats.errors == 0


def test_every_turn_is_scored_as_its_span_ends() -> None:
    calibrator = Judge()
    processor = TrajectoryProcessor(cast(Calibrator, calibrator))
    program = Program(processor)

    def now() -> float | None:
        here = trace.get_current_span().get_span_context().trace_id
        found = processor.confidence(here)
        assert found == processor.confidence(f"{here:032x}")
        return None if found is None else found.value

    with program.agent():
        assert now() is None
        program.chat([proposes()], HI)
        assert now() == 0.1
        program.tool()
        program.chat("bye", TOLD)
        assert now() == 0.2
    assert now() is None
    assert [(point.kind, point.turn) for point in calibrator.points] == [
        ("tool_turn", 1),
        ("answer_turn", 2),
    ]
    processor.shutdown()


def test_live_rows_are_those_of_the_recorded_run(sink: MemorySink) -> None:
    """What a calibrator sees live is what it would see in the run that goes to the sinks."""
    calibrator = Judge()
    processor = TrajectoryProcessor(cast(Calibrator, calibrator), sinks=[sink])
    Program(processor).run(gen_ai__conversation__id="t")
    processor.shutdown()
    (run,) = sink.runs
    rows = list(decision_points(run))[:-1]
    assert len(rows) == len(calibrator.points) == 2
    for live, recorded in zip(calibrator.points, rows, strict=True):
        np.testing.assert_array_equal(live.vector, recorded.vector)


def test_observers_of_a_recorder_of_ones_own_are_told(sink: MemorySink) -> None:
    seen: list[tuple[str, int, float]] = []

    class Watcher(QuietObserver):
        def replied(
            self, run: RunInfo, turn: int, step: Step, confidence: Confidence | None
        ) -> None:
            assert confidence is not None
            seen.append((run.task, turn, confidence.value))

    live = MemorySink()
    recorder = Recorder(judge(), observers=[Watcher()], sinks=[live])
    processor = TrajectoryProcessor(recorder=recorder, sinks=[sink])
    Program(processor).run()
    processor.shutdown()
    recorder.close()
    assert seen == [("hi", 1, 0.1), ("hi", 2, 0.2)]
    assert [shape(run) for run in (*live.runs, *sink.runs)] == [WHOLE, WHOLE]
    assert live.runs[0].run_id == sink.runs[0].run_id


def test_the_scores_go_out_as_events_and_are_not_read_back_in(sink: MemorySink) -> None:
    """A SpanObserver makes spans of the runs that it is told of: they are nobody's new run."""
    with capture_telemetry() as captured:
        observer = SpanObserver(captured.tracer_provider, spans="always")
        recorder = Recorder(judge(), observers=[observer])
        processor = TrajectoryProcessor(recorder=recorder, sinks=[sink])
        captured.tracer_provider.add_span_processor(processor)
        program = Program(processor)
        program.run()
        processor.shutdown()
        assert any(span.name == "invoke_agent" for span in captured.spans)
    assert len(sink.runs) == 1
    assert processor.stats.spans == 4


def test_runs_inside_a_span_that_stays_open_are_over_when_their_own_root_ends(
    processor: TrajectoryProcessor, sink: MemorySink
) -> None:
    """A server, a notebook: whatever is above the agent."""
    program = Program(processor)
    with program.provider.get_tracer("notebook").start_as_current_span("session"):
        for _ in range(3):
            program.run()
        processor.force_flush()
        assert [shape(run) for run in sink.runs] == [WHOLE] * 3
        assert len({run.run_id for run in sink.runs}) == 3
        assert [run.gaps for run in sink.runs] == [[], [], []]
    processor.force_flush()
    assert len(sink.runs) == 3


def test_agents_within_agents_are_one_run(processor: TrajectoryProcessor, sink: MemorySink) -> None:
    program = Program(processor)
    with program.agent(gen_ai__agent__name="boss"):
        program.chat([proposes()], HI)
        with program.agent(gen_ai__agent__name="clerk"):
            program.chat("20", [user("bob?")])
        program.tool()
    processor.force_flush()
    (run,) = sink.runs
    assert [step.agent for step in run.steps] == ["boss", "clerk"]


def test_spans_that_are_still_open_when_the_root_ends_are_waited_for(sink: MemorySink) -> None:
    processor = TrajectoryProcessor(sinks=[sink], wait_for_late_s=600)
    program = Program(processor)
    with program.agent() as root:
        program.chat([proposes()], HI)
        given = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "f"}
        late = program.tracer.start_span("late", set_span_in_context(root), attributes=given)
    late.set_attribute("gen_ai.tool.call.result", "x")
    late.end()
    processor.force_flush()
    assert shape(sink.runs[0]) == [("", [("f", "x", "ok")])]
    assert processor.stats.late == 0
    processor.shutdown()


def test_spans_that_come_later_than_that_are_counted(sink: MemorySink) -> None:
    processor = TrajectoryProcessor(sinks=[sink], wait_for_late_s=0)
    program = Program(processor)
    with program.agent() as root:
        program.chat([proposes()], HI)
        late = program.tracer.start_span("late", set_span_in_context(root))
    processor.force_flush()
    late.set_attribute("gen_ai.operation.name", "execute_tool")
    late.end()
    assert len(sink.runs) == 1
    assert (processor.stats.late, len(processor._traces)) == (1, 0)
    processor.shutdown()


def test_an_interrupted_run_waits_for_the_trace_that_goes_on(
    processor: TrajectoryProcessor, sink: MemorySink
) -> None:
    program = Program(processor)
    with program.agent(gen_ai__conversation__id="t"):
        program.chat([proposes()], HI)
    processor.force_flush()
    assert sink.runs == []
    with program.agent(gen_ai__conversation__id="t"):
        program.tool()
        program.chat("bye", TOLD)
    processor.force_flush()
    (run,) = sink.runs
    assert shape(run) == WHOLE
    assert [entry.kind for entry in run.interventions] == ["resumed"]


def test_another_process_goes_on_with_an_interrupted_run(sink: MemorySink, tmp_path: Any) -> None:
    for part in (0, 1):
        store = SqlitePending(tmp_path / "pending.db")
        processor = TrajectoryProcessor(sinks=[sink], pending=store)
        program = Program(processor)
        with program.agent(gen_ai__conversation__id="t"):
            if part == 0:
                program.chat([proposes()], HI)
            else:
                program.tool()
                program.chat("bye", TOLD)
        processor.shutdown()
        assert len(sink.runs) == part
    assert shape(sink.runs[0]) == WHOLE


def test_what_is_open_or_waits_at_the_end_is_told(sink: MemorySink) -> None:
    processor = TrajectoryProcessor(sinks=[sink])
    program = Program(processor)
    with program.agent(gen_ai__conversation__id="t"):
        program.chat([proposes()], HI)
    context = program.agent(gen_ai__conversation__id="u")
    context.__enter__()
    program.chat([proposes()], HI)
    processor.shutdown()
    ends = {run.conversation or "": (run.end_reason, run.gaps) for run in sink.runs}
    assert ends["t"] == ("interrupted", [])
    assert ends[""] == ("unknown", ["the program ended before the run did"])
    context.__exit__(None, None, None)
    program.run()
    assert len(sink.runs) == 2


def test_more_traces_than_there_is_room_for(sink: MemorySink) -> None:
    processor = TrajectoryProcessor(sinks=[sink], max_open_traces=3)
    program = Program(processor)
    open_spans = []
    for _ in range(5):
        root = program.tracer.start_span("root", context=trace.Context())
        with trace.use_span(root):
            program.chat([proposes()], HI)
        open_spans.append(root)
        processor.force_flush()
    assert len(processor._traces) == 3
    assert processor.stats.expired == 2
    assert sink.runs[0].gaps == ["given up: more than 3 traces were open"]
    for root in open_spans:
        root.end()
    processor.shutdown()
    assert processor.stats.errors == 0


def test_traces_in_which_nothing_happens_any_more(sink: MemorySink) -> None:
    done = threading.Event()
    processor = TrajectoryProcessor(
        sinks=[sink, CallbackSink(lambda _: done.set())], expire_after_s=0.05
    )
    program = Program(processor)
    root = program.tracer.start_span("root")
    with trace.use_span(root):
        program.chat([proposes()], HI)
    assert done.wait(20)
    assert sink.runs[0].gaps == ["given up: nothing happened for 0.05 s"]
    root.end()
    processor.shutdown()


def test_spans_of_no_agent_are_forgotten(processor: TrajectoryProcessor) -> None:
    tracer = Program(processor).tracer
    for _ in range(100):
        with tracer.start_as_current_span("GET"), tracer.start_as_current_span("SELECT"):
            pass
    assert len(processor._traces) == 0
    assert processor.stats.runs == 0


def test_runs_that_are_told_are_forgotten(processor: TrajectoryProcessor, sink: MemorySink) -> None:
    program = Program(processor)
    program.run()
    processor.force_flush()
    here = weakref.ref(sink.runs.pop())
    gc.collect()
    assert here() is None
    assert len(processor._traces) == 0


def test_a_parent_in_another_process_is_no_gap(
    processor: TrajectoryProcessor, sink: MemorySink
) -> None:
    away = SpanContext(1, 2, is_remote=True, trace_flags=TraceFlags(1))
    program = Program(processor)
    with trace.use_span(NonRecordingSpan(away)):
        program.run()
    processor.force_flush()
    assert sink.runs[0].metadata["trace_id"] == f"{1:032x}"
    assert sink.runs[0].gaps == []


class Broken:
    """A sink that is."""

    def write(self, run: Trajectory) -> None:
        raise ValueError(f"no room for {run.task}")

    def close(self) -> None:
        raise ValueError("nor this")


def test_errors_never_reach_the_program(
    sink: MemorySink, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: object) -> None:
        raise RuntimeError("secret words")

    processor = TrajectoryProcessor(sinks=[Broken(), sink])
    program = Program(processor)
    with caplog.at_level(logging.ERROR, "agentcal"):
        program.run()
        program.run()
        processor.force_flush()
        assert len(sink.runs) == 2
        monkeypatch.setattr("agentcal.telemetry._processor.facts_of", fail)
        program.run()
        monkeypatch.setattr("agentcal.telemetry._traces.Traces.begin", fail)
        program.run()
        processor.shutdown()
    assert processor.stats.errors > 5
    assert len(caplog.records) == 4
    said = [record.getMessage() for record in caplog.records]
    assert not any("secret" in text or "no room" in text for text in said)


def test_many_threads_at_once(processor: TrajectoryProcessor, sink: MemorySink) -> None:
    program = Program(processor)
    with ThreadPoolExecutor(16) as pool:
        for at in range(200):
            pool.submit(program.run, gen_ai__conversation__id=str(at))
    processor.force_flush()
    assert len(sink.runs) == 200
    assert all(shape(run) == WHOLE and not run.gaps for run in sink.runs)
    assert processor.stats.errors == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_child_process_starts_anew(sink: MemorySink) -> None:
    processor = TrajectoryProcessor(sinks=[sink])
    program = Program(processor)
    with program.agent():
        program.chat([proposes()], HI)
        child = os.fork()
        if child == 0:
            program.run()
            fine = processor.force_flush(10_000) and len(sink.runs) == 1
            os._exit(0 if fine else 1)
        assert os.waitpid(child, 0)[1] == 0
    processor.shutdown()
    assert len(sink.runs) == 1


@pytest.mark.parametrize(
    "settings",
    [
        {"calibrator": judge(), "recorder": Recorder()},
        {"max_open_traces": 0},
        {"expire_after_s": 0},
        {"wait_for_late_s": -1},
        {"wait_for_late_s": float("nan")},
    ],
)
def test_settings_out_of_range(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="give"):
        TrajectoryProcessor(**settings)


def test_spans_in_memory_are_runs_too() -> None:
    with capture_telemetry() as captured:
        program = Program(TrajectoryProcessor())
        program.tracer = captured.tracer_provider.get_tracer("shop")
        program.run()
        (run,) = runs_from_spans(captured.spans, captured.logs)
        assert shape(run) == WHOLE
