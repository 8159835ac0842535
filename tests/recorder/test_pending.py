"""Interrupted runs go on: in this process or in another one, once, and as if nothing had been."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import agentcal as ac
from agentcal.recorder import MemoryPending, PendingRun, PendingRuns, Recorder, Run, SqlitePending
from agentcal.recorder import _desk as desk
from agentcal.recorder import _sqlite_pending as sqlite
from agentcal.sinks import MemorySink

from .agents import NOON, Script, asks, begin, call, gated, same, work

Make = Callable[[Path], PendingRuns]
STORES: list[Make] = [lambda _: MemoryPending(), lambda folder: SqlitePending(folder / "p.sqlite")]
Stores = pytest.mark.parametrize("make", STORES, ids=["memory", "sqlite"])


def waiting(conversation: str = "c", run_id: str = "r", hours: float = 0) -> PendingRun:
    run = ac.Trajectory(run_id=run_id, conversation=conversation, end_reason="interrupted")
    return PendingRun(conversation, run, (), NOON + timedelta(hours=hours))


def plain(run: ac.Trajectory) -> ac.Trajectory:
    return run.model_copy(update={"interventions": []})


@Stores
def test_an_interrupted_run_goes_on_where_it_was(tmp_path: Path, make: Make) -> None:
    store = make(tmp_path)
    first = Recorder(pending=store)
    run = first.start(run_id="r", conversation="c", task="t", started_at=NOON)
    run.replied(asks(call("1")), key="p#0")
    run.replied(asks(call("2")), key="q#0")
    run.returned("1", "late")
    run.message("told before")
    run.interrupted("may I?")
    assert run.closed
    first.close()
    second = Recorder(pending=store)
    again = second.resume("c", detail="yes")
    assert again is not None
    assert again.trajectory().metadata == {}
    assert again.trajectory().end_reason == "unknown"
    again.replied(asks(text="q again"), key="q#0")
    whole = again.ended()
    assert whole is not None
    assert whole.run_id == "r"
    assert [(len(s.tool_calls), s.text) for s in whole.steps] == [(1, ""), (0, "q again")]
    assert whole.steps[0].tool_calls[0].result == "late"
    assert [m.text for m in whole.steps[1].inputs] == ["told before"]
    assert [(i.kind, i.step, i.detail) for i in whole.interventions] == [("resumed", 1, "yes")]
    assert second.resume("c") is None
    assert (first.stats.interrupted, second.stats.resumed, second.stats.started) == (1, 1, 0)


@Stores
def test_an_interrupted_run_is_handed_out_once(tmp_path: Path, make: Make) -> None:
    store = make(tmp_path)
    store.put(waiting())
    got: list[Run | None] = []
    recorders = [Recorder(pending=store) for _ in range(8)]
    threads = [threading.Thread(target=lambda r=r: got.append(r.resume("c"))) for r in recorders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(run is not None for run in got) == 1
    assert [recorder.stats.errors for recorder in recorders] == [0] * 8


@Stores
def test_the_latest_interrupt_of_a_conversation_wins(tmp_path: Path, make: Make) -> None:
    sink = MemorySink()
    with Recorder(sinks=[sink], pending=make(tmp_path)) as recorder:
        runs = [recorder.start(run_id=f"r{n}", conversation="c") for n in range(3)]
        for run in runs:
            run.interrupted()
        again = recorder.resume("c")
        assert again is not None
        assert again.run_id == "r2"
        again.interrupted()  # by itself it is not given up
        assert recorder.resume("c") is not None
    ends = {run.run_id: run.end_reason for run in sink.runs}
    assert ends == {"r0": "interrupted", "r1": "interrupted", "r2": "unknown"}


@Stores
def test_a_new_request_gives_up_the_run_that_waits(tmp_path: Path, make: Make) -> None:
    sink, store = MemorySink(), make(tmp_path)
    store.put(waiting(run_id="of another process"))
    with Recorder(sinks=[sink], pending=store) as recorder:
        recorder.start(run_id="one", conversation="c").interrupted("may I?")
        two = recorder.start(run_id="two", conversation="c")
        assert recorder.resume("c") is None
        recorder.start(run_id="other", conversation="d").interrupted()
        assert two.ended() is not None
        assert recorder.resume("d") is not None
    kept = {run.run_id: (run.end_reason, run.metadata) for run in sink.runs}
    assert kept["of another process"] == ("interrupted", {})
    assert kept["one"] == ("interrupted", {"interrupted": "may I?"})
    assert kept["two"] == ("answered", {})


def test_without_a_conversation_an_interrupt_is_the_end() -> None:
    sink = MemorySink()
    with Recorder(sinks=[sink]) as recorder:
        recorder.start().interrupted("may I?")
    assert [(r.end_reason, r.metadata) for r in sink.runs] == [
        ("interrupted", {"interrupted": "may I?"})
    ]


def test_what_waits_in_the_recorders_own_memory_is_written_at_the_end() -> None:
    sink = MemorySink()
    with Recorder(sinks=[sink]) as recorder:
        recorder.start(conversation="c").interrupted()
    assert [run.end_reason for run in sink.runs] == ["interrupted"]


def test_what_waits_in_a_store_of_the_users_waits_on() -> None:
    sink, store = MemorySink(), MemoryPending()
    with Recorder(sinks=[sink], pending=store) as recorder:
        recorder.start(conversation="c").interrupted()
    assert sink.runs == []
    assert store.take("c") is not None


def test_memory_keeps_the_newest() -> None:
    store = MemoryPending(2)
    lost = [store.put(waiting(c, run_id=c)) for c in ("a", "b", "a", "c")]
    assert [[run.conversation for run in runs] for runs in lost] == [[], [], ["a"], ["b"]]
    assert sorted(run.conversation for run in store.drain()) == ["a", "c"]
    assert store.drain() == []
    with pytest.raises(ac.ConfigError, match="most=0"):
        MemoryPending(0)


def test_sqlite_gives_up_who_never_answered(tmp_path: Path) -> None:
    store = SqlitePending(tmp_path / "p.sqlite", keep_s=3600)
    assert store.put(waiting("a", "ra")) == []
    assert store.put(waiting("b", "rb", hours=0.5)) == []
    assert [run.trajectory.run_id for run in store.put(waiting("c", hours=1.25))] == ["ra"]
    assert store.take("a") is None
    got = store.take("b")
    assert got == waiting("b", "rb", hours=0.5)


def test_sqlite_lets_nobody_write_while_it_hands_a_run_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or else two may read the run before either takes it away."""
    path = tmp_path / "p.sqlite"
    store, read, looked = SqlitePending(path), sqlite._read, []
    store.put(waiting())

    def meanwhile(row: sqlite._Row) -> PendingRun | None:
        other = sqlite3.connect(path, timeout=0, isolation_level=None)
        with closing(other), pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        looked.append(row)
        return read(row)

    monkeypatch.setattr(sqlite, "_read", meanwhile)
    assert store.take("c") == waiting()
    assert len(looked) == 1


def test_sqlite_keeps_text_that_is_not_quite_unicode(tmp_path: Path) -> None:
    store = SqlitePending(tmp_path / "p.sqlite")
    run = ac.Trajectory(run_id="r", task="broken \ud800 text")
    store.put(PendingRun("c", run, (), NOON))
    got = store.take("c")
    assert got is not None
    assert got.trajectory.task == "broken \ufffd text"


def test_a_run_that_another_version_wrote_is_left_for_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "p.sqlite"
    store = SqlitePending(path)
    store.put(waiting())
    with sqlite3.connect(path) as database:
        database.execute("UPDATE agentcal_pending SET trajectory = '{\"schema_version\": 9}'")
    assert store.take("c") is None
    assert "another agentcal" in caplog.text
    with sqlite3.connect(path) as database:
        assert database.execute("SELECT count(*) FROM agentcal_pending").fetchone() == (1,)
    assert store.put(waiting(run_id="new")) == []
    assert store.take("c") == waiting(run_id="new")


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "p").write_text("something else, and long enough to be looked at" * 9)
    with pytest.raises(ac.ConfigError, match="not usable"):
        SqlitePending(tmp_path / "p")
    with pytest.raises(ac.ConfigError, match="not usable"):
        SqlitePending(tmp_path / "nowhere" / "p")
    with pytest.raises(ac.ConfigError, match="MemoryPending"):
        SqlitePending(":memory:")


_OTHER_PROCESS = """
import sys
from agentcal.recorder import Recorder, SqlitePending
from agentcal.sinks import JsonlSink
import agentcal as ac
folder = sys.argv[1]
sink, pending = JsonlSink(folder + "/runs.jsonl"), SqlitePending(folder + "/p.sqlite")
recorder = Recorder(sinks=[sink], pending=pending)
run = recorder.resume("c") or recorder.start(run_id="r", conversation="c", task="t")
turn = len(run.trajectory().steps)
run.replied(ac.Step(text=f"turn {turn}", tool_calls=[ac.ToolCall(id=f"{turn}", name="get")]))
run.returned(f"{turn}", f"result {turn}")
run.interrupted() if turn < 2 else run.ended()
"""


def test_one_run_goes_through_three_processes(tmp_path: Path) -> None:
    for _ in range(3):
        command = [sys.executable, "-c", _OTHER_PROCESS, str(tmp_path)]
        subprocess.run(command, check=True, timeout=60)  # noqa: S603 - our own interpreter and code
    (run,) = ac.load(tmp_path / "runs.jsonl", progress=False)
    assert [(s.text, s.tool_calls[0].result) for s in run.steps] == [
        (f"turn {n}", f"result {n}") for n in range(3)
    ]
    assert run.end_reason == "answered"
    assert len(run.interventions) == 2
    assert run.gaps == []


@settings(max_examples=20, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 10**6), st.sets(st.integers(0, 40), max_size=6), st.booleans())
def test_interrupts_anywhere_change_nothing(
    tmp_path_factory: pytest.TempPathFactory, seed: int, breaks: set[int], anew: bool
) -> None:
    """After each interrupt the program runs the newest place again, as LangGraph does."""
    script = Script(seed, turns=6)
    whole = work(begin(Recorder(), script, conversation="c"), script)
    path = tmp_path_factory.mktemp("pending") / "p.sqlite"
    recorder = Recorder(pending=SqlitePending(path))
    run, events = begin(recorder, script, conversation="c"), 0

    def goes_on() -> bool:
        nonlocal run, recorder, events
        events += 1
        if events not in breaks:
            return True
        run.interrupted()
        if anew:
            recorder.close()
            recorder = Recorder(pending=SqlitePending(path))
        again = recorder.resume("c")
        assert again is not None
        run = again
        return False

    def place(turn: int, step: ac.Step, results: list[tuple[str, str, str]]) -> bool:
        run.replied(step, key=f"model:{turn}#0")
        assert same(run.decision(), gated(run.trajectory())[-1])
        for call_id, text, status in results:
            if not goes_on():
                return False
            run.returned(call_id, text, status, 0.5)  # type: ignore[arg-type]
        return goes_on()

    for turn, (told, step, results) in enumerate(script.steps()):
        for text in told:
            run.message(text)
            goes_on()
        while not place(turn, step, results):
            pass
    got = run.ended()
    assert got is not None
    assert plain(got) == plain(whole)
    assert len(got.interventions) <= len(breaks)


class Slow(MemoryPending):
    """Stores only while the gate is open, and says when it is about to."""

    def __init__(self) -> None:
        super().__init__()
        self.gate, self.begun = threading.Event(), threading.Event()

    def put(self, run: PendingRun) -> Sequence[PendingRun]:
        self.begun.set()
        assert self.gate.wait(30)
        return super().put(run)


def test_the_agent_does_not_wait_for_a_slow_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "_PATIENCE_S", 0.05)
    store, sink = Slow(), MemorySink()
    recorder = Recorder(sinks=[sink], pending=store)
    recorder.start(run_id="r", conversation="c").interrupted()
    assert store.begun.wait(30)
    again = recorder.resume("c")
    assert again is not None
    assert recorder.resume("c") is None
    again.replied(ac.Step(text="on"))
    store.gate.set()
    again.ended()
    recorder.close()
    assert store.drain() == []
    assert [(run.run_id, run.end_reason) for run in sink.runs] == [("r", "answered")]


def test_a_run_given_up_while_it_is_being_stored_is_written_once() -> None:
    store, sink = Slow(), MemorySink()
    recorder = Recorder(sinks=[sink], pending=store)
    recorder.start(run_id="old", conversation="c").interrupted()
    assert store.begun.wait(30)
    recorder.start(run_id="new", conversation="c").interrupted()
    store.gate.set()
    recorder.close()
    assert [(run.run_id, run.end_reason) for run in sink.runs] == [("old", "interrupted")]
    assert [run.trajectory.run_id for run in store.drain()] == ["new"]


@Stores
def test_in_any_bustle_every_run_is_written_once(tmp_path: Path, make: Make) -> None:
    sink, store = MemorySink(), make(tmp_path)
    recorders = [Recorder(sinks=[sink], pending=store) for _ in range(2)]

    def bustle(worker: int) -> None:
        dice = random.Random(worker)
        for n in range(25):
            recorder, talk = dice.choice(recorders), dice.choice("abc")
            run = recorder.resume(talk) if dice.random() < 0.5 else None
            run = run or recorder.start(run_id=f"{worker}-{n}", conversation=talk)
            run.replied(asks(text=f"{n}"))
            run.interrupted() if dice.random() < 0.7 else run.ended()

    threads = [threading.Thread(target=bustle, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for recorder in recorders:
        recorder.close(60)
    left = [run.trajectory for talk in "abc" if (run := store.take(talk)) is not None]
    ids = [run.run_id for run in [*sink.runs, *left]]
    assert len(ids) == len(set(ids)) == sum(recorder.stats.started for recorder in recorders)
    assert sum(recorder.stats.resumed for recorder in recorders) > 5
    assert [recorder.stats.errors for recorder in recorders] == [0, 0]
    turns = sum(len(run.steps) for run in [*sink.runs, *left])
    assert turns == 6 * 25


def test_a_run_that_is_being_stored_is_taken_from_the_store() -> None:
    """Or else another process could find it there too."""
    store = Slow()
    recorder = Recorder(pending=store)
    recorder.start(run_id="r", conversation="c").interrupted()
    assert store.begun.wait(30)
    opener = threading.Timer(0.1, store.gate.set)
    opener.start()
    again = recorder.resume("c")
    assert store.gate.is_set()
    assert again is not None
    assert store.take("c") is None
    assert recorder.resume("c") is None


class Failing:
    """A store whose disk is gone."""

    def put(self, run: PendingRun) -> Sequence[PendingRun]:
        raise OSError("gone")

    def take(self, conversation: str) -> PendingRun | None:
        raise OSError("gone")


def test_a_store_that_fails_loses_no_run() -> None:
    sink = MemorySink()
    with Recorder(sinks=[sink], pending=Failing(), max_open_runs=2) as recorder:
        assert recorder.resume("unknown") is None
        for name in ("a", "b", "c"):
            recorder.start(run_id=name, conversation=name).interrupted()
        again = recorder.resume("c")  # this process still knows it
        assert again is not None
        again.ended()
    ends = {run.run_id: run.end_reason for run in sink.runs}
    assert ends == {"a": "interrupted", "b": "interrupted", "c": "answered"}
    assert recorder.stats.errors in {7, 8}  # a run that is resumed in time is not stored at all


def test_a_run_given_up_while_the_store_fails_is_written() -> None:
    class Breaks(Slow):
        def put(self, run: PendingRun) -> Sequence[PendingRun]:
            super().put(run)
            self.drain()
            raise OSError("gone")

    store, sink = Breaks(), MemorySink()
    recorder = Recorder(sinks=[sink], pending=store)
    recorder.start(run_id="old", conversation="c").interrupted()
    assert store.begun.wait(30)
    recorder.start(run_id="new", conversation="c").ended()
    store.gate.set()
    recorder.close()
    assert sorted((run.run_id, run.end_reason) for run in sink.runs) == [
        ("new", "answered"),
        ("old", "interrupted"),
    ]
