"""One span of every dialect, in its current and its older words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agentcal import TokenLogprobs, load
from agentcal.telemetry._collect import Trace
from agentcal.telemetry._dialects import DIALECTS, facts_of
from agentcal.telemetry._raw import RawEvent, RawLog
from tests.telemetry_in.spans import (
    TRACE,
    agent,
    answers,
    chat,
    proposes,
    run,
    says,
    shape,
    span,
    tool,
    user,
)

SAMPLES = Path(__file__).parent / "samples"
ASKED = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi"}]
CALL = {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
CALLS = [{"id": "1", "function": {"name": "f", "arguments": '{"a": 1}'}}]


def numbered(prefix: str, value: Any) -> dict[str, Any]:
    """Lists and objects spread over numbered attributes."""
    if isinstance(value, dict):
        parts = [(f"{prefix}.{key}", inner) for key, inner in value.items()]
    elif isinstance(value, list):
        parts = [(f"{prefix}.{at}", inner) for at, inner in enumerate(value)]
    else:
        return {prefix: value}
    return {key: v for name, inner in parts for key, v in numbered(name, inner).items()}


def old_openllmetry() -> dict[str, Any]:
    call = {"id": "1", "name": "f", "arguments": '{"a": 1}'}
    return {
        "llm.request.type": "chat",
        "gen_ai.system": "OpenAI",
        "gen_ai.request.model": "m",
        "gen_ai.response.model": "m-0613",
        "gen_ai.usage.prompt_tokens": 3,
        "gen_ai.usage.completion_tokens": 2,
        **numbered("gen_ai.prompt", ASKED),
        "gen_ai.completion.0.role": "assistant",
        "gen_ai.completion.0.content": "ok",
        "gen_ai.completion.0.finish_reason": "tool_calls",
        **numbered("gen_ai.completion.0.tool_calls", [call]),
        "llm.request.functions.0.name": "f",
        "llm.request.functions.0.description": "d",
        "llm.request.functions.0.parameters": '{"type": "object"}',
    }


def current() -> dict[str, Any]:
    calls = {"type": "tool_call", "id": "1", "name": "f", "arguments": {"a": 1}}
    tools = [
        {"type": "function", "name": "f", "description": "d", "parameters": {"type": "object"}}
    ]
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "m",
        "gen_ai.response.model": "m-0613",
        "gen_ai.usage.input_tokens": 3,
        "gen_ai.usage.output_tokens": 2,
        "gen_ai.system_instructions": '[{"type": "text", "content": "Be brief."}]',
        "gen_ai.input.messages": json.dumps([user("hi")]),
        "gen_ai.output.messages": json.dumps([says([{"type": "text", "content": "ok"}, calls])]),
        "gen_ai.tool.definitions": json.dumps(tools),
    }


def openinference() -> dict[str, Any]:
    calls = [{"tool_call": CALL}]
    said = {"message": {"role": "assistant", "content": "ok", "tool_calls": calls}}
    function = {"name": "f", "description": "d", "parameters": {"type": "object"}}
    return {
        "openinference.span.kind": "LLM",
        "llm.model_name": "m-0613",
        "llm.invocation_parameters": '{"model": "m"}',
        "llm.token_count.prompt": 3,
        "llm.token_count.completion": 2,
        **numbered("llm.input_messages", [{"message": message} for message in ASKED]),
        **numbered("llm.output_messages", [said]),
        "llm.tools.0.tool.json_schema": json.dumps({"type": "function", "function": function}),
    }


def openai_in_openinference() -> dict[str, Any]:
    """The instrumentor of the provider's client keeps the answer as it came."""
    said = {"role": "assistant", "content": "ok", "tool_calls": CALLS}
    usage = {"prompt_tokens": 3, "completion_tokens": 2}
    kept = {k: v for k, v in openinference().items() if "output_messages" not in k}
    return {**kept, "output.value": json.dumps({"choices": [{"message": said}], "usage": usage})}


@pytest.mark.parametrize(
    "attributes", [current(), old_openllmetry(), openinference(), openai_in_openinference()]
)
def test_a_model_turn_says_the_same_in_every_dialect(attributes: dict[str, Any]) -> None:
    found = run(span("a", None, (1, 3), **attributes))
    (step,) = found.steps
    (call,) = step.tool_calls
    assert (found.task, found.system, found.model) == ("hi", "Be brief.", "m")
    assert (step.text, step.model, step.latency_s) == ("ok", "m-0613", 2.0)
    assert (call.id, call.name, call.arguments, call.status) == ("1", "f", {"a": 1}, "missing")
    assert step.usage is not None
    assert (step.usage.input_tokens, step.usage.output_tokens) == (3, 2)
    (offered,) = found.tools
    assert (offered.name, offered.description, offered.parameters) == ("f", "d", {"type": "object"})


CHOICE = {
    "index": 0,
    "finish_reason": "tool_calls",
    "message": {"content": "ok", "tool_calls": CALLS},
}
TOOL = {"id": "0", "content": "x"}
BODIES = [
    ("gen_ai.system.message", ASKED[0]),
    ("gen_ai.user.message", {"content": "hi"}),
    ("gen_ai.assistant.message", {"tool_calls": [{**CALLS[0], "id": "0"}]}),
    ("gen_ai.tool.message", TOOL),
    ("gen_ai.choice", CHOICE),
]


def as_attributes(body: dict[str, Any]) -> dict[str, Any]:
    return {k: v if isinstance(v, str) else json.dumps(v) for k, v in body.items()}


@pytest.mark.parametrize("way", ["log", "attributes", "one attribute", "named by an attribute"])
def test_messages_on_events_and_logs(way: str) -> None:
    bare = {"gen_ai.operation.name": "chat", "gen_ai.system": "openai", "gen_ai.request.model": "m"}
    events = [RawEvent(name, {}, at, body) for at, (name, body) in enumerate(BODIES, 1)]
    if way == "attributes":
        events = [RawEvent(e.name, as_attributes(e.body), e.time_ns) for e in events]
    if way == "one attribute":
        told = [{"gen_ai.event.content": json.dumps(e.body)} for e in events]
        events = [RawEvent(e.name, t, e.time_ns) for e, t in zip(events, told, strict=True)]
    if way == "named by an attribute":
        events = [RawEvent("", {"event.name": e.name}, e.time_ns, e.body) for e in events]
    on_logs = way in ("log", "named by an attribute")
    turn = span("a", None, (1, 3), events=[] if on_logs else events, **bare)
    # Logs may be read before the span that they belong to.
    logs = [RawLog(TRACE, "a", event) for event in reversed(events)] if on_logs else []
    found = run(*logs, turn)
    assert (found.task, found.system) == ("hi", "Be brief.")
    assert [(c.id, c.result) for s in found.steps for c in s.tool_calls] == [
        ("0", "x"),
        ("1", None),
    ]
    assert found.steps[1].text == "ok"
    assert found.gaps == ["1 model turn known only from what came after"]


def test_content_on_a_details_event_of_the_current_conventions() -> None:
    told = {k: v for k, v in current().items() if k.startswith(("gen_ai.input", "gen_ai.output"))}
    plain = {k: v for k, v in current().items() if k not in told and "usage" not in k}
    event = RawEvent("gen_ai.client.inference.operation.details", told)
    found = run(span("a", None, (1, 2), **plain), RawLog(TRACE, "a", event))
    assert (found.task, found.steps[0].text) == ("hi", "ok")
    structured = RawEvent(event.name, {k: json.loads(v) for k, v in told.items()})
    assert run(span("a", None, (1, 2), **plain), RawLog(TRACE, "a", structured)) == found


def test_messages_that_name_the_span_around_the_turn() -> None:
    """As OpenLLMetry writes them. Where two turns are in it, it is not known whose they are."""
    node = span("n", None, (0, 9), traceloop__span__kind="task", traceloop__entity__name="node")
    said = [says("one"), says("two")]
    turns = [chat(str(at), "n", (at, at + 1), text["parts"]) for at, text in enumerate(said)]
    asked = RawLog(TRACE, "n", RawEvent("gen_ai.user.message", {}, 1, {"content": "hi"}))
    assert run(node, turns[0], asked).task == "hi"
    assert run(node, *turns, asked).task == ""


def test_content_on_the_oldest_events() -> None:
    prompt = RawEvent("gen_ai.content.prompt", {"gen_ai.prompt": json.dumps(ASKED)}, 1)
    said = json.dumps([{"role": "assistant", "content": "hello"}])
    reply = RawEvent("gen_ai.content.completion", {"gen_ai.completion": said}, 2)
    found = run(span("a", None, (1, 2), events=[prompt, reply], gen_ai__operation__name="chat"))
    assert (found.task, found.system, found.steps[0].text) == ("hi", "Be brief.", "hello")


def test_reasoning_is_no_text_and_results_beside_text_are_answers() -> None:
    thought = {"type": "reasoning", "content": "Hm."}
    first = chat("b", "a", (1, 2), [thought, proposes()], [user("hi")])
    mixed = {
        "role": "user",
        "parts": [*answers("x")["parts"], {"type": "text", "content": "go on"}],
    }
    second = chat("c", "a", (3, 4), "bye", [user("hi"), says([proposes()]), mixed])
    found = run(agent("a"), first, second)
    assert found.steps[0].reasoning == "Hm."
    assert found.steps[0].text == ""
    assert found.steps[0].tool_calls[0].result == "x"
    assert [m.text for m in found.steps[1].inputs] == ["go on"]


def test_several_output_messages_are_one_turn_unless_they_are_choices() -> None:
    parts = json.dumps([says("a"), says([proposes()])])
    turn = run(chat("b", None, (1, 2), gen_ai__output__messages=parts))
    assert (turn.steps[0].text, len(turn.steps[0].tool_calls)) == ("a", 1)
    two = run(
        chat(
            "b",
            None,
            (1, 2),
            gen_ai__output__messages=json.dumps([says("a"), says("b")]),
            gen_ai__request__choice__count=2,
        )
    )
    assert two.steps[0].text == "a"


def test_an_argument_that_is_no_object_is_kept_as_it_was_written() -> None:
    broken = {"type": "tool_call", "id": "1", "name": "f", "arguments": '{"a": '}
    (call,) = run(chat("b", None, (1, 2), [broken])).steps[0].tool_calls
    assert (call.arguments, call.raw_arguments) == (None, '{"a": ')


def test_content_that_a_limit_has_cut_is_a_gap() -> None:
    cut = json.dumps([says("x" * 100)])[:60]
    found = run(chat("b", None, (1, 2), shown=[user("hi")], gen_ai__output__messages=cut))
    assert found.steps[0].text == ""
    assert "1 value cut off by a limit of the tracer" in found.gaps
    assert "1 model turn of which no text was recorded" in found.gaps


def test_masked_values_are_not_what_was_said() -> None:
    hidden = {"openinference.span.kind": "LLM", "llm.model_name": "m"}
    masked = {"input.value": "__REDACTED__", "output.value": "__REDACTED__"}
    found = run(span("a", None, (1, 2), **hidden, **masked))
    assert "REDACTED" not in found.model_dump_json()
    assert found.steps[0].text == ""


def test_a_tool_of_openllmetry_is_unwrapped() -> None:
    """What it wraps in ``inputs``, or writes as text in ``input_str``; and a decorated function."""
    result = {"output": {"lc": 1, "type": "constructor", "id": ["x", "ToolMessage"], "kwargs": {}}}
    result["output"]["kwargs"] = {"content": "x", "tool_call_id": "7", "status": "error"}
    wrapped = span(
        "a",
        traceloop__span__kind="tool",
        traceloop__entity__name="f",
        traceloop__entity__input=json.dumps({"input_str": "{'a': 1}", "inputs": {"a": 1}}),
        traceloop__entity__output=json.dumps(result),
    )
    facts = facts_of(wrapped)
    assert (facts.dialect, facts.kind, facts.name) == ("openllmetry", "tool", "f")
    assert (facts.arguments, facts.call_id, facts.result) == ({"a": 1}, "7", "x")
    assert facts.failed
    text = span(
        "a", traceloop__span__kind="tool", traceloop__entity__input='{"input_str": "{\\"a\\": 1}"}'
    )
    assert facts_of(text).arguments == {"a": 1}
    function = span(
        "a",
        traceloop__span__kind="tool",
        traceloop__entity__input='{"args": [], "kwargs": {"a": 1}}',
        traceloop__entity__output='"done"',
    )
    assert (facts_of(function).arguments, facts_of(function).result) == ({"a": 1}, '"done"')


def test_a_node_that_is_called_agent_is_no_agent() -> None:
    node = {"openinference.span.kind": "AGENT", "metadata": '{"langgraph_node": "agent"}'}
    assert facts_of(span("a", name="agent", **node)).kind == "chain"
    assert facts_of(span("a", name="clerk", **node)).kind == "agent"


def test_spans_that_are_none_of_ours() -> None:
    http = span("a", http__method="GET")
    assert (facts_of(http).dialect, facts_of(http).kind) == ("", "other")
    for operation in ("embeddings", "create_agent", "retrieval"):
        assert facts_of(span("a", gen_ai__operation__name=operation)).kind == "other"
    assert facts_of(span("a", **{"openinference.span.kind": "EMBEDDING"})).kind == "other"
    assert facts_of(span("a", **{"llm.request.type": "embedding"})).kind == "other"


def test_log_probabilities_of_our_own_spans() -> None:
    kept = TokenLogprobs(tokens=["a"], logprobs=[-0.5])
    own = {"agentcal.run.id": "r", "agentcal.turn": 1, "agentcal.logprobs": kept.model_dump_json()}
    found = run(chat("b", None, (1, 2), "a", **{k.replace(".", "__"): v for k, v in own.items()}))
    assert found.run_id == "r"
    assert found.steps[0].logprobs == kept


def test_a_dialect_that_fails_costs_one_span(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> None:
        raise KeyError("odd")

    monkeypatch.setattr(DIALECTS[3], "read", fail, raising=False)
    facts = facts_of(tool("a", None, (0, 1)))
    assert (facts.kind, facts.cut_off) == ("other", 1)


def test_spans_of_another_framework() -> None:
    """Pydantic AI 2.68 with a scripted model, in the second and the sixth version of its spans."""
    runs = list(load(SAMPLES / "pydantic_ai.jsonl"))
    assert len(runs) == 2
    for found in runs:
        assert shape(found) == [
            ("Let me look.", [("find_order", "on its way", "ok")]),
            ("", [("refund", "gateway down", "error")]),
            ("Done.", []),
        ]
        assert (found.task, found.system) == ("Where is 17?", "You are support.")
        assert (found.agent, found.gaps) == ("support", [])
        assert [tool.name for tool in found.tools] == ["find_order", "refund"]
        assert all(step.usage and step.usage.output_tokens for step in found.steps)
        assert found.steps[1].tool_calls[0].duration_s


def test_equal_messages_of_a_growing_history_are_held_once() -> None:
    trace = Trace()
    history = [user(f"message {at}") for at in range(50)]
    for turn in reversed(range(1, 50)):
        trace.add(facts_of(chat(f"{turn}", None, (turn, turn + 1), "x", history[:turn])))
    held = {id(message) for span in trace.spans for message in span.messages or []}
    assert len(held) == 49
