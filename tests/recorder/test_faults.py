"""Observing never breaks the agent, and what went wrong is said once, without content."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import agentcal as ac
from agentcal.calibration import Calibrator, Confidence
from agentcal.policy import TurnDecision
from agentcal.recorder import QuietObserver, Recorder, Review, Run, RunInfo
from agentcal.sinks import CallbackSink, MemorySink

from .agents import Script, asks, begin, call, work
from .gates import decided

SAID = "what a user said in confidence"


class Broken:
    """Stands in for a calibrator; works until turn ``until``."""

    def __init__(self, until: int = 0) -> None:
        self.until = until

    def predict(self, point: ac.DecisionPoint, **_: object) -> Confidence:
        if point.turn > self.until:
            raise ValueError(SAID)
        return Confidence(0.5, 0.4, 0.6, 0.1, 0.9, True, point.kind, point.turn, "f")


def broken(until: int = 0) -> Calibrator:
    return Broken(until)  # type: ignore[return-value]


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.name == "agentcal"]


def test_a_broken_calibrator_costs_the_score_and_nothing_else(
    caplog: pytest.LogCaptureFixture,
) -> None:
    recorder = Recorder(broken(until=2))
    runs = [begin(recorder, Script(seed, turns=5), task=SAID) for seed in (1, 2)]
    seen = [[], []]
    wholes = [
        work(run, Script(n + 1, turns=5), lambda n=n, run=run: seen[n].append(run.confidence))
        for n, run in enumerate(runs)
    ]
    alone = Recorder()
    for n, whole in enumerate(wholes):
        assert whole.steps == work(begin(alone, Script(n + 1)), Script(n + 1, turns=5)).steps
        assert whole.gaps == ["ValueError while scoring, no score from there on"]
        assert [c.turn for c in dict.fromkeys(seen[n]) if c is not None] == [1, 2]
        assert seen[n][-1] is None
    stats = recorder.stats
    assert (stats.scores, stats.unavailable, stats.errors) == (4, 6, 2)
    assert len(errors(caplog)) == 1
    assert "ValueError while scoring" in errors(caplog)[0]
    assert "test_faults.py" in errors(caplog)[0]
    assert SAID not in caplog.text


def test_a_calibrator_that_was_withdrawn_gives_no_score(calibrator: Calibrator) -> None:
    run = Recorder(calibrator.void("it was wrong")).start()
    assert run.replied(asks(call("1"))) is None
    assert run.confidence is None
    assert run.trajectory().gaps == ["ArtefactError while scoring, no score from there on"]


def test_no_decision_after_an_error() -> None:
    run = Recorder().start()
    run.replied(asks(call("1")))
    assert run.decision() is not None
    run.returned("1", "x", "nonsense")  # type: ignore[arg-type]
    assert run.decision() is None
    run.returned("1", "x")
    assert run.trajectory().steps[0].tool_calls[0].result == "x"
    assert run.trajectory().gaps == ["ValueError while recording returned, no score from there on"]


def test_who_tells_of_a_run_may_fail_too(
    calibrator: Calibrator, caplog: pytest.LogCaptureFixture
) -> None:
    recorder = Recorder(calibrator)
    run = recorder.start()
    assert run.replied(asks(call("1"))) is not None
    for _ in range(2):
        run.failed("reading a span", LookupError(SAID))
    recorder.failed("reading a span", LookupError(SAID))
    assert run.confidence is None
    assert run.decision() is None
    assert run.replied(ac.Step()) is None
    whole = run.ended()
    assert whole is not None
    assert whole.gaps == ["LookupError while reading a span, no score from there on (2 times)"]
    assert len(whole.steps) == 2
    stats = recorder.stats
    assert (stats.errors, stats.scores, stats.unavailable) == (3, 1, 1)
    assert len(errors(caplog)) == 1
    assert SAID not in caplog.text


class Clumsy(QuietObserver):
    """Fails whenever it is told something."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(SAID)


class Attentive(QuietObserver):
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []

    def started(self, run: RunInfo) -> None:
        self.told.append(("started", run))

    def replied(self, run: RunInfo, turn: int, step: ac.Step, confidence: Any) -> None:
        self.told.append(("replied", run.model, turn, step.text, confidence))

    def called(self, run: RunInfo, turn: int, position: int, call: ac.ToolCall) -> None:
        self.told.append(("called", turn, position, call.id, call.result))

    def returned(self, run: RunInfo, turn: int, position: int, call: ac.ToolCall) -> None:
        self.told.append(("returned", turn, position, call.id, call.result))

    def decided(self, run: RunInfo, decision: TurnDecision) -> None:
        self.told.append(("decided", decision.turn, decision.verdict))

    def reviewed(self, run: RunInfo, review: Review) -> None:
        self.told.append(("reviewed", review.answer, review.waited_s))

    def interrupted(self, run: RunInfo) -> None:
        self.told.append(("interrupted", run.run_id))

    def resumed(self, run: RunInfo) -> None:
        self.told.append(("resumed", run.run_id))

    def ended(self, run: RunInfo, trajectory: ac.Trajectory) -> None:
        self.told.append(("ended", run.run_id, trajectory.end_reason))


def live_through(recorder: Recorder) -> None:
    run = recorder.start(run_id="r", conversation="c", task="t", system="s", agent="a")
    run.describe(model="m")
    run.replied(asks(call("x"), call("", "pay"), text="hm"))
    run.decided(decided("proceed", "escalate"))
    run.called("", name="pay")
    run.called("x")
    run.called("nobody's")
    run.returned("", "paid", name="pay")
    run.interrupted("?")
    again = recorder.resume("c")
    assert again is not None
    again.reviewed(Review(decided("escalate").decisions[0], "approved", waited_s=2.5))
    again.returned("x", "found")
    again.ended()


def test_observers_are_told_in_order_whatever_the_others_do(
    caplog: pytest.LogCaptureFixture,
) -> None:
    observer = Attentive()
    recorder = Recorder(observers=[Clumsy(), observer])
    live_through(recorder)
    live_through(recorder)
    assert observer.told[: len(observer.told) // 2] == [
        ("started", RunInfo("r", "c", "a", None, "t", "s")),
        ("replied", "m", 1, "hm", None),
        ("decided", 1, "escalate"),
        ("called", 1, 1, "", None),
        ("called", 1, 0, "x", None),
        ("returned", 1, 1, "", "paid"),
        ("interrupted", "r"),
        ("resumed", "r"),
        ("reviewed", "approved", 2.5),
        ("returned", 1, 0, "x", "found"),
        ("ended", "r", "answered"),
    ]
    assert len(errors(caplog)) == 9  # one for each kind of event
    assert recorder.stats.errors == 22
    assert SAID not in caplog.text


def test_observers_know_whether_a_missing_score_is_a_failure(calibrator: Calibrator) -> None:
    for judge in (None, calibrator, calibrator.void("for a test")):
        told: list[RunInfo] = []

        class Listens(QuietObserver):
            def started(self, run: RunInfo) -> None:
                told.append(run)  # noqa: B023 - used up in this round

            def replied(self, run: RunInfo, *_: Any) -> None:
                told.append(run)  # noqa: B023

        run = Recorder(judge, observers=[Listens()]).start()
        run.replied(ac.Step(text="a"))
        run.replied(ac.Step(text="b"))
        assert [info.calibrated for info in told] == [judge is not None] * 3
        assert told[0].scoring_s is None
        assert all((info.scoring_s is not None) == (judge is not None) for info in told[1:])
        assert all(info.scoring_s > 0 for info in told[1:] if info.scoring_s is not None)


def test_an_observer_may_look_at_the_run_that_it_is_told_of() -> None:
    seen = []

    class Looks(QuietObserver):
        def replied(self, *_: Any) -> None:
            seen.append((run.decision(), len(run.trajectory().steps)))

    run = Recorder(observers=[Looks()]).start()
    run.replied(ac.Step())
    assert [(point.turn, steps) for point, steps in seen if point] == [(1, 1)]


def test_a_sink_that_fails_costs_its_own_runs_only(caplog: pytest.LogCaptureFixture) -> None:
    def fail(run: ac.Trajectory) -> None:
        raise OSError(SAID)

    kept = MemorySink()
    with Recorder(sinks=[CallbackSink(fail), kept]) as recorder:
        for _ in range(3):
            recorder.start().ended()
    assert len(kept.runs) == 3
    assert recorder.stats.errors == 3
    assert len(errors(caplog)) == 1
    assert SAID not in caplog.text


def test_what_is_not_valid_at_the_start_is_left_out_and_named(
    caplog: pytest.LogCaptureFixture,
) -> None:
    run = Recorder().start(
        task="t",
        agent=object(),
        metadata={"x": object()},
        conversation="c",  # type: ignore[arg-type, dict-item]
    )
    got = run.trajectory()
    assert (got.task, got.agent, got.metadata, run.conversation) == ("t", None, {}, "c")
    assert got.gaps == [
        f"{name} was not valid when the run started" for name in ("agent", "metadata")
    ]
    assert len(errors(caplog)) == 1


NONSENSE = st.none() | st.integers() | st.text(max_size=3) | st.builds(object) | st.lists(st.none())


@settings(max_examples=80)
@given(st.data())
def test_no_method_raises_whatever_it_is_given(data: st.DataObject) -> None:
    logging.getLogger("agentcal").disabled = True
    try:
        run = Recorder(broken(until=1)).start(run_id="r")
        for _ in range(6):
            nonsense(run, data)
        whole = run.ended(data.draw(NONSENSE))
    finally:
        logging.getLogger("agentcal").disabled = False
    assert whole is not None
    assert ac.Trajectory.model_validate_json(whole.model_dump_json()) == whole


def nonsense(run: Run, data: st.DataObject) -> None:
    def any_() -> Any:
        return data.draw(NONSENSE)

    step: Any = data.draw(st.sampled_from([asks(call("1")), asks(call("2")), 3, None]))
    doings = [
        lambda: run.describe(task=any_(), tools=any_(), agent=any_(), limits=any_()),
        lambda: run.message(any_(), any_()),
        lambda: run.replied(step, key=any_()),
        lambda: run.called(any_(), name=any_()),
        lambda: run.returned(any_(), any_(), any_(), any_(), name=any_()),
        lambda: run.intervened(any_(), call_id=any_(), by=any_(), detail=any_()),
        lambda: run.again(any_()),
        lambda: run.gap(any_()),
        lambda: run.failed(any_(), any_()),
        run.decision,
        run.trajectory,
    ]
    data.draw(st.sampled_from(doings))()


def test_a_log_handler_that_raises_does_not_reach_the_agent() -> None:
    class Raises(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise RuntimeError

    handler = Raises()
    logging.getLogger("agentcal").addHandler(handler)
    try:
        assert Recorder(broken()).start().replied(ac.Step()) is None
    finally:
        logging.getLogger("agentcal").removeHandler(handler)


@pytest.mark.parametrize("wrong", [{"max_open_runs": 0}, {"expire_after_s": 0.0}])
def test_settings_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ac.ConfigError, match=next(iter(wrong))):
        Recorder(**wrong)
