"""agentcal JSONL: what is written is read back equal, and a crash leaves the old file whole."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentcal.formats import load, write_jsonl
from agentcal.trajectory import (
    Intervention,
    Limits,
    Message,
    Outcome,
    Step,
    TokenLogprobs,
    ToolCall,
    ToolDeclaration,
    Trajectory,
    Usage,
)

TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
SOME = st.none() | TEXT
SHARE = st.floats(0, 1)
LOGPROB = st.none() | st.floats(-1e4, 0)
NUMBER = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBER | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
OBJECT = st.dictionaries(TEXT, JSON, max_size=3)
COUNT = st.none() | st.integers(0, 10**9)
SECONDS = st.none() | st.floats(0, 1e6)
WHEN = st.none() | st.datetimes(timezones=st.just(UTC))
MESSAGES = st.lists(
    st.builds(Message, role=st.sampled_from(["user", "system", "agent"]), text=TEXT), max_size=2
)
CALL = st.builds(
    ToolCall,
    id=TEXT,
    name=TEXT,
    arguments=st.none() | OBJECT,
    raw_arguments=SOME,
    result=SOME,
    status=st.sampled_from(["ok", "error", "missing", "rejected", "edited"]),
    duration_s=SECONDS,
    returned_after=st.none() | st.integers(0, 9),
)
LOGPROBS = st.lists(st.tuples(TEXT, LOGPROB, st.lists(LOGPROB, max_size=3)), max_size=4).map(
    lambda rows: TokenLogprobs(
        tokens=[token for token, _, _ in rows],
        logprobs=[logprob for _, logprob, _ in rows],
        top=[top for _, _, top in rows],
    )
)
STEP = st.builds(
    Step,
    inputs=MESSAGES,
    text=TEXT,
    reasoning=TEXT,
    tool_calls=st.lists(CALL, max_size=2),
    logprobs=st.none() | LOGPROBS,
    usage=st.none()
    | st.builds(Usage, input_tokens=COUNT, output_tokens=COUNT, reasoning_tokens=COUNT),
    latency_s=SECONDS,
    stated_confidence=st.none() | SHARE,
    agent=SOME,
    model=SOME,
    decided=st.booleans(),
)
TOOL = st.builds(
    ToolDeclaration,
    name=TEXT,
    description=TEXT,
    parameters=OBJECT,
    kind=st.none() | st.sampled_from(["evidence", "verification", "action", "other"]),
    read_only=st.none() | st.booleans(),
    open_world=st.none() | st.booleans(),
)
RUN = st.builds(
    Trajectory,
    run_id=TEXT.filter(bool),
    conversation=SOME,
    group=SOME,
    family=SOME,
    limits=st.none() | st.builds(Limits, steps=st.none() | st.integers(1, 99)),
    known_after=st.dictionaries(TEXT, st.integers(0, 9), max_size=2),
    gaps=st.lists(TEXT, max_size=2),
    agent=SOME,
    model=SOME,
    task=TEXT,
    system=TEXT,
    tools=st.lists(TOOL, max_size=2),
    steps=st.lists(STEP, max_size=3),
    trailing_inputs=MESSAGES,
    interventions=st.lists(
        st.builds(
            Intervention,
            step=st.integers(0, 9),
            kind=st.sampled_from(["approved", "rejected", "aborted"]),
            by=TEXT,
            waited_s=st.none() | st.floats(0, 1e6),
        ),
        max_size=2,
    ),
    end_reason=st.sampled_from(
        ["answered", "max_steps", "error", "cancelled", "abstained", "unknown"]
    ),
    outcome=st.none() | st.builds(Outcome, value=SHARE, source=TEXT, at=WHEN),
    started_at=WHEN,
    metadata=OBJECT,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(RUN, max_size=3, unique_by=lambda run: run.run_id),
    st.sampled_from(["runs.jsonl", "runs.jsonl.gz"]),
)
def test_round_trip(
    tmp_path_factory: pytest.TempPathFactory, runs: list[Trajectory], name: str
) -> None:
    path = tmp_path_factory.getbasetemp() / name
    assert write_jsonl(runs, path) == len(runs)
    loaded = load(path)
    assert list(loaded) == runs
    assert loaded.report.skipped == 0
    assert not [note for note in loaded.report.notes if note.kind != "file is empty"]


def run_of(run_id: str) -> Trajectory:
    return Trajectory(run_id=run_id, steps=[Step(text="hi")])


def test_what_save_writes_can_be_read(tmp_path: Path) -> None:
    for run in (run_of("a"), Trajectory(run_id="bare")):
        run.save(tmp_path / "one.json")
        assert list(load(tmp_path / "one.json")) == [run]


def test_every_line_carries_its_version(tmp_path: Path) -> None:
    write_jsonl([Trajectory(run_id="a")], tmp_path / "runs.jsonl")
    line = (tmp_path / "runs.jsonl").read_text()
    assert json.loads(line) == {"schema_version": 1, "run_id": "a"}


def test_the_same_runs_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one.jsonl.gz", "two.jsonl.gz"):
        write_jsonl([run_of("a")], tmp_path / name)
    one, two = ((tmp_path / name).read_bytes() for name in ("one.jsonl.gz", "two.jsonl.gz"))
    assert one == two
    assert gzip.decompress(one).count(b"\n") == 1


def crashing() -> Iterator[Trajectory]:
    yield run_of("new")
    raise RuntimeError("power cut")


@pytest.mark.parametrize("name", ["runs.jsonl", "runs.jsonl.gz"])
def test_a_crash_leaves_the_old_file_and_no_litter(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    write_jsonl([run_of("old")], path)
    with pytest.raises(RuntimeError, match="power cut"):
        write_jsonl(crashing(), path)
    assert [run.run_id for run in load(path)] == ["old"]
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_may_be_rewritten_from_itself(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    write_jsonl((run_of(str(i)) for i in range(2000)), path)
    assert write_jsonl((run for run in load(path) if int(run.run_id) % 2), path) == 1000
    assert next(iter(load(path))).run_id == "1"


def test_a_missing_folder_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        write_jsonl([run_of("a")], tmp_path / "nowhere" / "runs.jsonl")


def test_broken_unicode_of_a_live_run_is_written_readably(tmp_path: Path) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    run = Trajectory(run_id="a", task="x \ud800 y", started_at=at, metadata={"k\udc00": ["\ud800"]})
    assert write_jsonl([run, run_of("b")], tmp_path / "runs.jsonl") == 2
    first, _ = load(tmp_path / "runs.jsonl")
    assert (first.task, first.started_at) == ("x \ufffd y", at)
    assert first.metadata == {"k\ufffd": ["\ufffd"]}
