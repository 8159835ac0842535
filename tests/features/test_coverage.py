"""Coverage on a run whose values are worked out by hand."""

from __future__ import annotations

import math

import pytest

import agentcal as ac
from agentcal.features import FEATURES, decision_points
from agentcal.features._request import Request, inflections, tool_words
from agentcal.features._text import Digest

NAMES = [feature.name for feature in FEATURES]
nan = math.nan


def rows(task: str, *steps: ac.Step) -> list[dict[str, float]]:
    run = ac.Trajectory(run_id="r", task=task, steps=list(steps))
    return [dict(zip(NAMES, p.vector.tolist(), strict=True)) for p in decision_points(run)]


def check(row: dict[str, float], **expected: float) -> None:
    assert {name: row[name] for name in expected} == pytest.approx(expected, nan_ok=True)


def call(name: str, result: str | None = "ok", **arguments: str | float) -> ac.ToolCall:
    status = "missing" if result is None else "ok"
    return ac.ToolCall(name=name, arguments=dict(arguments), result=result, status=status)


PAY = (
    "Send 12.50 to bob@x.org, then tell me the total balance.",
    ac.Step(tool_calls=[call("get_balance", "Balance: 100.00", account="main")]),
    ac.Step(text="Sending now.", tool_calls=[call("send_money", to="bob@x.org", amount=12.5)]),
    ac.Step(
        inputs=[ac.Message(role="user", text="Please delete the draft!")],
        text="The draft is deleted and the total is 87.50.",
    ),
)


def test_what_the_request_holds() -> None:
    # content words: send, bob, org, total, balance; entities: 12.5, bob@x.org
    first, second, third, _ = rows(*PAY)
    asked = {"requests_write": 1, "requests_read": 1, "request_sentences": 1, "request_words": 5}
    for row in (first, second):
        check(row, **asked, request_entities=2, request_aggregates=1, request_comparisons=0)
    # the user's message adds the words delete and draft, and one more change
    check(third, requests_write=2, requests_read=1, request_sentences=2, request_words=7)


def test_a_call_before_any_text() -> None:
    first = rows(*PAY)[0]
    check(
        first, request_words_in_calls=1 / 5, request_words_in_text=nan,
        request_words_anywhere=1 / 5, request_words_in_results=0,
        request_entities_in_calls=0, request_entities_in_text=nan,
        request_entities_nowhere=1, request_entities_unseen=2, request_kinds_in_text=nan,
        request_words_new=1, call_words_asked=1 / 3, tool_words_asked=1 / 2, reply_overlap=nan,
    )  # fmt: skip
    check(
        first, actions_done=0, writes_proposed=0, writes_done=0, writes_open=1,
        actions_minus_writes=-1, writes_untouched=1, reads_only=0, actions_unasked=0,
        calls_per_request=1 / 2, calls_minus_requests=-1,
    )  # fmt: skip


def test_an_action_is_proposed() -> None:
    second = rows(*PAY)[1]
    # the call touches send, bob and org; "Sending" is a form of "send"; no digit in the text yet
    check(
        second, request_words_in_calls=4 / 5, request_words_in_text=1 / 5,
        request_words_in_results=1 / 5, request_words_anywhere=4 / 5, request_entities_in_calls=1,
        request_entities_in_text=0, request_entities_nowhere=0, request_kinds_in_text=0,
        request_words_new=3, call_words_asked=3 / 5, tool_words_asked=2 / 4,
    )  # fmt: skip
    check(second, writes_proposed=1, writes_done=0, writes_open=1, writes_untouched=0)
    check(second, actions_done=0, actions_minus_writes=0, calls_per_request=1)


def test_the_answer() -> None:
    third, end = rows(*PAY)[2:]
    # draft, deleted and total in the text; of the message's delete and draft only draft as it is
    check(
        third, request_words_in_text=3 / 7, request_words_anywhere=1, reply_overlap=1 / 2,
        request_kinds_in_text=1, request_words_new=0, call_words_asked=nan, actions_done=1,
        writes_proposed=1 / 2, writes_done=1 / 2, writes_open=1, actions_minus_writes=-1,
        calls_per_request=2 / 3, calls_minus_requests=-1,
    )  # fmt: skip
    assert end == pytest.approx(third, nan_ok=True)


def test_an_action_that_nobody_asked_for_and_one_that_failed() -> None:
    step = ac.Step(tool_calls=[call("delete_file", id=4)])
    check(rows("What is up?", step)[-1], actions_unasked=1, reads_only=1, writes_done=nan)
    failed = step.model_copy(deep=True)
    failed.tool_calls[0].status = "error"
    row = rows("Please delete file 4.", failed)[-1]
    check(row, actions_unasked=0, actions_done=0, writes_proposed=1, writes_done=0)


def test_a_repeated_request_asks_for_nothing_new() -> None:
    task = "Please delete file 4, then tell me when."
    again = ac.Step(inputs=[ac.Message(role="user", text=task)] * 3, text="Done at 10:30.")
    once, many = rows(task, ac.Step(text="Done at 10:30."))[0], rows(task, again)[0]
    check(many, **{name: once[name] for name in once if name.startswith("request")})
    check(many, request_kinds_in_text=1)


def test_without_a_task() -> None:
    row = rows("", ac.Step(text="Hello 42"))[0]
    check(
        row, request_words=0, request_words_in_calls=nan, request_words_in_text=nan,
        request_entities_nowhere=nan, request_entities_unseen=0, request_kinds_in_text=nan,
        writes_done=nan, tool_words_asked=nan, reads_only=1, calls_per_request=0,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "writes", "reads"),
    [
        ("Book a table and invite Ann", 2, 0),
        ("Where is my book? Make sure to reply.", 1, 1),
        ("Go ahead and reschedule it", 1, 0),
        ("I read the post and paid the order", 0, 0),
        ("Could you please show me, list and count them", 0, 3),
    ],
)
def test_a_verb_asks_where_it_leads(text: str, writes: int, reads: int) -> None:
    request = Request(Digest(text))
    assert (request.asked, request.reads) == (writes, reads)
    later = Request(Digest(""))
    assert later.add(Digest(text)) == set()
    assert (later.asked, later.reads, later.mask) == (writes, reads, request.mask)
    later.add(Digest(f" {text} "))
    assert (later.asked, later.reads, later.forms) == (writes, reads, request.forms)


def test_stems_and_tool_names() -> None:
    for one, other in [("invited", "invite"), ("cities", "city"), ("booking", "book")]:
        assert set(inflections(one)) & set(inflections(other))
    assert "book" in inflections("booking")
    words, mask = tool_words("sendMoney")
    assert words == {"send", "money"}
    assert mask & tool_words("pay_bill")[1]
    assert not mask & tool_words("delete_file")[1]
    assert tool_words("weather") == (frozenset({"weather"}), 0)
