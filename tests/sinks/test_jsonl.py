"""A JSONL file that outlives crashes, rotates, and can be shared."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import agentcal as ac
from agentcal.sinks import CallbackSink, JsonlSink, MemorySink, Sink


def a_run(number: int | str, text: str = "x") -> ac.Trajectory:
    return ac.Trajectory(run_id=f"{number}", steps=[ac.Step(text=text)])


def read(*paths: Path) -> list[str]:
    return [run.run_id for run in ac.load(paths, progress=False)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "runs.jsonl"


def test_runs_come_back_as_they_were(path: Path) -> None:
    runs = ac.sample_runs()[:20]
    sink = JsonlSink(path)
    for run in runs:
        sink.write(run)
    sink.close()
    assert list(ac.load(path, progress=False)) == runs


def test_a_file_is_gone_on_with(path: Path) -> None:
    for number in range(3):
        sink = JsonlSink(path)
        sink.write(a_run(number))
        sink.close()
    assert read(path) == ["0", "1", "2"]


def test_text_that_is_not_quite_unicode_is_written(path: Path) -> None:
    sink = JsonlSink(path)
    sink.write(a_run(1, "broken \ud800 text\nand a line"))
    (run,) = ac.load(path, progress=False)
    assert run.steps[0].text == "broken \ufffd text\nand a line"


@pytest.mark.parametrize(
    "torn", [b'{"schema_version":1,"run_id":"to', b"\xff", b'{"run_id":"whole"}']
)
def test_a_torn_line_costs_itself_and_nothing_else(path: Path, torn: bytes) -> None:
    sink = JsonlSink(path)
    sink.write(a_run(1))
    sink.close()
    with path.open("ab") as file:
        file.write(torn)
    again = JsonlSink(path)
    again.write(a_run(2))
    again.write(a_run(3))
    lines = path.read_bytes().split(b"\n")
    assert (len(lines), lines[-1]) == (5, b"")
    runs = ac.load(path, progress=False)
    assert [run.run_id for run in runs if run.run_id != "whole"] == ["1", "2", "3"]
    assert runs.report.skipped == (0 if b"whole" in torn else 1)


_KILLED = """
import sys
from agentcal.recorder import Recorder
from agentcal.sinks import JsonlSink
import agentcal as ac
recorder = Recorder(sinks=[JsonlSink(sys.argv[1], max_bytes=None)], max_open_runs=10)
number = 0
while True:
    run = recorder.start(run_id=f"{sys.argv[2]}-{number}")
    run.replied(ac.Step(text=f"{number} " * 20_000))
    run.ended()
    number += 1
"""


def test_a_killed_process_leaves_whole_lines(path: Path) -> None:
    for attempt in range(3):
        size = path.stat().st_size if path.exists() else 0
        command = [sys.executable, "-c", _KILLED, str(path), f"{attempt}"]
        process = subprocess.Popen(command)  # noqa: S603 - our own interpreter and code
        end = time.monotonic() + 60
        while not path.exists() or path.stat().st_size < size + 2_000_000:
            assert process.poll() is None
            assert time.monotonic() < end
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        process.wait()
        sink = JsonlSink(path)
        sink.write(a_run(f"after {attempt}"))
        sink.close()
    runs = ac.load(path, progress=False)
    ids = [run.run_id for run in runs]
    assert [name for name in ids if name.startswith("after")] == [f"after {n}" for n in range(3)]
    for attempt in range(3):
        written = [name for name in ids if name.startswith(f"{attempt}-")]
        assert written == [f"{attempt}-{n}" for n in range(len(written))]
        assert len(written) > 10
    assert runs.report.skipped <= 3


def test_rotation_keeps_the_newest_files(path: Path) -> None:
    sink = JsonlSink(path, max_bytes=300, keep=2)
    for number in range(20):
        sink.write(a_run(number, "y" * 60))
    names = sorted(file.name for file in path.parent.iterdir() if not file.name.startswith("."))
    assert names == ["runs.1.jsonl", "runs.2.jsonl", "runs.jsonl"]
    assert all((path.parent / name).stat().st_size <= 300 for name in names)
    assert read(path.with_name("runs.2.jsonl")) == ["14", "15"]
    assert read(path.with_name("runs.1.jsonl")) == ["16", "17"]
    assert read(path) == ["18", "19"]
    assert sorted(read(path.parent)) == [f"{n}" for n in range(14, 20)]


def test_rotation_may_keep_nothing(path: Path) -> None:
    sink = JsonlSink(path, max_bytes=100, keep=0)
    for number in range(5):
        sink.write(a_run(number))
    assert read(path) == ["4"]
    assert [file.name for file in path.parent.glob("*.jsonl")] == ["runs.jsonl"]


def test_a_run_larger_than_the_limit_has_a_file_of_its_own(path: Path) -> None:
    sink = JsonlSink(path, max_bytes=100, keep=5)
    for number in range(3):
        sink.write(a_run(number, "long " * 100))
    assert [read(path.with_name(f"runs{n}.jsonl")) for n in (".2", ".1", "")] == [
        ["0"],
        ["1"],
        ["2"],
    ]


def test_a_file_that_was_moved_or_removed_is_made_anew(path: Path) -> None:
    sink = JsonlSink(path)
    sink.write(a_run(1))
    path.rename(path.with_name("moved.jsonl"))
    sink.write(a_run(2))
    assert (read(path.with_name("moved.jsonl")), read(path)) == (["1"], ["2"])
    path.unlink()
    sink.write(a_run(3))
    assert read(path) == ["3"]


def test_a_full_disk_tears_at_most_one_line(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sink = JsonlSink(path)
    sink.write(a_run(1))
    write = os.write

    def short(file: int, data: bytes) -> int:
        if len(data) > 10:
            return write(file, data[:10])
        raise OSError("no space left on device")

    with monkeypatch.context() as full:
        full.setattr(os, "write", short)
        with pytest.raises(OSError, match="no space"):
            sink.write(a_run(2))
    sink.write(a_run(3))
    assert read(path) == ["1", "3"]


_SHARES = """
import sys
from agentcal.sinks import JsonlSink
import agentcal as ac
sink = JsonlSink(sys.argv[1], max_bytes=20_000, keep=50)
for number in range(300):
    sink.write(ac.Trajectory(run_id=f"{sys.argv[2]}-{number}", steps=[ac.Step(text="z" * 300)]))
"""


def test_processes_that_share_a_file_lose_nothing(path: Path) -> None:
    command = [sys.executable, "-c", _SHARES, str(path)]
    both = [subprocess.Popen([*command, name]) for name in "ab"]  # noqa: S603 - ours
    assert [process.wait(60) for process in both] == [0, 0]
    runs = ac.load(path.parent, progress=False)
    assert {run.run_id for run in runs} == {f"{name}-{n}" for name in "ab" for n in range(300)}
    assert runs.report.skipped == runs.report.noted == 0
    assert len(list(path.parent.glob("*.jsonl"))) > 8


@pytest.mark.skipif(sys.platform == "win32", reason="no file locks")
def test_only_one_process_at_a_time_rotates(path: Path) -> None:
    import fcntl  # noqa: PLC0415 - not on Windows

    sink = JsonlSink(path, max_bytes=100)
    sink.write(a_run(1, "y" * 60))
    with path.with_name(".runs.jsonl.lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        thread = threading.Thread(target=sink.write, args=(a_run(2, "y" * 60),))
        thread.start()
        thread.join(0.2)
        assert thread.is_alive()
        path.rename(path.with_name("runs.1.jsonl"))  # somebody else was quicker
    thread.join(30)
    assert sorted(file.name for file in path.parent.glob("*.jsonl")) == [
        "runs.1.jsonl",
        "runs.jsonl",
    ]
    assert read(path) == ["2"]


@pytest.mark.parametrize(
    ("name", "settings", "said"),
    [
        ("runs.jsonl.gz", {}, "compress rotated files"),
        ("runs.jsonl", {"max_bytes": 0}, "max_bytes=0"),
        ("runs.jsonl", {"keep": -1}, "keep=-1"),
        ("a file/runs.jsonl", {}, "cannot be appended to"),
    ],
)
def test_what_cannot_work_is_refused(
    tmp_path: Path, name: str, settings: dict[str, int], said: str
) -> None:
    (tmp_path / "a file").write_text("")
    with pytest.raises(ac.ConfigError, match=said):
        JsonlSink(tmp_path / name, **settings)


def test_a_sink_in_memory_keeps_the_order() -> None:
    sink = MemorySink()
    runs = [a_run(n) for n in range(3)]
    for run in runs:
        sink.write(run)
    sink.close()
    assert sink.runs == runs


def test_a_function_is_a_sink() -> None:
    seen: list[ac.Trajectory] = []
    sink: Sink = CallbackSink(seen.append)
    sink.write(a_run(1))
    sink.close()
    assert seen == [a_run(1)]
