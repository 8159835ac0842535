"""The spans of a run: names, attributes, times, parents, errors, interruptions."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from opentelemetry.trace import SpanKind, StatusCode

import agentcal as ac
from agentcal.recorder import RunInfo
from agentcal.telemetry import SpanObserver, _open
from tests.telemetry_out.conftest import Watched, asks, two_turns


def test_a_run_is_one_agent_span_over_chats_and_tools(watched: Watched) -> None:
    with watched.recorder(0.5, 0.75) as recorder:
        two_turns(recorder).ended()
    assert [span.name for span in watched.to.spans] == [
        "chat gpt-x",
        "execute_tool pay",
        "chat gpt-x",
        "invoke_agent clerk",
    ]
    *inner, root = watched.to.spans
    assert root.parent is None
    assert {span.parent.span_id for span in inner} == {root.context.span_id}
    assert [span.kind for span in watched.to.spans] == [
        SpanKind.CLIENT,
        SpanKind.INTERNAL,
        SpanKind.CLIENT,
        SpanKind.INTERNAL,
    ]


def test_attributes_are_those_of_the_conventions(watched: Watched) -> None:
    with watched.recorder(0.5, 0.75) as recorder:
        two_turns(recorder).ended()
    chat, tool, answer, root = (dict(span.attributes) for span in watched.to.spans)
    shared = {
        "agentcal.run.id": "r1",
        "gen_ai.agent.name": "clerk",
        "gen_ai.conversation.id": "thread-7",
    }
    assert chat == shared | {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "gpt-x",
        "gen_ai.response.finish_reasons": ("tool_call",),
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 7,
        "gen_ai.usage.reasoning.output_tokens": 3,
        "agentcal.turn": 1,
    }
    assert tool == shared | {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "pay",
        "gen_ai.tool.type": "function",
        "gen_ai.tool.call.id": "c0",
        "agentcal.turn": 1,
        "agentcal.call.position": 0,
        "agentcal.call.status": "ok",
    }
    assert answer["agentcal.turn"] == 2
    assert "gen_ai.response.finish_reasons" not in answer, "not known, so not claimed"
    assert root == shared | {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.request.model": "gpt-x",
        "agentcal.run.group": "g1",
        "agentcal.run.family": "f1",
        "agentcal.run.end_reason": "answered",
        "agentcal.run.turns": 2,
        "agentcal.confidence.last": 0.75,
        "agentcal.confidence.lowest": 0.5,
    }


def test_times_are_the_recorded_durations(watched: Watched) -> None:
    with watched.recorder() as recorder:
        two_turns(recorder).ended()
    chat, tool, answer, root = watched.to.spans
    seconds = [(span.end_time - span.start_time) / 1e9 for span in (chat, tool, answer)]
    assert seconds == [pytest.approx(s) for s in (0.25, 0.5, 0.125)]
    assert chat.end_time <= tool.end_time <= answer.end_time <= root.end_time


def test_a_tool_without_a_duration_is_timed_from_its_start(watched: Watched) -> None:
    with watched.recorder() as recorder:
        run = recorder.start()
        run.replied(asks("pay"))
        run.called("c0")
        threading.Event().wait(0.01)
        run.returned("c0", "paid")
        run.ended()
    (tool,) = watched.named("execute_tool")
    assert tool.end_time - tool.start_time >= 10_000_000


def test_a_turn_without_a_latency_has_no_length(watched: Watched) -> None:
    with watched.recorder() as recorder:
        run = recorder.start()
        run.replied(asks("pay", latency_s=None))
        run.ended()
    (chat,) = watched.named("chat")
    assert chat.start_time == chat.end_time


def test_a_failed_tool_is_an_error_span(watched: Watched) -> None:
    with watched.recorder() as recorder:
        two_turns(recorder, status="error").ended()
    (tool,) = watched.named("execute_tool")
    assert tool.status.status_code is StatusCode.ERROR
    assert tool.attributes["error.type"] == "tool_error"
    assert watched.named("invoke_agent")[0].status.status_code is StatusCode.UNSET


@pytest.mark.parametrize(
    ("reason", "failed"),
    [
        ("answered", False),
        ("cancelled", False),
        ("abstained", False),
        ("error", True),
        ("max_steps", True),
    ],
)
def test_how_the_run_ended(watched: Watched, reason: Any, failed: bool) -> None:
    with watched.recorder() as recorder:
        two_turns(recorder).ended(reason)
    (root,) = watched.named("invoke_agent")
    assert root.attributes["agentcal.run.end_reason"] == reason
    assert (root.status.status_code is StatusCode.ERROR) is failed
    assert root.attributes.get("error.type") == (reason if failed else None)


def test_a_run_that_failed_at_its_first_model_call_has_a_span(watched: Watched) -> None:
    with watched.recorder() as recorder:
        recorder.start(agent="clerk").ended("error", error="503")
    (root,) = watched.to.spans
    assert root.status.status_code is StatusCode.ERROR


def test_a_rejected_call_has_no_tool_span_but_a_mark_on_the_run(watched: Watched) -> None:
    with watched.recorder() as recorder:
        run = recorder.start()
        run.replied(asks("pay", "look"))
        run.intervened("rejected", call_id="c0", by="ann")
        run.returned("c0", "no", "rejected")
        run.called("c1")
        run.returned("c1", "seen")
        run.ended()
    assert [span.name for span in watched.named("execute_tool")] == ["execute_tool look"]
    (mark,) = watched.named("invoke_agent")[0].events
    assert mark.name == "agentcal.intervention"
    assert dict(mark.attributes) == {
        "agentcal.intervention.kind": "rejected",
        "agentcal.intervention.by": "ann",
        "agentcal.turn": 1,
    }


def test_an_interrupted_run_is_two_spans_with_a_link(watched: Watched) -> None:
    with watched.recorder() as recorder:
        run = recorder.start(run_id="r1", conversation="thread-7", agent="clerk")
        run.replied(asks("pay"))
        run.interrupted()
        (before,) = watched.named("invoke_agent")
        resumed = recorder.resume("thread-7")
        assert resumed is not None
        resumed.called("c0")
        resumed.returned("c0", "paid")
        resumed.ended()
    _, after = watched.named("invoke_agent")
    assert before.attributes["agentcal.interrupted"] is True
    assert before.status.status_code is StatusCode.UNSET
    assert "agentcal.interrupted" not in after.attributes
    assert after.attributes["agentcal.resumed"] is True
    assert after.attributes["agentcal.run.id"] == before.attributes["agentcal.run.id"] == "r1"
    (link,) = after.links
    assert link.context == before.context
    (tool,) = watched.named("execute_tool")
    assert tool.parent.span_id == after.context.span_id


def test_a_run_resumed_in_another_process_has_no_link(watched: Watched) -> None:
    info = RunInfo("r1", "thread-7", "clerk", None, "", "")
    observer = watched.observer()
    observer.resumed(info)
    observer.ended(info, ac.Trajectory(run_id="r1", end_reason="answered"))
    (root,) = watched.to.spans
    assert root.attributes["agentcal.resumed"] is True
    assert root.links == ()


def test_a_run_interrupted_for_good_says_so(watched: Watched) -> None:
    with watched.recorder() as recorder:
        run = recorder.start()  # without a conversation nothing can resume it
        run.replied(asks("pay"))
        run.interrupted()
    (root,) = watched.named("invoke_agent")
    assert root.attributes["agentcal.interrupted"] is True


def test_the_span_starts_under_the_users_own(watched: Watched) -> None:
    tracer = watched.to.tracer_provider.get_tracer("app")
    with watched.recorder() as recorder, tracer.start_as_current_span("GET /chat") as outer:
        two_turns(recorder).ended()
    (root,) = watched.named("invoke_agent")
    assert root.parent.span_id == outer.get_span_context().span_id


def test_late_facts_are_on_the_span(watched: Watched) -> None:
    with watched.recorder() as recorder:
        run = recorder.start()
        run.replied(asks("pay"))
        run.describe(agent="clerk")
        run.ended()
    assert watched.named("invoke_agent clerk")[0].attributes["gen_ai.agent.name"] == "clerk"


def test_every_agent_of_a_run_is_named(watched: Watched) -> None:
    with watched.recorder() as recorder:
        run = recorder.start(agent="clerk")
        run.replied(ac.Step(text="over to you", agent="clerk", model="small"))
        run.replied(ac.Step(text="mine", agent="boss", model="large"))
        run.ended()
    names = [span.attributes["gen_ai.agent.name"] for span in watched.named("chat")]
    assert names == ["clerk", "boss"]
    assert [span.name for span in watched.named("chat")] == ["chat small", "chat large"]


def test_parallel_runs_do_not_mix(watched: Watched) -> None:
    with watched.recorder() as recorder:
        threads = [
            threading.Thread(target=lambda k=k: two_turns(recorder, run_id=f"r{k}").ended())
            for k in range(16)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    roots = {
        span.attributes["agentcal.run.id"]: span.context for span in watched.named("invoke_agent")
    }
    assert len(roots) == 16
    inner = [span for span in watched.to.spans if span.parent is not None]
    assert len(inner) == 16 * 3
    for span in inner:
        assert span.parent.span_id == roots[span.attributes["agentcal.run.id"]].span_id


def test_nothing_is_kept_of_runs_that_are_over(watched: Watched) -> None:
    observer = watched.observer()
    for k in range(50):
        info = RunInfo(f"r{k}", f"t{k}", None, None, "", "")
        observer.started(info)
        if k % 2:
            observer.ended(info, ac.Trajectory(run_id=f"r{k}"))
        else:
            observer.interrupted(info)
    assert len(observer._runs) == 0


def test_open_and_paused_runs_are_bounded(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_open, "_MAX_OPEN", 3)
    monkeypatch.setattr(_open, "_MAX_PAUSED", 3)
    observer = watched.observer()
    infos = [RunInfo(f"r{k}", None, None, None, "", "") for k in range(8)]
    for info in infos:
        observer.started(info)
        observer.replied(info, 1, asks("pay"), None)
    assert len(observer._runs) == 3
    assert len(watched.named("invoke_agent")) == 5, "those given up have ended"
    for info in infos:
        observer.started(info)
        observer.interrupted(info)
    assert len(observer._runs._paused) == 3


def test_an_unknown_rule_is_refused() -> None:
    with pytest.raises(ac.ConfigError, match="auto, always, never"):
        SpanObserver(spans="sometimes")  # type: ignore[arg-type]
