"""Bad input, one kind at a time: a clear account of it, and every good run beside it is kept."""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agentcal.errors import FormatError
from agentcal.formats import LoadedRuns, LoadReport, load
from agentcal.formats._seen import Seen

Chat = Callable[..., dict[str, Any]]
Save = Callable[..., Path]


def ids(runs: LoadedRuns) -> list[str]:
    return [run.run_id for run in runs]


@pytest.mark.parametrize(
    "case",
    [
        ('{"id": "x", "messages": [{"role": "us', "not valid JSON", "column"),
        ("[1, 2", "not valid JSON", "column"),
        ("}{", "not valid JSON", "column 1"),
        ('{"id": "x", "messages": []} trailing', "not valid JSON", "second value"),
        ("\x00\x00\x00\x00", "not valid JSON", "column 1"),
        ("[" * 100_000, "not valid JSON", "too deeply"),
        ("[" * 800 + r'"\ud800"' + "]" * 800, "not valid JSON", "too deeply"),
        ("42", "not a JSON object", "a number"),
        ('"text"', "not a JSON object", "text"),
        ("null", "not a JSON object", "null"),
        ("true", "not a JSON object", "true or false"),
        ('{"prompt": "hi"}', "not in a known format", "'prompt'"),
        ('{"id": "x", "messages": [{"role": "user"}, 7]}', "run is not valid", "message 2 is int"),
        ('{"run_id": "x", "steps": 5}', "run is not valid", "steps"),
        ('{"run_id": "", "steps": []}', "run is not valid", "run_id"),
        ('{"run_id": "x", "steps": [], "extra": 1}', "run is not valid", "extra"),
        ('{"run_id": "x", "schema_version": 2}', "run is not valid", "upgrade agentcal"),
        ('{"task_id": 1, "traj": null}', "run is not valid", "messages is NoneType"),
    ],
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_bad_line_is_skipped_and_told(
    save: Save, chat: Chat, case: tuple[str, str, str], place: int
) -> None:
    bad, kind, why = case
    lines: list[Any] = [chat("a"), chat("b")]
    lines.insert(place, bad)
    runs = load(save(*lines))
    assert ids(runs) == ["a", "b"]
    report = runs.report
    assert (report.read, report.skipped, report.files) == (2, 1, 1)
    (issue,) = report.skips
    assert (issue.kind, issue.line, issue.file) == (kind, place + 1, "runs.jsonl")
    assert why in issue.why
    assert issue.fix
    assert f"runs.jsonl line {place + 1}" in str(report)
    assert f": {kind}: " in str(report)


def test_the_second_run_of_an_id_is_skipped_also_across_files(save: Save, chat: Chat) -> None:
    first = save(chat("a"), chat("b"), chat("a", success=False), name="one.jsonl")
    second = save(chat("b"), chat("c"), name="two.jsonl")
    runs = load([first, second])
    assert ids(runs) == ["a", "b", "c"]
    assert runs.report.counts == {"duplicate run id": 2}
    again, other = runs.report.skips
    assert (again.run_id, again.line) == ("a", 3)
    assert "one.jsonl line 1" in again.why
    assert (other.run_id, other.file) == ("b", "two.jsonl")
    assert "one.jsonl line 2" in other.why


def test_a_file_that_is_read_twice_has_no_duplicates(save: Save, chat: Chat) -> None:
    path = save(chat("a"))
    runs = load([path, path, path.parent])
    assert ids(runs) == ids(runs) == ["a"]
    assert runs.report.skipped == 0


@pytest.mark.parametrize("label", [1.5, -0.1, 100, "maybe", [1], {"value": 7}])
def test_a_label_outside_its_range_costs_the_label_only(
    save: Save, chat: Chat, label: object
) -> None:
    runs = load(save(chat("a", outcome=label), chat("b")))
    bad, good = runs
    assert bad.outcome is None
    assert good.outcome is not None
    assert runs.report.labelled == 1
    (note,) = runs.report.notes
    assert (note.kind, note.run_id) == ("label is not in [0, 1]", "a")
    assert "outcome is" in note.why


@pytest.mark.parametrize("label", [{"value": 1.5}, {"value": "NaN"}, 3])
def test_a_bad_label_in_our_own_format_costs_the_label_only(save: Save, label: object) -> None:
    runs = load(save({"run_id": "a", "steps": [], "outcome": label}))
    (run,) = runs
    assert run.outcome is None
    assert runs.report.counts["label is not in [0, 1]"] == 1


def test_invalid_utf8_is_replaced_and_noted(save: Save, chat: Chat) -> None:
    bad = json.dumps(chat("a")).encode().replace(b"on its", b"on \xff\xc3its") + b"\n"
    runs = load(save(bad, chat("b")))
    first, _ = runs
    assert first.steps[0].text == "It is on \ufffd\ufffdits way."
    (note,) = runs.report.notes
    assert (note.kind, note.run_id, note.line) == ("invalid unicode", "a", 1)


def test_lone_surrogates_are_replaced_and_pairs_are_not(save: Save, chat: Chat) -> None:
    messages = [{"role": "user", "content": "x"}]
    line = json.dumps({"id": "a", "messages": messages}).replace('"x"', r'"\ud800 \ud83d\ude00"')
    runs = load(save(line, chat("b")))
    first, _ = runs
    assert first.task == "\ufffd \U0001f600"
    assert first.model_dump_json()
    assert runs.report.counts["invalid unicode"] == 1


def test_not_finite_logprobs_are_missing_and_counted(save: Save, chat: Chat) -> None:
    values = [-0.5, math.nan, -math.inf, math.inf, "low"]
    content = [{"token": "t", "logprob": v, "top_logprobs": []} for v in values]
    run = chat("a")
    run["messages"][1]["logprobs"] = {"content": content}
    runs = load(save(run))
    (read,) = runs
    logprobs = read.steps[0].logprobs
    assert logprobs is not None
    assert logprobs.logprobs == [-0.5, None, None, None, None]
    assert runs.report.counts == {"log-prob is not a finite number": 4}


def test_probabilities_in_place_of_logprobs_are_missing_and_counted(save: Save, chat: Chat) -> None:
    run = chat("a")
    run["messages"][1]["logprobs"] = {"content": [{"token": "t", "logprob": p} for p in (0.9, 0.2)]}
    runs = load(save(run))
    (read,) = runs
    assert read.steps[0].logprobs is not None
    assert read.steps[0].logprobs.logprobs == [None, None]
    (note,) = runs.report.notes
    assert (note.kind, note.count) == ("log-prob is above 0", 2)
    assert "not probabilities" in note.fix


def test_not_finite_logprobs_in_our_own_format_are_counted(save: Save) -> None:
    step = {"logprobs": {"logprobs": [math.nan, -1.0], "top": [[-1.0], [-math.inf, None]]}}
    runs = load(save({"run_id": "a", "steps": [step]}))
    (read,) = runs
    assert read.steps[0].logprobs is not None
    assert read.steps[0].logprobs.logprobs == [None, -1.0]
    assert runs.report.counts == {"log-prob is not a finite number": 2}


def test_a_run_without_turns_is_kept_and_noted(save: Save) -> None:
    runs = load(save({"id": "a", "messages": [], "reward": 0}))
    (run,) = runs
    assert run.steps == []
    assert run.outcome is not None
    assert runs.report.counts == {"run without a model turn": 1}


def test_ten_megabytes_in_one_message(save: Save, chat: Chat) -> None:
    big = chat("a")
    big["messages"][1]["content"] = "ä" * 5_000_000
    runs = load(save(chat("b"), big, chat("c")))
    sizes = {run.run_id: len(run.steps[0].text) for run in runs}
    assert sizes["a"] == 5_000_000
    assert set(sizes) == {"a", "b", "c"}
    assert runs.report.skipped == 0


def packed(lines: list[dict[str, Any]]) -> bytes:
    # Random text does not compress, so that a cut falls into a line and not beyond the last.
    rows = [{**line, "metadata": {"noise": "".join(map(chr, range(64, 4000)))}} for line in lines]
    return gzip.compress(b"".join(json.dumps(row).encode() + b"\n" for row in rows))


def test_a_truncated_gzip_gives_the_runs_before_the_cut(save: Save, chat: Chat) -> None:
    whole = packed([chat(str(i), n=i * 7919) for i in range(200)])
    runs = load(save(whole[: len(whole) * 2 // 3], name="runs.jsonl.gz"))
    read = ids(runs)
    assert read == [str(i) for i in range(len(read))]
    assert 20 < len(read) < 200
    (issue,) = runs.report.skips
    assert issue.kind == "file is damaged"
    assert "cut off" in issue.why


def test_a_gzip_without_its_last_bytes_loses_no_run(save: Save, chat: Chat) -> None:
    runs = load(save(packed([chat("a"), chat("b")])[:-6], name="runs.jsonl.gz"))
    assert ids(runs) == ["a", "b"]
    assert [issue.kind for issue in runs.report.skips] == ["file is damaged"]


def test_garbage_inside_a_gzip_gives_the_runs_before_it(save: Save, chat: Chat) -> None:
    whole = packed([chat("a"), chat("b")]) + packed([chat("c")])
    spoilt = whole[:-40] + b"\xff" * 20 + whole[-20:]
    runs = load(save(spoilt, name="runs.jsonl.gz"))
    assert ids(runs)[:2] == ["a", "b"]
    assert "file is damaged" in runs.report.counts


def test_an_empty_file_is_noted(save: Save) -> None:
    for path in (save(name="a.jsonl"), save(b"\n \n", name="b.jsonl"), save("[]", name="c.json")):
        runs = load(path)
        assert ids(runs) == []
        assert runs.report.counts == {"file is empty": 1}


def test_a_missing_file_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"nowhere\.jsonl: no such file or folder"):
        load(tmp_path / "nowhere.jsonl")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("name,age\nada,36\n", "not valid JSON"),
        ('{"name": "ada"}\n', "an object with the keys 'name'"),
        ("\n".join(f'{{"n": {i}}}' for i in range(3000)), "an object with the keys 'n'"),
        ('{\n  "name": "ada"\n}\n', "an object with the keys 'name'"),
        (b"\xff\xfe{\x00}\x00", "UTF-16"),
        (b"\x1f\x8b\x08\x00\x00", "gzip data is cut off"),
        (b"\x89PNG\r\n\x1a\n\x00", "not valid JSON"),
    ],
)
def test_a_file_of_unknown_format_is_told_at_once(save: Save, text: str, found: str) -> None:
    with pytest.raises(FormatError, match="in no known format") as caught:
        load(save(text, name="table.csv"))
    message = str(caught.value)
    assert found in message
    assert all(name in message for name in ("OpenAI", "AgentDojo", "tau-bench", "agentcal JSONL"))


def test_in_a_folder_the_unknown_file_is_skipped(save: Save, chat: Chat) -> None:
    save('{"name": "a package"}', name="logs/package.json")
    folder = save(chat("a"), name="logs/runs.jsonl").parent
    runs = load(folder)
    assert ids(runs) == ["a"]
    (issue,) = runs.report.skips
    assert (issue.file, issue.kind) == ("package.json", "file is in no known format")
    assert (runs.report.files, runs.report.files_skipped) == (1, 1)


def test_a_reader_that_fails_costs_one_record(save: Save, chat: Chat) -> None:
    summary = {"messages": [], "metadata": {"suite_name": "banking"}}
    runs = load(save(summary, chat("a")))
    assert ids(runs) == ["a"]
    assert "user_task_id" in runs.report.skips[0].why


def test_counts_are_exact_although_details_are_bounded(save: Save, chat: Chat) -> None:
    bad = ["{"] * 500 + ["7"] * 30
    runs = load(save(chat("a"), *bad, *(chat(str(i), score=9, success=None) for i in range(50))))
    assert len(ids(runs)) == 51
    report = runs.report
    assert report.counts == {
        "not valid JSON": 500,
        "not a JSON object": 30,
        "label is not in [0, 1]": 50,
    }
    assert (report.skipped, report.noted, len(report.skips), len(report.notes)) == (530, 50, 40, 20)
    text = str(report)
    assert "... and 497 more: not valid JSON" in text
    assert len(text.splitlines()) < 40


def test_the_report_is_plain_json(save: Save, chat: Chat) -> None:
    runs = load(save("{", chat("a")))
    list(runs)
    assert LoadReport.model_validate_json(runs.report.model_dump_json()) == runs.report


def test_a_duplicate_far_down_is_found_too() -> None:
    seen = Seen()
    ids = [f"run-{i}" for i in range(40_000)]
    assert not any(seen.before(name, f"line {place}") for place, name in enumerate(ids, 1))
    assert seen.before("run-7", "here") == "line 8"
    far = [seen.before(name, "here") for name in ("run-10000", "run-25000", "run-39999")]
    assert far == ["an earlier line or file"] * 3
    assert seen.before("run-40000", "here") is None


def test_a_file_with_more_ids_than_places_are_kept_for(tmp_path: Path) -> None:
    path = tmp_path / "many.jsonl"
    names = [*(f"r{i}" for i in range(10_050)), "r10049", "r7"]
    path.write_text("\n".join(json.dumps({"run_id": n, "steps": [{"text": "x"}]}) for n in names))
    runs = load(path)
    assert len(ids(runs)) == 10_050
    far, near = runs.report.skips
    assert (far.run_id, near.run_id) == ("r10049", "r7")
    assert "an earlier line or file" in far.why
    assert "line 8" in near.why
