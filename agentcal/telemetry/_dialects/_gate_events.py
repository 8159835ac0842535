"""Decisions and reviews on agentcal's own events, which may stand on anybody's spans."""

from __future__ import annotations

from collections.abc import Iterable
from typing import get_args

from agentcal._fields import as_text, not_negative
from agentcal.recorder import Answer
from agentcal.telemetry import _names as n
from agentcal.telemetry import _names_in as i
from agentcal.telemetry._dialects._values import Values
from agentcal.telemetry._raw import RawEvent
from agentcal.telemetry._span import HELD_UP, GateEvent

_ANSWERS = frozenset(get_args(Answer))


def gate_events(events: Iterable[RawEvent]) -> list[GateEvent]:
    """What gates in mode "enforce" did, and what people answered them."""
    read = (_gate_event(event) for event in events if _name(event) == n.EVALUATION_EVENT)
    return [event for event in read if event is not None]


def decided_turns(events: Iterable[RawEvent]) -> set[int]:
    """The turns that gates in any mode decided about, whatever they decided."""
    told = (Values(event.attributes) for event in events if _name(event) == n.EVALUATION_EVENT)
    made = (values for values in told if values.text(n.EVALUATION_NAME) == n.GATE_DECISION)
    return {turn for values in made if (turn := values.count(n.TURN))}


def _name(event: RawEvent) -> str:
    return event.name or as_text(event.attributes.get(i.EVENT_NAME))


def _gate_event(event: RawEvent) -> GateEvent | None:
    values = Values(event.attributes)
    what, word = values.text(n.EVALUATION_NAME), values.text(n.EVALUATION_LABEL)
    turn, position = values.count(n.TURN), values.count(n.POSITION) or 0
    if not turn:
        return None
    if what == n.REVIEW and word in _ANSWERS:
        waited_s = not_negative(values.get(n.REVIEW_WAITED))
        by = values.text(n.REVIEW_BY)
        return GateEvent(event.time_ns, turn, position, word, by=by, waited_s=waited_s)
    acts = what == n.GATE_DECISION and values.get(n.DECISION_MODE) == "enforce"
    if acts and word in HELD_UP:
        reason = values.text(n.EVALUATION_EXPLANATION)
        return GateEvent(event.time_ns, turn, position, word, reason=reason)
    return None
