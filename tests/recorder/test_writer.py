"""One thread writes; it never holds the agent up, and what it was given is there in the end."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import agentcal as ac
from agentcal.recorder import Recorder
from agentcal.sinks import CallbackSink, MemorySink


class Gate:
    """A sink that waits for somebody to open it."""

    def __init__(self) -> None:
        self.open, self.reached = threading.Event(), threading.Event()
        self.threads: set[str] = set()
        self.runs: list[ac.Trajectory] = []
        self.closed = 0

    def write(self, run: ac.Trajectory) -> None:
        self.reached.set()
        assert self.open.wait(30)
        self.threads.add(threading.current_thread().name)
        self.runs.append(run)

    def close(self) -> None:
        self.closed += 1


def test_runs_that_find_no_room_are_dropped_and_counted() -> None:
    gate, behind = Gate(), MemorySink()
    recorder = Recorder(sinks=[gate, behind])
    recorder._keeper._writer._most = 5
    recorder.start(run_id="first").ended()
    assert gate.reached.wait(30)
    for n in range(8):
        recorder.start(run_id=f"{n}").ended()  # returns, though the sink stands still
    assert recorder.stats.dropped == 3
    gate.open.set()
    recorder.close()
    assert [run.run_id for run in gate.runs] == ["first", "0", "1", "2", "3", "4"]
    assert behind.runs == gate.runs
    assert gate.threads == {"agentcal-writer"}
    assert gate.closed == 1


def test_close_waits_no_longer_than_told(caplog: pytest.LogCaptureFixture) -> None:
    gate = Gate()
    recorder = Recorder(sinks=[gate])
    recorder.start().ended()
    assert gate.reached.wait(30)
    recorder.close(timeout_s=0.05)
    assert "not done" in caplog.text
    assert gate.closed == 0
    gate.open.set()


def test_without_anything_to_write_there_is_no_thread() -> None:
    before = threading.active_count()
    with Recorder() as recorder:
        recorder.start().ended()
        assert threading.active_count() == before


def test_sinks_are_closed_though_nothing_was_written() -> None:
    gate = Gate()
    Recorder(sinks=[gate]).close()
    assert gate.closed == 1


def test_the_thread_ends_with_the_recorder() -> None:
    gate = Gate()
    gate.open.set()
    recorder = Recorder(sinks=[gate])
    recorder.start().ended()
    (thread,) = (t for t in threading.enumerate() if t is recorder._keeper._writer._thread)
    del recorder
    gc.collect()
    thread.join(30)
    assert not thread.is_alive()
    assert (len(gate.runs), gate.closed) == (1, 1)


def test_looking_for_abandoned_runs_does_not_keep_the_recorder() -> None:
    recorder = Recorder(sinks=[MemorySink()], expire_after_s=0.04)
    recorder.start().ended()
    thread = recorder._keeper._writer._thread
    assert thread is not None
    time.sleep(0.1)  # it has looked a few times by then; if not, this test is only easier
    del recorder
    gc.collect()
    thread.join(30)
    assert not thread.is_alive()


def test_a_run_keeps_its_recorder_alive() -> None:
    sink = MemorySink()
    run = Recorder(sinks=[sink]).start(run_id="r")
    gc.collect()
    done = threading.Event()
    sink.close = done.set  # type: ignore[method-assign]
    run.ended()
    del run
    gc.collect()
    assert done.wait(30)
    assert [run.run_id for run in sink.runs] == ["r"]


def fresh(code: str, *arguments: str) -> str:
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(  # noqa: S603 - our own interpreter, our own code
        command, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_the_exit_of_the_process_writes_what_is_there(tmp_path: Path) -> None:
    said = fresh(
        "import sys; from agentcal.recorder import Recorder; from agentcal.sinks import JsonlSink\n"
        "recorder = Recorder(sinks=[JsonlSink(sys.argv[1])])\n"
        "for n in range(200): recorder.start(run_id=f'{n}').ended()\n"
        "recorder.start(run_id='open')\n"
        "recorder.start(run_id='waits', conversation='c').interrupted()\n",
        str(tmp_path / "runs.jsonl"),
    )
    runs = {run.run_id: run for run in ac.load(tmp_path / "runs.jsonl", progress=False)}
    assert len(runs) == 202
    assert runs["waits"].end_reason == "interrupted"
    assert runs["open"].gaps
    assert said == ""


_FORKS = """
import os, sys, threading, time
from agentcal.recorder import Recorder
from agentcal.sinks import JsonlSink
recorder = Recorder(sinks=[JsonlSink(sys.argv[1])])
mine = recorder.start(run_id="parent's")
taken = threading.Event()
def hold():
    keeper = recorder._keeper
    with mine._lock, keeper._lock, keeper._writer._lock, recorder._counters._lock:
        taken.set()
        time.sleep(0.5)
holder = threading.Thread(target=hold)
holder.start()
taken.wait()
child = os.fork()
if not child:
    mine.message("not mine")
    recorder.start(run_id="child's").ended()
    recorder.close()
    os._exit(0)
holder.join()
code = os.waitpid(child, 0)[1]
mine.ended()
recorder.close()
sys.exit(code)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_process_records_its_own_runs(tmp_path: Path) -> None:
    fresh(_FORKS, str(tmp_path / "runs.jsonl"))
    runs = list(ac.load(tmp_path / "runs.jsonl", progress=False))
    assert sorted(run.run_id for run in runs) == ["child's", "parent's"]
    assert all(not run.gaps for run in runs)


def test_recording_loads_nothing_heavy() -> None:
    loaded = fresh("import sys, agentcal.recorder; print(*sys.modules, sep='\\n')").split()
    heavy = {"lightgbm", "sklearn", "scipy", "langchain_core", "langgraph", "opentelemetry", "rich"}
    assert not heavy & set(loaded)


def test_a_callback_is_called_from_the_writer() -> None:
    seen: list[tuple[str, str]] = []
    with Recorder(
        sinks=[CallbackSink(lambda r: seen.append((r.run_id, threading.current_thread().name)))]
    ) as recorder:
        recorder.start(run_id="r").ended()
    assert seen == [("r", "agentcal-writer")]
