"""The evaluation event: what it says, where it goes, and that it goes there once."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry._logs import Logger, NoOpLoggerProvider
from opentelemetry.sdk._logs import LoggerProvider

import agentcal as ac
from tests.telemetry_out.conftest import Watched, asks, two_turns

EVENT = "gen_ai.evaluation.result"
SILENT = pytest.param(
    LoggerProvider(shutdown_on_exit=False),
    marks=pytest.mark.skipif(not hasattr(Logger, "enabled"), reason="cannot be asked"),
)


def span_events(watched: Watched) -> list[Any]:
    return [event for span in watched.to.spans for event in span.events if event.name == EVENT]


def test_one_log_event_a_decision_on_the_chat_that_was_evaluated(watched: Watched) -> None:
    with watched.recorder(0.5, 0.75) as recorder:
        two_turns(recorder).ended()
    first, second = (event.log_record for event in watched.to.events)
    assert first.event_name == EVENT
    assert dict(first.attributes) == {
        "gen_ai.evaluation.name": "agentcal.success_probability",
        "gen_ai.evaluation.score.value": 0.5,
        "gen_ai.evaluation.score.label": "supported",
        "gen_ai.evaluation.explanation": "50% of runs like this one succeed "
        "(90% interval 40% to 55%)",
        "gen_ai.conversation.id": "thread-7",
        "agentcal.run.id": "r1",
        "agentcal.turn": 1,
        "agentcal.decision.kind": "tool_turn",
        "agentcal.interval.low": 0.4,
        "agentcal.interval.high": 0.55,
        "agentcal.thinness": 0.2,
        "agentcal.support": 0.4,
        "agentcal.supported": True,
        "agentcal.calibrator.fingerprint": "f1",
    }
    assert second.attributes["agentcal.decision.kind"] == "answer_turn"
    chats = watched.named("chat")
    assert [e.span_id for e in (first, second)] == [c.context.span_id for c in chats]
    assert [e.trace_id for e in (first, second)] == [c.context.trace_id for c in chats]
    assert span_events(watched) == [], "never both"


@pytest.mark.parametrize(
    "provider", [None, NoOpLoggerProvider(), SILENT], ids=["none", "no-op", "without a processor"]
)
def test_without_a_logger_it_is_an_event_of_the_chat_span(watched: Watched, provider: Any) -> None:
    with watched.recorder(0.5, 0.75, logger_provider=provider) as recorder:
        two_turns(recorder).ended()
    assert watched.to.events == []
    chats = watched.named("chat")
    assert [[event.name for event in chat.events] for chat in chats] == [[EVENT], [EVENT]]
    assert [chat.events[0].attributes["gen_ai.evaluation.score.value"] for chat in chats] == [
        0.5,
        0.75,
    ]


def test_far_from_anything_seen(watched: Watched) -> None:
    with watched.recorder(0.5, supported=False) as recorder:
        recorder.start().replied(asks("pay"))
    (event,) = (event.log_record for event in watched.to.events)
    assert event.attributes["gen_ai.evaluation.score.label"] == "unfamiliar"
    assert "of which few were seen" in event.attributes["gen_ai.evaluation.explanation"]


def test_no_score_is_said_and_has_no_value(watched: Watched) -> None:
    with watched.recorder(0.5) as recorder:  # the second turn finds the calibrator broken
        two_turns(recorder).ended()
    _, broken = (event.log_record for event in watched.to.events)
    assert broken.attributes["gen_ai.evaluation.score.label"] == "unavailable"
    assert broken.attributes["error.type"] == "unavailable"
    assert "gen_ai.evaluation.score.value" not in broken.attributes


def test_without_a_calibrator_nothing_is_evaluated(watched: Watched) -> None:
    for provider in (watched.to.logger_provider, NoOpLoggerProvider()):
        with watched.recorder(logger_provider=provider) as recorder:
            two_turns(recorder).ended()
    assert watched.to.events == span_events(watched) == []
    assert len(watched.named("chat")) == 4


def test_a_turn_that_was_made_again_is_evaluated_again(watched: Watched) -> None:
    with watched.recorder(0.5) as recorder:
        run = recorder.start()
        run.replied(asks("pay"), key="node#0")
        run.replied(asks("look"), key="node#0")
        run.ended()
    turns = [event.log_record.attributes["agentcal.turn"] for event in watched.to.events]
    assert turns == [1, 1]
    (root,) = watched.named("invoke_agent")
    assert root.attributes["agentcal.run.turns"] == 1


def test_the_label_has_three_values_at_most(watched: Watched) -> None:
    for scores, supported in (((0.5, 0.6), True), ((0.5, 0.6), False), ((0.5,), True)):
        with watched.recorder(*scores, supported=supported) as recorder:
            two_turns(recorder).ended()
    labels = {e.log_record.attributes["gen_ai.evaluation.score.label"] for e in watched.to.events}
    assert labels == {"supported", "unfamiliar", "unavailable"}


def test_a_real_calibrator_is_quoted_exactly(watched: Watched, calibrator: ac.Calibrator) -> None:
    recorder = ac.recorder.Recorder(calibrator, observers=[watched.observer()])
    with recorder:
        run = two_turns(recorder)
        confidence = run.confidence
        run.ended()
    assert confidence is not None
    said = watched.to.events[-1].log_record.attributes
    assert said["gen_ai.evaluation.score.value"] == confidence.value
    assert said["agentcal.calibrator.fingerprint"] == calibrator.fingerprint


class OldLogger:
    """A logger as it was before it could be asked whether it is enabled."""

    def __init__(self) -> None:
        self.emitted: list[dict[str, Any]] = []

    def emit(self, **event: Any) -> None:
        self.emitted.append(event)

    def get_logger(self, *_: Any) -> OldLogger:
        return self


def test_a_logger_that_cannot_be_asked_gets_the_event(watched: Watched) -> None:
    old = OldLogger()
    with watched.recorder(0.5, 0.75, logger_provider=old) as recorder:
        two_turns(recorder).ended()
    assert [event["event_name"] for event in old.emitted] == [EVENT, EVENT]
    assert span_events(watched) == []
