"""Decisions in a file of their own: whole, without content, and read again."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import agentcal as ac
from agentcal.recorder import DecisionLog, LoggedDecision, Recorder, Review, read_decisions

from .agents import asks, call
from .gates import decided

SCORE = ac.Confidence(0.41, 0.3, 0.5, 0.1, 0.9, True, "tool_turn", 1, "f1")
SAID = "what a user said in confidence"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "decisions.jsonl"


def read(path: Path) -> list[LoggedDecision]:
    return list(read_decisions(path))


def test_decisions_and_reviews_come_back_as_they_were(path: Path) -> None:
    log = DecisionLog(path)
    question = decided("proceed", "escalate", confidence=SCORE, certificate="c")
    nan = decided("abstain", turn=2, confidence=replace(SCORE, value=float("nan")))
    with Recorder(observers=[log]) as recorder:
        run = recorder.start(run_id="r", conversation="c", agent="a", model="m")
        run.replied(asks(call("1"), call("2")))
        run.decided(question)
        run.reviewed(Review(question.decisions[1], "edited", "ann", SAID, 2.5))
        run.replied(asks(call("3")))
        run.decided(nan)
        assert recorder.stats.errors == 0
    log.close()
    found = read(path)
    assert [(e.conversation, e.agent, e.model) for e in found] == [("c", "a", "m")] * 4
    assert [e.decision for e in found[:3]] == [*question.decisions, question.decisions[1]]
    assert [e.review is None for e in found] == [True, True, False, True]
    review = found[2].review
    assert review is not None
    assert (review.answer, review.by, review.waited_s) == ("edited", "ann", 2.5)
    score = found[3].decision.confidence
    assert score is not None
    assert score.value != score.value, "not a number, as it was decided on"
    assert {e.decision.run_id for e in found} == {"r"}


def test_lines_are_strict_json_without_content(path: Path) -> None:
    log = DecisionLog(path)
    recorder = Recorder(observers=[log])
    run = recorder.start(run_id="r", task=SAID, system=SAID)
    run.replied(ac.Step(text=SAID, tool_calls=[call("1")]))
    odd = replace(SCORE, low=float("-inf"), value=float("nan"))
    question = decided("escalate", confidence=odd, arguments={"to": SAID}, tool="pay \ud800")
    run.decided(question)
    run.reviewed(Review(question.decisions[0], "rejected", detail=SAID))
    assert recorder.stats.errors == 0
    text = path.read_text(encoding="utf-8")
    assert SAID not in text

    def refuse(name: str) -> Any:
        raise AssertionError(name)

    for line in text.splitlines():
        json.loads(line, parse_constant=refuse)
    assert len(read(path)) == 2


def test_files_are_rotated_and_read_in_order(path: Path) -> None:
    log = DecisionLog(path, max_bytes=2000, keep=3)
    recorder = Recorder(observers=[log])
    run = recorder.start(run_id="r")
    for turn in range(1, 41):
        run.replied(asks(call(f"{turn}")))
        run.decided(decided("proceed", turn=turn))
    names = {file.name for file in path.parent.glob("*.jsonl")}
    assert names == {"decisions.jsonl", *(f"decisions.{n}.jsonl" for n in (1, 2, 3))}
    (path.parent / "decisions.old.jsonl").write_text("somebody's")
    turns = [entry.decision.turn for entry in read(path)]
    assert turns == list(range(turns[0], 41))
    assert 5 < len(turns) < 40
    path.unlink()
    older = [entry.decision.turn for entry in read(path)]
    assert 0 < len(older) < len(turns)
    assert older == turns[: len(older)]


def test_damaged_lines_cost_themselves(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    log = DecisionLog(path)
    recorder = Recorder(observers=[log])
    run = recorder.start(run_id="r")
    run.replied(asks(call("1")))
    run.decided(decided("proceed"))
    with path.open("ab") as file:
        file.write(b'\xff\n{"at": 1}\n{"decision": {"key": "to')
    run.decided(decided("abstain"))
    with caplog.at_level(logging.WARNING, logger="agentcal"):
        assert [e.decision.verdict for e in read(path)] == ["proceed", "abstain"]
    assert "3 lines are no decisions" in caplog.text


def test_no_file_is_said(path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read(path)


@pytest.mark.parametrize("settings", [{"max_bytes": 0}, {"keep": -1}])
def test_settings_out_of_range_are_said(path: Path, settings: dict[str, int]) -> None:
    with pytest.raises(ac.ConfigError, match="at least 1 byte, 0 files"):
        DecisionLog(path, **settings)  # type: ignore[arg-type]


def test_threads_share_a_log(path: Path) -> None:
    log = DecisionLog(path, max_bytes=20_000, keep=50)
    recorder = Recorder(observers=[log])

    def work(name: str) -> None:
        run = recorder.start(run_id=name)
        for turn in range(1, 26):
            run.replied(asks(call(f"{turn}"), call("b")))
            run.decided(decided("proceed", "escalate", turn=turn, run_id=name))

    threads = [threading.Thread(target=work, args=(f"r{k}",)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert recorder.stats.errors == 0
    keys = [entry.decision.key for entry in read_decisions(path)]
    assert (len(keys), len(set(keys))) == (400, 400)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_child_of_a_busy_process_can_append(path: Path) -> None:
    log = DecisionLog(path)
    with log._file._lock:  # another thread is writing just now
        child = os.fork()
        if child == 0:
            try:
                run = Recorder(observers=[log]).start(run_id="child")
                run.replied(asks(call("1")))
                run.decided(decided("proceed", run_id="child"))
            finally:
                os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
    assert [entry.decision.run_id for entry in read(path)] == ["child"]


def test_a_disk_that_is_full_does_not_stop_the_agent(path: Path) -> None:
    log = DecisionLog(path)

    def full(_: bytes) -> None:
        raise OSError(28, "No space left on device")

    log._file.append = full  # type: ignore[method-assign]
    recorder = Recorder(observers=[log])
    run = recorder.start(run_id="r")
    run.replied(asks(call("1")))
    run.decided(decided("abstain"))
    assert [i.kind for i in run.trajectory().interventions] == ["aborted"]
    assert recorder.stats.errors == 1


def test_the_recorder_alone_loads_no_policy() -> None:
    program = "import sys, agentcal.recorder; print('agentcal.policy' in sys.modules)"
    done = subprocess.run(  # noqa: S603 - our own interpreter and program
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
