"""One run, watched by agentcal's handler and by a tracer: the same trajectory, up to the matrix."""

from __future__ import annotations

from pathlib import Path

import pytest

from agentcal import Trajectory, load
from tests.telemetry_in.conftest import SCENARIOS, Recorded
from tests.telemetry_in.matrix import (
    ASPECTS,
    COLUMNS,
    Told,
    carries,
    pairs,
    promised,
    table,
    written,
)

TRACERS = list(COLUMNS)

# The official instrumentor has no span for a node, nor does it say where one stands: a turn that is
# run again counts twice, and an interrupt outside of tools leaves no trace.
LOST = {("genai", "retried"), ("genai", "asks_in_node")}


def ids(folder: Path) -> list[str]:
    return sorted(run.model_dump_json() for run in load(folder / "live.jsonl"))


@pytest.mark.parametrize(
    ("tracer", "scenario"),
    [(t, s) for t in TRACERS for s in SCENARIOS if (t, s) not in LOST],
)
def test_the_same_run_is_the_same_trajectory(
    recorded: Recorded, tracer: str, scenario: str
) -> None:
    folder = recorded(tracer)
    for known, spans in pairs(folder, [scenario]):
        for aspect in promised(tracer):
            assert ASPECTS[aspect](spans) == ASPECTS[aspect](known), aspect
    assert len(list(load(folder / f"{scenario}.jsonl"))) == len(
        list(load(folder / f"{scenario}.binpb"))
    )


@pytest.mark.parametrize("tracer", ["openinference", "openllmetry"])
def test_tracers_of_every_node_lose_nothing_at_all(told: Told, tracer: str) -> None:
    for known, spans in told[tracer]:
        assert bare(spans) == bare(known)


def bare(run: Trajectory) -> dict[str, object]:
    """All but ids, times and where the run was found."""
    left = run.model_dump(exclude={"run_id", "started_at", "metadata"})
    for step in left["steps"]:
        step["latency_s"] = step["latency_s"] is not None
        for call in step["tool_calls"]:
            call["duration_s"] = call["duration_s"] is not None
    return left


def test_the_page_has_the_matrix_of_today(told: Told) -> None:
    assert written() == table(told), "python -m tests.telemetry_in.matrix writes it anew"


def test_a_matrix_that_says_yes_everywhere_would_be_a_lie(told: Told) -> None:
    assert carries(told["genai"], "log-probabilities") == "no"
    assert carries(told["genai"], "status of results") == "partly"


@pytest.mark.parametrize("tracer", [name for name in TRACERS if name != "agentcal"])
def test_live_and_from_a_file_it_is_the_same(recorded: Recorded, tracer: str) -> None:
    """The file came through the encoder of the real exporter."""
    folder = recorded(tracer)
    files = [folder / f"{scenario}.binpb" for scenario in (*SCENARIOS, "blank")]
    from_files = [run.model_dump_json() for file in files for run in load(file)]
    assert sorted(from_files) == ids(folder)


@pytest.mark.parametrize("tracer", ["genai", "openinference", "openllmetry"])
def test_without_content_the_calls_are_those_that_ran(recorded: Recorded, tracer: str) -> None:
    folder = recorded(tracer)
    (run,) = load(folder / "blank.binpb")
    (rich,) = load(folder / "rich.binpb")

    def shape(run: Trajectory) -> list[list[tuple[str, str]]]:
        # Which of two calls at once began first is known from the clock alone.
        return [sorted((c.name, c.status) for c in step.tool_calls) for step in run.steps]

    assert shape(run) == shape(rich)
    assert run.steps[0].usage is not None
    assert not run.task
    assert not any(step.text or step.inputs for step in run.steps)
    assert "the task was not recorded" in run.gaps
    assert "3 model turns of which no text was recorded" in run.gaps
    assert rich.gaps == []
