"""Nothing that anybody said leaves unless the user asked for it; then it is by the conventions."""

from __future__ import annotations

import json
from typing import Any

import pytest

import agentcal as ac
from agentcal.recorder import Review
from tests.recorder.gates import decided
from tests.telemetry_out.conftest import CANARY, Watched, asks, two_turns

VARIABLE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"


def everything(watched: Watched) -> str:
    """All that was exported, as text."""
    spans = [span.to_json() for span in watched.to.spans]
    logs = [event.to_json() for event in watched.to.logs]
    metrics = [str(point) for points in watched.to.metrics.values() for point in points]
    return "\n".join(spans + logs + metrics)


def all_that_can_happen(watched: Watched, **settings: Any) -> None:
    with watched.recorder(0.5, 0.75, **settings) as recorder:
        two_turns(recorder, run_id="ok").ended()
        two_turns(recorder, run_id="failed", status="error").ended("error", error=CANARY)
        run = recorder.start(conversation="c2", task=CANARY)
        run.replied(asks("pay"))
        asked = decided("escalate", arguments={"to": CANARY})
        run.decided(asked)
        run.interrupted(CANARY)
        resumed = recorder.resume("c2", detail=CANARY)
        assert resumed is not None
        resumed.reviewed(Review(asked.decisions[0], "rejected", "ann", CANARY, 12.5))
        resumed.returned("c0", CANARY, "rejected")
        resumed.returned("unknown", CANARY)
        resumed.replied(asks("pay"))
        resumed.describe(system=CANARY, tools=[ac.ToolDeclaration(name="pay", description=CANARY)])
        score = ac.Confidence(0.5, 0.4, 0.6, 0.1, 0.9, True, "tool_turn", 2, "f1")
        facts = {"confidence": score, "certificate": "c1", "arguments": {"to": CANARY}}
        resumed.decided(decided("proceed", turn=2, **facts))
        resumed.ended("cancelled")


@pytest.mark.parametrize("value", ["", "NO_CONTENT", "EVENT_ONLY", "false", "nonsense"])
def test_no_content_unless_asked(
    watched: Watched, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv(VARIABLE, value)
    all_that_can_happen(watched)
    assert len(watched.to.spans) > 8
    assert CANARY not in everything(watched)


def test_what_the_code_says_goes_before_the_environment(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "SPAN_AND_EVENT")
    all_that_can_happen(watched, content=False)
    assert CANARY not in everything(watched)


@pytest.mark.parametrize("value", ["SPAN_ONLY", "span_and_event", "true"])
def test_the_standard_variable_opts_in(
    watched: Watched, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv(VARIABLE, value)
    all_that_can_happen(watched)
    assert CANARY in everything(watched)


def test_events_and_metrics_have_no_content_even_then(watched: Watched) -> None:
    all_that_can_happen(watched, content=True)
    assert not [event for event in watched.to.logs if CANARY in event.to_json()]
    assert CANARY not in str(watched.to.metrics)


def test_content_is_in_the_shapes_of_the_conventions(watched: Watched) -> None:
    with watched.recorder(content=True) as recorder:
        two_turns(recorder).ended()
    chat, tool, answer, root = (dict(span.attributes) for span in watched.to.spans)
    assert json.loads(chat["gen_ai.output.messages"]) == [
        {
            "role": "assistant",
            "parts": [
                {"type": "text", "content": f"I pay {CANARY}"},
                {"type": "tool_call", "id": "c0", "name": "pay", "arguments": {"to": CANARY}},
            ],
            "finish_reason": "tool_call",
        }
    ]
    assert tool["gen_ai.tool.call.arguments"] == f'{{"to":"{CANARY}"}}'
    assert tool["gen_ai.tool.call.result"] == f"paid {CANARY}"
    assert json.loads(answer["gen_ai.input.messages"]) == [
        {
            "role": "tool",
            "parts": [{"type": "tool_call_response", "id": "c0", "response": f"paid {CANARY}"}],
        },
        {"role": "user", "parts": [{"type": "text", "content": f"also {CANARY}"}]},
    ]
    assert json.loads(answer["gen_ai.output.messages"])[0]["parts"] == [
        {"type": "reasoning", "content": CANARY},
        {"type": "text", "content": f"done {CANARY}"},
    ]
    assert json.loads(root["gen_ai.input.messages"]) == [
        {"role": "user", "parts": [{"type": "text", "content": f"do {CANARY}"}]}
    ]
    assert json.loads(root["gen_ai.system_instructions"]) == [
        {"type": "text", "content": f"be {CANARY}"}
    ]
    assert json.loads(root["gen_ai.tool.definitions"]) == [
        {"type": "function", "name": "pay", "description": CANARY, "parameters": {}}
    ]
    assert root["gen_ai.output.messages"] == answer["gen_ai.output.messages"]


def test_arguments_that_do_not_parse_are_the_models_own_text(watched: Watched) -> None:
    broken = ac.ToolCall(id="c0", name="pay", arguments=None, raw_arguments='{"to": ')
    with watched.recorder(content=True) as recorder:
        run = recorder.start()
        run.replied(ac.Step(tool_calls=[broken]))
        run.returned("c0", "not JSON", "error")
        run.ended()
    (tool,) = watched.named("execute_tool")
    assert tool.attributes["gen_ai.tool.call.arguments"] == '{"to": '


def test_log_probs_are_content(watched: Watched) -> None:
    step = ac.Step(text="yes", logprobs=ac.TokenLogprobs(tokens=["yes"], logprobs=[-0.5]))
    for content in (False, True):
        with watched.recorder(content=content) as recorder:
            run = recorder.start()
            run.replied(step)
            run.ended()
    without, carried = watched.named("chat")
    assert "agentcal.logprobs" not in without.attributes
    assert json.loads(carried.attributes["agentcal.logprobs"]) == {
        "tokens": ["yes"],
        "logprobs": [-0.5],
    }


def test_results_that_were_told_are_not_kept(watched: Watched) -> None:
    observer = watched.observer(content=True)
    with ac.recorder.Recorder(observers=[observer]) as recorder:
        run = two_turns(recorder)
        seen = observer._runs.get("r1")
        assert seen is not None
        assert seen.heard == []
        run.ended()
