"""Whatever is wrong with one run, the runs beside it are read and nothing is raised.

The same properties are held a few hundred times in every run of the tests, and with 10,000 cases
a format by `make long`.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentcal.formats import FORMATS, LoadedRuns, load, to_atif
from tests.formats.records import GOOD, RECORDS

# Words that mean something somewhere, so that a value may turn one thing into another.
WORDS = (
    *("user", "assistant", "tool", "system", "agent", "human", "ai", "function", "thought"),
    *("constructor", "message", "function_call", "function_call_output", "reasoning", "response"),
    *("role", "messages", "steps", "items", "history", "simulations", "input", "output", "error"),
    *("ATIF-v1.7", "answered", "max_steps", "success", "Computer_terminal"),
    *('{"a": 1}', "[1]", "2026-01-01"),
)
ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=3)
    | st.sampled_from(WORDS),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.text(max_size=2) | st.sampled_from(WORDS), inner, max_size=3)
    ),
    max_leaves=4,
)
LONG = settings(max_examples=10_000, suppress_health_check=[HealthCheck.too_slow], database=None)
QUICK = settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
each_format = pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS)

Folder = pytest.TempPathFactory


def nodes(value: Any) -> list[tuple[Any, Any]]:
    """Every container in the value with each of its keys."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    found: list[tuple[Any, Any]] = []
    for key, inner in pairs:
        found.append((value, key))
        if isinstance(inner, (dict, list)):
            found += nodes(inner)
    return found


def changed(record: Any, data: st.DataObject) -> Any:
    """The record with up to three values replaced, left out, doubled or moved."""
    broken = copy.deepcopy(record)
    for _ in range(data.draw(st.integers(1, 3))):
        places = nodes(broken)
        owner, key = data.draw(st.sampled_from(places))
        what = data.draw(st.sampled_from(["replace", "replace", "leave out", "double", "move"]))
        if what == "leave out" and len(owner) > 1:
            del owner[key]
        elif what == "double" and isinstance(owner, list):
            owner.append(copy.deepcopy(owner[key]))
        elif what == "move":
            other, there = data.draw(st.sampled_from(places))
            owner[key] = copy.deepcopy(other[there])
        else:
            owner[key] = data.draw(ODD)
    return broken


def accounted(runs: LoadedRuns, at_least: int) -> None:
    """Good neighbours are read, every record is a run or in the report, and a run is whole."""
    found = list(runs)
    ids = [run.run_id for run in found]
    report = runs.report
    assert report.complete
    # Runs that are told by spans come last, when all files are read.
    assert (ids[0], ids[-1 - report.formats.get("otlp", 0)]) == ("good 1", "good 2")
    assert report.read == len(found)
    empty = report.counts.get("record holds no run", 0)
    assert report.read + report.skipped + empty >= at_least
    for run in found:
        assert run.model_dump_json()
        assert to_atif(run)["steps"]


def hold_any_value_anywhere(folder: Folder, record: Any, data: st.DataObject) -> None:
    path = folder.getbasetemp() / "any.jsonl"
    broken = changed(record, data)
    path.write_text("\n".join(json.dumps(row) for row in (GOOD[0], broken, GOOD[1])))
    accounted(load(path), at_least=3)


def hold_any_bytes_anywhere(folder: Folder, record: Any, data: st.DataObject) -> None:
    line = json.dumps(record).encode()
    start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(line))] * 2)))
    junk = data.draw(st.binary(max_size=6)).replace(b"\n", b"")
    first, last = (json.dumps(row).encode() for row in GOOD)
    path = folder.getbasetemp() / "bytes.jsonl"
    path.write_bytes(b"\n".join([first, line[:start] + junk + line[end:], last]))
    accounted(load(path), at_least=2)


def hold_any_damage_inside_a_list(folder: Folder, record: Any, data: st.DataObject) -> None:
    indent, between = data.draw(
        st.tuples(st.sampled_from([None, 1]), st.sampled_from([", ", ",\n"]))
    )
    first, text, last = (json.dumps(row, indent=indent) for row in (GOOD[0], record, GOOD[1]))
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 20)))
    junk = data.draw(st.text('{}[]",:x\\1 \n', max_size=4))
    path = folder.getbasetemp() / "list.json"
    path.write_text(f"[{between.join((first, text[:start] + junk + text[end:], last))}]")
    accounted(load(path), at_least=2)


HOLDS = [hold_any_value_anywhere, hold_any_bytes_anywhere, hold_any_damage_inside_a_list]
Hold = Callable[[Folder, Any, st.DataObject], None]
each_damage = pytest.mark.parametrize("hold", HOLDS, ids=lambda hold: hold.__name__[5:])


def test_every_format_is_fuzzed() -> None:
    seen = {known.name for known in FORMATS for r in RECORDS.values() if known.sniff(r)}
    assert seen == {known.name for known in FORMATS}


@each_format
def test_every_record_is_a_run_before_anything_is_done_to_it(tmp_path: Path, record: Any) -> None:
    path = tmp_path / "r.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in (GOOD[0], record, GOOD[1])))
    runs = load(path)
    assert len(list(runs)) == 3
    assert runs.report.skipped == 0
    assert sum(len(run.steps) for run in runs) >= 1


@each_damage
@each_format
@QUICK
@given(st.data())
def test_any_damage(tmp_path_factory: Folder, record: Any, hold: Hold, data: st.DataObject) -> None:
    hold(tmp_path_factory, record, data)


@pytest.mark.long
@each_format
@LONG
@given(st.data())
def test_any_value_anywhere_10_000_times(
    tmp_path_factory: Folder, record: Any, data: st.DataObject
) -> None:
    hold_any_value_anywhere(tmp_path_factory, record, data)


@pytest.mark.long
@pytest.mark.parametrize("hold", HOLDS[1:], ids=lambda hold: hold.__name__[5:])
@LONG
@given(st.sampled_from([*RECORDS.values()]), st.data())
def test_any_damage_10_000_times(
    tmp_path_factory: Folder, hold: Hold, record: Any, data: st.DataObject
) -> None:
    hold(tmp_path_factory, record, data)


@settings(max_examples=100)
@given(st.binary(max_size=40), st.sampled_from([b"", b"[", b"{", b'[{"role":', b"\x1f\x8b"]))
def test_any_file_in_a_folder(tmp_path_factory: Folder, junk: bytes, head: bytes) -> None:
    folder: Path = tmp_path_factory.getbasetemp() / "folder"
    folder.mkdir(exist_ok=True)
    (folder / "a.json").write_bytes(head + junk)
    (folder / "b.jsonl").write_text("\n".join(json.dumps(row) for row in GOOD))
    runs = load(folder)
    assert [run.run_id for run in runs][-2:] == ["good 1", "good 2"]
    assert runs.report.complete
