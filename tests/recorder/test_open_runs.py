"""Open runs are bounded, abandoned ones are closed, and nothing is kept of a run that is over."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from typing import Any

import pytest

import agentcal as ac
from agentcal.recorder import QuietObserver, Recorder, Run
from agentcal.recorder import _keeper as keeper
from agentcal.sinks import MemorySink

from .agents import asks, call


class Clock:
    """Time that passes when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(keeper, "time", made)
    return made


def until(condition: Any) -> None:
    """Wait for another thread, half a minute at most."""
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_a_run_in_which_nothing_happens_is_closed(clock: Clock) -> None:
    sink = MemorySink()
    with Recorder(sinks=[sink], expire_after_s=10) as recorder:
        busy, idle = recorder.start(run_id="busy"), recorder.start(run_id="idle")
        idle.replied(asks(call("1")))
        for _ in range(3):
            clock.now += 5
            busy.message("still here")
        recorder.start(run_id="new")
        assert (idle.closed, busy.closed) == (True, False)
        assert idle.replied(ac.Step()) is None
        busy.ended()
        assert recorder.stats.expired == 1
        until(lambda: len(sink.runs) == 2)
        expired = sink.runs[0]
    assert expired.run_id == "idle"
    assert (expired.end_reason, len(expired.steps)) == ("unknown", 1)
    assert expired.gaps == ["abandoned: nothing happened for 10 s"]


def test_abandoned_runs_are_found_though_no_other_run_starts() -> None:
    sink = MemorySink()
    recorder = Recorder(sinks=[sink], expire_after_s=0.05)
    run = recorder.start()
    until(lambda: sink.runs)
    assert run.closed
    recorder.close()


def test_too_many_runs_cost_the_one_that_was_idle_longest() -> None:
    sink = MemorySink()
    with Recorder(sinks=[sink], max_open_runs=3) as recorder:
        runs = [recorder.start(run_id=f"{n}") for n in range(3)]
        runs[0].message("not me")
        recorder.start(run_id="3")
        assert [run.closed for run in runs] == [False, True, False]
        until(lambda: sink.runs)
        assert sink.runs[0].gaps == ["abandoned: more than 3 runs were open"]


def test_a_run_at_work_is_not_the_one_to_go() -> None:
    entered, leave = threading.Event(), threading.Event()

    class Long(QuietObserver):
        def replied(self, *_: Any) -> None:
            entered.set()
            assert leave.wait(30)

    recorder = Recorder(observers=[Long()], max_open_runs=1)
    busy = recorder.start()
    thread = threading.Thread(target=busy.replied, args=(ac.Step(),))
    thread.start()
    assert entered.wait(30)
    second = recorder.start()  # does not wait for the first either
    assert not busy.closed
    leave.set()
    thread.join()
    recorder.start()
    assert busy.closed
    assert recorder.stats.expired == 2
    assert second.closed


def test_closing_writes_the_runs_that_are_open() -> None:
    sink = MemorySink()
    recorder = Recorder(sinks=[sink])
    run = recorder.start(run_id="r")
    recorder.close()
    recorder.close()
    assert run.closed
    assert [run.gaps for run in sink.runs] == [
        ["abandoned: the recorder was closed while the run was open"]
    ]
    late = recorder.start()
    late.replied(ac.Step())
    assert late.ended() is not None
    assert len(sink.runs) == 1
    assert recorder.stats.dropped == 1


def end(run: Run, how: str) -> None:
    {"ended": run.ended, "interrupted": run.interrupted}[how]()


@pytest.mark.parametrize("how", ["ended", "interrupted"])
def test_nothing_is_kept_of_a_run_that_is_over(how: str) -> None:
    recorder = Recorder()
    run = recorder.start(conversation="c")
    run.replied(asks(call("1")))
    run.decision()
    gone, fold = weakref.ref(run), weakref.ref(run._scorer._live)
    end(run, how)
    assert fold() is None
    del run
    gc.collect()
    assert gone() is None


def test_runs_that_are_forgotten_by_the_agent_are_still_there_at_the_end() -> None:
    sink = MemorySink()
    with Recorder(sinks=[sink]) as recorder:
        recorder.start(run_id="dropped")
        gc.collect()
    assert [run.run_id for run in sink.runs] == ["dropped"]


def test_counts() -> None:
    recorder = Recorder()
    recorder.start().ended()
    recorder.start(conversation="c").interrupted()
    recorder.resume("c")
    before = recorder.stats
    recorder.start()
    got = recorder.stats
    assert (got.started, got.ended, got.interrupted, got.resumed) == (3, 1, 1, 1)
    assert before.started == 2
