"""Spans to runs: what belongs together, what is missing, and what that does."""

from __future__ import annotations

from typing import Any

import pytest

from tests.telemetry_in.spans import (
    agent,
    answers,
    chat,
    proposes,
    run,
    runs,
    says,
    shape,
    span,
    tool,
    user,
)

HI = [user("hi")]
CALLED = [*HI, says([proposes()])]
TOLD = [*CALLED, answers("x")]


def whole(**root: Any) -> list[Any]:
    return [
        agent("a", at=(0, 9), gen_ai__agent__name="clerk", **root),
        chat("b", "a", (1, 2), [proposes()], HI),
        tool("c", "a", (3, 5), gen_ai__tool__call__id="1", gen_ai__tool__call__result="x"),
        chat("d", "a", (6, 8), "bye", TOLD),
    ]


def test_a_run() -> None:
    found = run(*whole(gen_ai__conversation__id="t"))
    assert shape(found) == [("", [("f", "x", "ok")]), ("bye", [])]
    assert (found.task, found.agent, found.conversation) == ("hi", "clerk", "t")
    assert (found.end_reason, found.gaps) == ("answered", [])
    assert found.run_id == "0af7651916cd43dd8448eb211c80319c-a"
    assert [step.latency_s for step in found.steps] == [1.0, 2.0]
    assert found.steps[0].tool_calls[0].duration_s == 2.0
    assert found.metadata["trace_id"] == "0af7651916cd43dd8448eb211c80319c"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ("ValueError", "error"),
        ("asyncio.exceptions.CancelledError", "cancelled"),
        ("langgraph.errors.GraphRecursionError", "max_steps"),
        ("langgraph.errors.GraphInterrupt", "interrupted"),
    ],
)
def test_why_a_run_ended(error: str, reason: str) -> None:
    assert run(*whole(error=error)).end_reason == reason


def test_a_model_that_failed_has_made_no_turn() -> None:
    failed = chat("z", "a", (0.2, 0.9), shown=HI, error="TimeoutError")
    found = run(failed, *whole())
    assert shape(found) == [("", [("f", "x", "ok")]), ("bye", [])]
    assert found.gaps == []


def test_a_result_that_only_the_next_input_has() -> None:
    found = run(*(s for s in whole() if s.span_id != "c"))
    assert shape(found) == [("", [("f", "x", "ok")]), ("bye", [])]
    assert found.gaps == []


def test_the_words_that_the_model_was_told_win_over_those_of_the_exception() -> None:
    spans = whole()
    spans[2] = tool("c", "a", (3, 5), gen_ai__tool__call__id="1", error="ValueError")
    assert shape(run(*spans))[0] == ("", [("f", "x", "error")])
    assert shape(run(*spans[:3]))[0] == ("", [("f", "ValueError: it went wrong", "error")])


def test_calls_without_ids_go_by_name_arguments_and_order() -> None:
    """And the arguments of the second are what tells the two apart."""
    twice = [proposes("f", None, a=1), proposes("f", None, a=2), proposes("g", None)]
    arguments = {"gen_ai__tool__call__arguments": '{"a": 2}', "gen_ai__tool__call__result": "two"}
    found = run(
        agent("a"),
        chat("b", "a", (1, 2), twice, HI),
        tool("c", "a", (3, 4), "g", gen_ai__tool__call__result="g"),
        tool("d", "a", (3, 5), "f", **arguments),
        tool("e", "a", (3, 6), "f", gen_ai__tool__call__result="one"),
    )
    # A recorder files results without an id under the oldest open call of the name.
    assert {call.result for call in found.steps[0].tool_calls} == {"one", "two", "g"}
    assert found.steps[0].tool_calls[2].result == "g"


def test_ids_that_repeat_from_turn_to_turn() -> None:
    found = run(
        agent("a"),
        chat("b", "a", (1, 2), [proposes()], HI),
        tool("c", "a", (3, 4), gen_ai__tool__call__id="1", gen_ai__tool__call__result="x"),
        chat("d", "a", (5, 6), [proposes()], TOLD),
        tool("e", "a", (7, 8), gen_ai__tool__call__id="1", gen_ai__tool__call__result="y"),
        chat("f", "a", (9, 10), "bye", [*TOLD, says([proposes()]), answers("y")]),
    )
    assert shape(found) == [
        ("", [("f", "x", "ok")]),
        ("", [("f", "y", "ok")]),
        ("bye", []),
    ]


def test_what_came_between_two_turns() -> None:
    told = [*TOLD, says("Be quick.", "system"), user("and now?"), says("from B", "assistant")]
    spans = whole()
    spans[3] = chat("d", "a", (6, 8), "bye", told[:-1])
    found = run(*spans)
    assert [(m.role, m.text) for m in found.steps[1].inputs] == [
        ("system", "Be quick."),
        ("user", "and now?"),
    ]


def test_a_turn_whose_span_is_lost_is_told_by_the_next_one() -> None:
    found = run(*(s for s in whole() if s.span_id != "b"))
    assert shape(found) == [("", [("f", "x", "ok")]), ("bye", [])]
    assert found.steps[0].latency_s is None
    assert found.gaps == [
        "1 model turn known only from what came after",
        "1 tool span that no recorded turn proposed",
    ]


def test_the_last_turn_is_told_by_the_root() -> None:
    spans = whole(gen_ai__output__messages='[{"role": "assistant", "content": "bye"}]')
    found = run(*spans[:3])
    assert shape(found) == [("", [("f", "x", "ok")]), ("bye", [])]
    assert found.gaps == ["1 model turn known only from what came after"]


def test_the_root_alone_tells_of_no_turn_that_its_agent_need_not_have_made() -> None:
    """A reply that follows no tool may be the program's own."""
    spans = whole(gen_ai__output__messages='[{"role": "assistant", "content": "Sorry."}]')
    assert shape(run(*spans)) == [("", [("f", "x", "ok")]), ("bye", [])]


def test_without_its_root_a_run_is_told_and_says_so() -> None:
    found = run(*whole()[1:])
    assert shape(found) == [("", [("f", "x", "ok")]), ("bye", [])]
    assert found.run_id == run(*whole()).run_id
    assert found.end_reason == "unknown"
    assert found.gaps == ["the span of the run itself is missing"]


def test_a_span_without_its_parent_is_put_where_it_fits_in_time() -> None:
    spans = whole()
    spans[2].parent_id = "gone"
    found = run(*spans)
    assert shape(found)[0] == ("", [("f", "x", "ok")])
    assert found.gaps == ["1 span without a parent"]


def test_a_remote_parent_is_no_gap() -> None:
    spans = whole(remote=True)
    spans[0].parent_id = "elsewhere"
    assert run(*spans).gaps == []


def test_two_requests_under_one_server_span_are_two_runs() -> None:
    server = span("s", at=(0, 300), http__method="POST")
    first = [agent("a", "s", (1, 90)), chat("b", "a", (2, 3), "one", HI)]
    second = [agent("c", "s", (100, 200)), chat("d", "c", (101, 102), "two", [user("ho")])]
    assert [found.task for found in runs(server, *first, *second)] == ["hi", "ho"]
    # The server's own span may be somewhere else.
    assert [found.gaps for found in runs(*first, *second)] == [[], []]


def test_models_that_are_called_without_an_agent_are_a_run_of_what_is_above() -> None:
    server = span("s", at=(0, 9), http__method="POST")
    found = run(server, chat("b", "s", (1, 2), [proposes()], HI), chat("c", "s", (3, 4), "x", TOLD))
    assert shape(found) == [("", [("f", "x", "ok")]), ("x", [])]
    assert found.end_reason == "unknown"


def test_agents_within_agents() -> None:
    found = run(
        agent("a", gen_ai__agent__name="boss"),
        chat("b", "a", (1, 2), [proposes("ask", "1")], HI),
        tool("c", "a", (3, 9), "ask", gen_ai__tool__call__id="1", gen_ai__tool__call__result="20"),
        agent("d", "c", (4, 8), gen_ai__agent__name="clerk"),
        chat("e", "d", (5, 6), "20", [says("Look up.", "system"), user("bob?")]),
        chat("f", "a", (10, 11), "Twenty.", [*HI, says([proposes("ask", "1")]), answers("20")]),
    )
    assert [step.agent for step in found.steps] == ["boss", "clerk", "boss"]
    assert found.steps[0].tool_calls[0].returned_after == 1
    assert [(m.role, m.text) for m in found.steps[1].inputs] == [("agent", "bob?")]
    assert (found.agent, found.task) == ("boss", "hi")


def test_an_agent_that_lost_its_caller_is_part_of_the_run_that_was_going_on() -> None:
    found = run(
        agent("a", at=(0, 99)),
        chat("b", "a", (1, 2), [proposes("ask", "1")], HI),
        agent("d", "lost", (4, 8), gen_ai__agent__name="clerk"),
        chat("e", "d", (5, 6), "20", [user("bob?")]),
    )
    assert len(found.steps) == 2
    assert found.gaps == ["1 span without a parent"]


def test_a_framework_and_the_client_in_it_tell_one_turn() -> None:
    """What only the inner span says is added to the turn."""
    outer = {"openinference.span.kind": "LLM", "llm.output_messages.0.message.role": "assistant"}
    outer["llm.output_messages.0.message.content"] = "bye"
    inner = chat("c", "b", (1.1, 1.9), "bye", HI, gen_ai__usage__input_tokens=7)
    found = run(agent("a"), span("b", "a", (1, 2), **outer), inner)
    (step,) = found.steps
    assert step.usage is not None
    assert (step.text, step.usage.input_tokens, found.task) == ("bye", 7, "hi")
    assert found.gaps == []


def test_two_tracers_side_by_side_tell_one_run() -> None:
    again = {"openinference.span.kind": "LLM", "llm.output_messages.0.message.role": "assistant"}
    again["llm.output_messages.0.message.content"] = "bye"
    found = run(*whole(), span("z", "a", (5.9, 8.1), **again))
    assert shape(found) == [("", [("f", "x", "ok")]), ("bye", [])]
    assert found.gaps == ["1 model turn told by two tracers; one of them was read"]


def interrupted(**more: Any) -> list[Any]:
    talk = {"gen_ai__conversation__id": "t"}
    return [
        agent("a", at=(0, 5), trace="1" * 32, **talk),
        chat("b", "a", (1, 2), [proposes()], HI, trace="1" * 32),
        agent("c", at=(10, 20), trace="2" * 32, **talk, **more),
    ]


def test_a_run_goes_on_where_a_tool_of_its_last_turn_is_run() -> None:
    ran = {"gen_ai__tool__call__id": "1", "gen_ai__tool__call__result": "x"}
    found = run(
        *interrupted(),
        tool("d", "c", (11, 12), trace="2" * 32, **ran),
        chat("e", "c", (13, 14), "bye", TOLD, trace="2" * 32),
    )
    assert shape(found) == [("", [("f", "x", "ok")]), ("bye", [])]
    assert [(i.step, i.kind) for i in found.interventions] == [(0, "resumed")]
    assert found.metadata["resumed_in"] == ["2" * 32]
    assert (found.end_reason, found.gaps) == ("answered", [])


def test_a_run_goes_on_where_a_model_is_shown_its_open_turn() -> None:
    found = run(*interrupted(), chat("e", "c", (13, 14), "bye", TOLD, trace="2" * 32))
    assert shape(found) == [("", [("f", "x", "ok")]), ("bye", [])]


@pytest.mark.parametrize("shown", [[*CALLED, answers("x"), user("ho")], [user("ho")]])
def test_a_new_request_in_the_conversation_is_another_run(shown: list[Any]) -> None:
    asked = {"gen_ai__input__messages": '[{"role": "user", "content": "ho"}]'}
    for root in ({}, asked):
        turn = chat("e", "c", (13, 14), "bye", shown, trace="2" * 32)
        first, second = runs(*interrupted(**root), turn)
        assert (first.end_reason, first.task) == ("interrupted", "hi")
        assert (second.end_reason, second.task) == ("answered", "ho")
        assert second.interventions == []


def test_without_a_conversation_nothing_is_joined() -> None:
    spans = interrupted()
    for part in spans:
        part.attributes = {k: v for k, v in part.attributes.items() if "conversation" not in k}
    assert len(runs(*spans, chat("e", "c", (13, 14), "bye", TOLD, trace="2" * 32))) == 2


def test_attributes_that_the_tracer_dropped_are_a_gap() -> None:
    spans = whole()
    spans[1].cut = 2
    assert run(*spans).gaps == ["2 values cut off by a limit of the tracer"]


def test_a_trace_in_which_no_agent_was_at_work_is_no_run() -> None:
    assert runs(agent("a"), span("b", "a", http__method="GET")) == []


def test_circles_of_parents_do_no_harm() -> None:
    one, two = agent("a", "b"), agent("b", "a")
    assert len(runs(one, two, chat("c", "a", (1, 2), "x", HI))) == 1
