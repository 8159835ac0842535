"""Nothing that says how a run went, or what a benchmark planned with it, reaches a feature.

Files of real runs are written anew with every such field changed, and must give the same rows.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import agentcal as ac
from agentcal.features import decision_points

SHARED = Path(__file__).parents[3] / "shared" / "data"
Raw = dict[str, Any]


def other(value: Any) -> Any:
    """Another value of the same kind, all the way down; nothing becomes something."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, dict):
        return {key: other(item) for key, item in value.items()}
    if isinstance(value, list):
        return [*map(other, value), "changed"]
    return f"changed {value}" if value else "changed"


def without(value: Any) -> Any:
    """The empty value of the same kind."""
    return None if value is None else type(value)()


def agentdojo(raw: Raw, change: Callable[[Any], Any]) -> Raw:
    """Metadata is the label, the attack and the names of tasks; annotations are the benchmark's."""
    named = {"suite_name", "user_task_id"}  # a run without these is no AgentDojo run
    metadata = {
        key: value if key in named and change is without else change(value)
        for key, value in raw["metadata"].items()
    }
    metadata["success"] = not raw["metadata"]["success"]
    return {**raw, "metadata": metadata, "annotations": change(raw["annotations"]), "index": 7}


def taubench(raw: Raw, change: Callable[[Any], Any]) -> Raw:
    """``info`` holds the gold actions and ``reward`` is the label."""
    # without task and trial all runs would be one and the same
    told_apart = () if change is without else ("task_id", "trial")
    changed = {key: change(raw[key]) for key in ("info", *told_apart)}
    return {**raw, **changed, "reward": 1.0 - raw["reward"]}


def local_llm(raw: Raw, change: Callable[[Any], Any]) -> Raw:
    """The gold answer, the label, and what the run was generated from. The clock of the run, too:
    it says when the run was over."""
    hidden = ("id", "seed", "model", "temperature", "family", "difficulty", "question", "gold")
    hidden = (*hidden, "answer", "wall_s")
    changed = {key: change(raw[key]) for key in hidden}
    return {**raw, **changed, "success": not raw["success"]}


SETS: dict[str, tuple[str, Callable[[Raw, Callable[[Any], Any]], Raw]]] = {
    "agentdojo": ("*.jsonl.gz", agentdojo),
    "taubench": ("*.json.gz", taubench),
    "local_llm": ("*v3.jsonl.gz", local_llm),
}


def records(path: Path) -> list[Raw]:
    text = gzip.decompress(path.read_bytes()).decode()
    if ".jsonl" in path.name:
        return [json.loads(line) for line in text.splitlines()]
    found: list[Raw] = json.loads(text)
    return found


def written(runs: Iterable[Raw], path: Path) -> list[ac.Trajectory]:
    """The runs, from a new file in the same layout."""
    rows = list(runs)
    text = (
        "".join(json.dumps(row) + "\n" for row in rows)
        if ".jsonl" in path.name
        else json.dumps(rows)
    )
    path.write_text(text, encoding="utf-8")
    return list(ac.load(path, progress=False))


def rows_of(run: ac.Trajectory) -> list[tuple[object, ...]]:
    points = decision_points(run)
    return [(point.kind, point.turn, point.tools, point.vector.tobytes()) for point in points]


@pytest.mark.parametrize("change", [other, without])
@pytest.mark.parametrize("name", SETS)
def test_hidden_fields_of_real_runs_reach_no_row(
    name: str, change: Callable[[Any], Any], tmp_path: Path
) -> None:
    if not (SHARED / name).is_dir():
        pytest.skip(f"no {name} runs at {SHARED}")
    pattern, hide = SETS[name]
    compared = 0
    for file in sorted((SHARED / name).glob(pattern))[::4]:
        plain = file.name.removesuffix(".gz")
        raw = [run for run in records(file) if "messages" in run or "traj" in run][::9]
        (tmp_path / "as_is").mkdir(exist_ok=True)
        (tmp_path / "changed").mkdir(exist_ok=True)
        before = written(raw, tmp_path / "as_is" / plain)
        after = written((hide(run, change) for run in raw), tmp_path / "changed" / plain)
        for one, two in zip(before, after, strict=True):
            assert one.outcome is not None
            assert two.outcome is not None
            assert one.outcome.value == 1.0 - two.outcome.value  # the change did reach the run
            assert rows_of(one) == rows_of(two)
            compared += 1
    assert compared >= 20


def test_a_field_that_the_agent_saw_does_reach_the_rows(tmp_path: Path) -> None:
    if not (SHARED / "agentdojo").is_dir():
        pytest.skip(f"no agentdojo runs at {SHARED}")
    file = next((SHARED / "agentdojo").glob("*.jsonl.gz"))
    raw = [run for run in records(file) if "messages" in run][:5]
    seen = [
        {**run, "messages": [{**m, "content": "changed"} for m in run["messages"]]} for run in raw
    ]
    before, after = written(raw, tmp_path / "a.jsonl"), written(seen, tmp_path / "b.jsonl")
    assert all(rows_of(one) != rows_of(two) for one, two in zip(before, after, strict=True))


OUTSIDE: dict[str, Any] = {
    "run_id": "another",
    "conversation": "a thread",
    "group": "another",
    "family": "another",
    "agent": "another",
    "model": "another",
    "started_at": datetime(2031, 5, 4, tzinfo=UTC),
    "outcome": ac.Outcome(value=0.25, source="a judge"),
    "gaps": ["2 spans without a parent"],
    "metadata": {"success": True, "security": False, "gold": "42", "attack_type": "important"},
    "interventions": [
        ac.Intervention(step=0, kind="edited", by="ana"),
        ac.Intervention(step=1, kind="aborted", detail="a gate"),
    ],
}


@pytest.mark.parametrize("field", OUTSIDE)
def test_what_is_said_about_a_run_reaches_no_row(field: str) -> None:
    for run in islice(ac.sample_runs(), 0, None, 20):
        changed = run.model_copy(update={field: OUTSIDE[field]})
        assert getattr(changed, field) != getattr(run, field)
        assert rows_of(changed) == rows_of(run)


def test_every_field_of_a_run_is_either_outside_or_seen_by_the_agent() -> None:
    # A new field has to be put on one side or the other.
    seen = {"schema_version", "task", "system", "limits", "tools", "known_after", "steps"}
    seen |= {"trailing_inputs", "end_reason"}  # of the finished row alone, which never gates
    assert seen | set(OUTSIDE) == set(ac.Trajectory.model_fields)


def test_the_model_of_a_step_and_its_gate_reach_no_row() -> None:
    for run in islice(ac.sample_runs(), 0, None, 20):
        other = {"model": "another", "decided": True}
        steps = [step.model_copy(update=other) for step in run.steps]
        assert rows_of(run.model_copy(update={"steps": steps})) == rows_of(run)


def test_how_a_run_ends_reaches_the_finished_row_alone() -> None:
    late = [ac.Message(role="user", text="Thanks, that is wrong.")]
    for run in islice(ac.sample_runs(), 0, None, 20):
        changed = run.model_copy(update={"end_reason": "error", "trailing_inputs": late})
        before, after = list(decision_points(run)), list(decision_points(changed))
        for one, two in zip(before[:-1], after[:-1], strict=True):
            assert np.array_equal(one.vector, two.vector, equal_nan=True)
        assert not np.array_equal(before[-1].vector, after[-1].vector, equal_nan=True)
