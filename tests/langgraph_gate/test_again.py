"""Whatever happens to a process: no call runs twice unflagged, and no decision changes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from langgraph.types import Command

from tests.langgraph_gate.agent_process import agent, step

ROOT = Path(__file__).parents[2]
APPROVE, REJECT = {"type": "approve"}, {"type": "reject"}


class Place:
    """Where an agent lives: a database, and a log of what it did."""

    def __init__(self, folder: Path) -> None:
        self.database, self.log = str(folder / "state.db"), folder / "log"

    @property
    def did(self) -> list[str]:
        return self.log.read_text().split() if self.log.exists() else []

    def dies(self, at: str, given: Any = None, score: float = 0.9) -> None:
        """Run the agent in a forked process until it kills itself at a certain point."""
        child = os.fork()
        if child == 0:
            try:
                asked = {"messages": [("user", "go")]} if given is None else given
                step(agent(self.database, str(self.log), at, score), asked)
            finally:
                os._exit(0)
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status), f"it was to die at {at!r}"

    def goes_on(self, given: Any = None, score: float = 0.9) -> dict[str, Any]:
        return step(agent(self.database, str(self.log), "", score), given)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def answers(found: dict[str, Any], decision: Any) -> Command[Any]:
    """The same answer to each question."""
    return Command(resume={i: {"decisions": [decision]} for i in found["ids"]})


@pytest.mark.parametrize("at", ["before 1", "after 1", "before 2", "after 2", "results"])
def test_a_call_that_may_have_run_is_asked_about_and_not_run(place: Place, at: str) -> None:
    place.dies(at)
    found = place.goes_on()
    assert found["asked"] or at == "results"  # there, both may have come to their end
    assert all("may have run" in asked for asked in found["asked"])
    assert len(place.did) == len(set(place.did))
    if found["asked"]:
        found = place.goes_on(answers(found, {"type": "respond", "message": "it is done"}))
    assert found["said"][-1] == ("AIMessage", "done")
    assert len(place.did) == len(set(place.did))


def test_a_call_that_has_run_gives_what_it_gave(place: Place) -> None:
    place.dies("step 2")
    assert sorted(place.did) == ["1", "2"]
    found = place.goes_on()
    assert found["asked"] == []
    assert [text for _, text in found["said"]][-3:] == ["did 1", "did 2", "done"]
    assert sorted(place.did) == ["1", "2"]


def test_what_was_approved_runs_again_and_what_was_rejected_does_not(place: Place) -> None:
    place.dies("after 1")
    place.goes_on(answers(place.goes_on(), APPROVE))
    assert place.did.count("1") == 2
    assert 1 <= place.did.count("2") <= 2  # it may have been in doubt, too


def test_a_rejected_call_that_may_have_run_is_told_as_that(place: Place) -> None:
    place.dies("after 1")
    found = place.goes_on(answers(place.goes_on(), REJECT))
    told = [text for kind, text in found["said"] if kind == "ToolMessage"]
    assert any("may have taken effect" in text for text in told)
    assert len(place.did) == len(set(place.did))


@pytest.mark.parametrize("at", ["step 0", "step 1"])
def test_nothing_has_run_before_what_led_to_it_was_kept(place: Place, at: str) -> None:
    place.dies(at)
    assert place.did == []
    found = place.goes_on() if at == "step 1" else place.goes_on({"messages": [("user", "go")]})
    assert sorted(place.did) == ["1", "2"]
    assert found["said"][-1][1] == "done"


def test_a_decision_is_the_same_in_another_process_with_another_calibrator(place: Place) -> None:
    def run(given: str, score: float) -> dict[str, Any]:
        script = str(ROOT / "tests" / "langgraph_gate" / "agent_process.py")
        command = [sys.executable, script, place.database, str(place.log), "", given, str(score)]
        paths = [str(ROOT), str(ROOT / "integrations"), os.environ.get("PYTHONPATH", "")]
        done = subprocess.run(  # noqa: S603 - our own script
            command,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            capture_output=True,
            text=True,
            check=True,
        )
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    first = run("start", 0.2)
    assert len(first["asked"]) == 2
    second = run(json.dumps({"decisions": [APPROVE, REJECT]}), 0.95)
    assert place.did == ["1"]
    assert second["decided"][0] == first["decided"][0]
    assert second["decided"][0]["confidence"]["value"] == 0.2
    assert second["decided"][1]["confidence"]["value"] == 0.95


def test_a_crash_between_the_answer_and_the_tools(place: Place) -> None:
    asked = place.goes_on({"messages": [("user", "go")]}, score=0.2)
    assert len(asked["asked"]) == 2
    answer = Command(resume={"decisions": [REJECT, APPROVE]})
    place.dies("before 2", answer, score=0.9)
    found = place.goes_on(score=0.1)
    assert len(found["asked"]) == 1
    assert "may have run" in found["asked"][0]
    found = place.goes_on(answers(found, APPROVE))
    assert place.did == ["2"]
    assert [text for kind, text in found["said"] if kind == "ToolMessage"][1] == "did 2"


def test_a_new_state_does_not_make_a_call_that_may_have_run_forgotten(place: Place) -> None:
    place.dies("after 2")
    before = place.did
    graph, config = (
        agent(place.database, str(place.log), "", 0.9),
        {"configurable": {"thread_id": "t"}},
    )
    graph.update_state(config, {"messages": []})
    found = step(graph, None)
    assert found["asked"]
    assert len(place.did) == len(set(place.did))
    assert set(before) <= set(place.did)


def test_the_question_is_about_the_call_as_it_ran(place: Place) -> None:
    place.goes_on({"messages": [("user", "go")]}, score=0.2)
    edit = {"type": "edit", "edited_action": {"name": "act", "args": {"n": 7}}}
    place.dies("after 7", Command(resume={"decisions": [edit, REJECT]}))
    found = place.goes_on()
    assert found["args"] == [{"n": 7}]
    place.goes_on(answers(found, APPROVE))
    assert place.did == ["7", "7"]
