"""JSON lists and documents, whole and damaged, next to JSONL."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agentcal.formats import Context, Record, load
from agentcal.trajectory import Trajectory
from tests.formats.records import RECORDS

Chat = Callable[..., dict[str, Any]]
Save = Callable[..., Path]


def ids(path: Path) -> list[str]:
    return [run.run_id for run in load(path)]


@pytest.mark.parametrize("indent", [None, 0, 2])
def test_a_json_list_of_runs(save: Save, chat: Chat, indent: int | None) -> None:
    rows = [chat(str(i)) for i in range(5)]
    assert ids(save(json.dumps(rows, indent=indent), name="runs.json")) == list("01234")


@pytest.mark.parametrize("indent", [None, 2])
def test_one_document_is_one_run(save: Save, chat: Chat, indent: int | None) -> None:
    assert ids(save(json.dumps(chat("a"), indent=indent), name="run.json")) == ["a"]


def test_documents_that_follow_each_other(save: Save, chat: Chat) -> None:
    text = "\n".join(json.dumps(chat(name), indent=1) for name in "abc")
    assert ids(save(text)) == ["a", "b", "c"]


def test_lists_that_follow_each_other_over_many_lines(save: Save, chat: Chat) -> None:
    text = "\n".join(json.dumps([chat(a), chat(b)], indent=1) for a, b in ("ab", "cd"))
    assert ids(save(text)) == ["a", "b", "c", "d"]


def test_a_damaged_document_costs_itself_only(save: Save, chat: Chat) -> None:
    texts = [json.dumps(chat(name), indent=1) for name in "abc"]
    runs = load(save(texts[0], texts[1].replace('"success": true', '"success": tr'), texts[2]))
    assert [run.run_id for run in runs] == ["a", "c"]
    (issue,) = runs.report.skips
    assert (issue.kind, issue.line) == ("not valid JSON", texts[0].count("\n") + 2)


@pytest.mark.parametrize("indent", [None, 2])
def test_a_bare_list_of_messages_is_one_run(save: Save, chat: Chat, indent: int | None) -> None:
    path = save(json.dumps(chat("a")["messages"], indent=indent), name="talk.json")
    (run,) = load(path)
    assert run.task == "Where is order 17?"
    assert run.run_id.startswith("talk.json")


def test_bare_lists_of_messages_line_by_line(save: Save, chat: Chat) -> None:
    messages = chat("a")["messages"]
    path = save(messages, messages, name="talks.jsonl")
    assert ids(path) == ["talks.jsonl:1", "talks.jsonl:2"]


def test_bare_lists_whose_first_line_is_cut_off(save: Save, chat: Chat) -> None:
    messages = chat("a")["messages"]
    runs = load(save(json.dumps(messages)[:-20], messages, messages, name="talks.jsonl"))
    assert [run.run_id for run in runs] == ["talks.jsonl:2", "talks.jsonl:3"]
    assert runs.report.counts == {"not valid JSON": 1}


def test_lists_of_runs_line_by_line(save: Save, chat: Chat) -> None:
    assert ids(save([chat("a"), chat("b")], [chat("c")])) == ["a", "b", "c"]


def test_bare_lists_whose_first_line_is_cut_off_between_messages(save: Save, chat: Chat) -> None:
    messages = chat("a")["messages"]
    runs = load(save(json.dumps(messages)[:-1], messages, name="talks.jsonl"))
    assert [run.run_id for run in runs] == ["talks.jsonl:2"]
    assert runs.report.counts == {"not valid JSON": 1}


@pytest.mark.parametrize("indent", [None, 2])
def test_a_list_that_is_cut_off_keeps_its_whole_runs(
    save: Save, chat: Chat, indent: int | None
) -> None:
    text = json.dumps([chat(str(i)) for i in range(5)], indent=indent)
    runs = load(save(text[: text.rindex("order 17")], name="runs.json"))
    assert [run.run_id for run in runs] == ["0", "1", "2", "3"]
    (issue,) = runs.report.skips
    assert (issue.kind, issue.item) == ("not valid JSON", 5)


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("place", [0, 2, 4])
def test_a_damaged_run_in_a_list_costs_itself_only(
    save: Save, chat: Chat, indent: int | None, place: int
) -> None:
    rows = [chat(str(i)) for i in range(5)]
    rows[place]["messages"][0]["content"] = "BREAK"
    text = json.dumps(rows, indent=indent).replace('"BREAK"', '"BREAK', 1)
    runs = load(save(text, name="runs.json"))
    assert [run.run_id for run in runs] == [str(i) for i in range(5) if i != place]
    (issue,) = runs.report.skips
    assert (issue.kind, issue.item) == ("not valid JSON", place + 1)


@pytest.mark.parametrize("stray", [']"', '"', ']""', ']",'])
def test_a_stray_quotation_mark_hides_no_record_behind_it(
    save: Save, chat: Chat, stray: str
) -> None:
    """What it opens looks like text up to the first quotation mark of the next record."""
    first, second, third = (json.dumps(chat(name)) for name in "abc")
    runs = load(save(f"[{first}{stray}, {second}, {third}]", name="runs.json"))
    assert [run.run_id for run in runs] == ["a", "b", "c"]
    assert runs.report.skipped >= 1


@pytest.mark.parametrize("rest", ["]\n, {b}, {c}]", "]\n,{b},{c}\n]", "]\n], {b}]\n, {c}"])
def test_a_stray_bracket_at_the_end_of_a_line_hides_no_record_behind_it(
    save: Save, chat: Chat, rest: str
) -> None:
    for name in "bc":
        rest = rest.replace(f"{{{name}}}", json.dumps(chat(name)))
    runs = load(save(f"[{json.dumps(chat('a'))}{rest}", name="runs.json"))
    assert [run.run_id for run in runs] == ["a", "b", "c"]


def test_a_document_that_is_cut_off_names_its_place(save: Save, chat: Chat) -> None:
    text = json.dumps(chat("a"), indent=2)
    save(text[:-30], name="logs/a.json")
    runs = load(save(json.dumps(chat("b"), indent=2), name="logs/b.json").parent)
    assert [run.run_id for run in runs] == ["b"]
    assert runs.report.skips[0].file == "a.json"


@pytest.mark.parametrize("place", [0, 1, 4])
@pytest.mark.parametrize("end", ["\n]\n", ",\n", "\n"])
def test_a_list_of_one_run_a_line(save: Save, chat: Chat, place: int, end: str) -> None:
    rows = [json.dumps(chat(str(i))) for i in range(5)]
    rows[place] = rows[place][:50]
    runs = load(save("[\n" + ",\n".join(rows) + end, name="runs.json"))
    assert [run.run_id for run in runs] == [str(i) for i in range(5) if i != place]
    assert runs.report.counts["not valid JSON"] == runs.report.skipped == 1


def test_items_that_are_no_objects_are_told_by_number(save: Save, chat: Chat) -> None:
    runs = load(save(json.dumps([chat("a"), 3, chat("b")]), name="runs.json"))
    assert len(list(runs)) == 2
    assert [(i.kind, i.item) for i in runs.report.skips] == [("not a JSON object", 2)]


def test_broken_unicode_in_a_document_over_many_lines(save: Save, chat: Chat) -> None:
    text = json.dumps([chat("a"), chat("b")], indent=2).replace("on its", r"on \udead its", 1)
    runs = load(save(text, name="runs.json"))
    assert [run.steps[0].text for run in runs] == ["It is on \ufffd its way.", "It is on its way."]
    assert runs.report.counts == {"invalid unicode": 1}


def test_byte_order_mark_windows_line_ends_and_blank_lines(save: Save, chat: Chat) -> None:
    lines = [json.dumps(chat(name)).encode() + b"\r\n" for name in "ab"]
    assert ids(save(b"\xef\xbb\xbf", lines[0], b"\r\n\r\n", lines[1], b"\n")) == ["a", "b"]


def test_line_numbers_count_blank_lines(save: Save, chat: Chat) -> None:
    runs = load(save(b"\n\n", chat("a"), b"\n", "{"))
    list(runs)
    assert runs.report.skips[0].line == 5


@pytest.mark.parametrize("kind", ["openai", "langchain"])
def test_lines_that_are_messages_are_one_run(save: Save, chat: Chat, kind: str) -> None:
    rows = RECORDS[kind]["messages"]
    runs = load(save(*rows, chat("b"), *rows, name="talk.jsonl"))
    assert [run.run_id for run in runs] == ["talk.jsonl:1", "b", f"talk.jsonl:{len(rows) + 2}"]
    first, _, last = runs
    assert first.steps == last.steps
    assert runs.report.skipped == 0


@pytest.mark.parametrize("name", ["run_id", "session_id", "thread_id", "conversation_id"])
def test_message_lines_of_two_conversations_are_two_runs(save: Save, name: str) -> None:
    rows = [{**row, name: talk} for talk in "ab" for row in RECORDS["openai"]["messages"]]
    assert [len(run.steps) for run in load(save(*rows))] == [1, 1]


def test_a_broken_message_line_costs_that_message_and_is_told(save: Save) -> None:
    rows: list[Any] = list(RECORDS["openai"]["messages"])
    rows.insert(1, '{"role": "assi')
    runs = load(save(*rows))
    (run,) = runs
    assert run.task == "hi"
    assert [(issue.line, issue.kind) for issue in runs.report.skips] == [(2, "not valid JSON")]


def test_a_lost_bracket_after_a_list_of_messages_costs_no_other_run(save: Save, chat: Chat) -> None:
    first, talk, last = (json.dumps(r) for r in (chat("a"), RECORDS["responses_bare"], chat("b")))
    runs = load(save(f"[{first}, {talk[:-1]}, {last}]", name="list.json"))
    assert [run.run_id for run in runs] == ["a", "list.json:1:2", "b"]


def test_empty_lists_beside_runs_are_noted(save: Save, chat: Chat) -> None:
    runs = load(save(chat("a"), "[]", "[[]]", "[[], []]"))
    assert [run.run_id for run in runs] == ["a"]
    assert runs.report.counts == {"record holds no run": 4}


class Boxes:
    """A format with many runs in a record."""

    name = "boxes"
    about = '{"box": [...]}'

    def sniff(self, record: Record) -> bool:
        return isinstance(record, dict) and "box" in record

    def split(self, record: Record) -> list[Record] | None:
        assert isinstance(record, dict)
        return [{"box": task} for task in record["box"]] if record["box"] != "one" else None

    def read(self, record: Record, context: Context) -> Trajectory:
        assert isinstance(record, dict)
        return Trajectory(run_id=context.fallback_id, task=record["box"])


def test_a_record_may_hold_many_runs(save: Save) -> None:
    runs = load(
        save({"box": ["a", 7, "c"]}, {"box": []}, {"box": 5}, {"box": "one"}), format=Boxes()
    )
    assert [(run.run_id, run.task) for run in runs] == [
        ("runs.jsonl:1:1", "a"),
        ("runs.jsonl:1:3", "c"),
        ("runs.jsonl:4", "one"),
    ]
    skipped = [(issue.line, issue.item) for issue in runs.report.skips]
    assert skipped == [(1, 2), (3, None)]
    assert runs.report.counts["record holds no run"] == 1
