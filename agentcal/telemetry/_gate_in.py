"""What events of gates say about a run: who stepped in, and whether an answer is still waited for.

It is read where the run's own span does not say it: where that is another tracer's, lost, or of a
run that was never resumed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from agentcal._by_gate import by_gate
from agentcal.recorder import Answer
from agentcal.telemetry._span import HELD_UP, GateEvent, SpanFacts
from agentcal.trajectory import Intervention


def gate_of(spans: Iterable[SpanFacts]) -> list[GateEvent]:
    """The events on these spans, each once, in the order of their times."""
    found = {event for span in spans for event in span.gate}
    return sorted(found, key=lambda e: (e.at_ns, e.turn, e.position, e.word, e.reason, e.by))


def interventions_of(events: Iterable[GateEvent]) -> list[Intervention]:
    """As a recorder enters them: one for the gate on a turn, one for each answer of people."""
    verdicts: dict[int, dict[str, str]] = {}
    found: list[Intervention | int] = []
    for event in events:
        if event.word not in HELD_UP:
            found.append(_answered(event))
            continue
        if event.turn not in verdicts:
            found.append(event.turn)
        verdicts.setdefault(event.turn, {}).setdefault(event.word, event.reason)
    entered = (by_gate(e, verdicts[e]) if isinstance(e, int) else e for e in found)
    return [entry for entry in entered if entry is not None]


def waits_at(events: Iterable[GateEvent], before: int | None, steps: int) -> int | None:
    """The turn about which a gate asked and nobody has answered, nor has the run gone on.

    ``before``: the turn of which that was known when the run was interrupted.
    """
    words: dict[int, set[str]] = {}
    for event in events:
        words.setdefault(event.turn, set()).add(event.word)
    asked = max((turn for turn, said in words.items() if "escalate" in said), default=before)
    if asked is None or asked < steps or words.get(asked, set()) - {"escalate", "verify"}:
        return None
    return asked


def _answered(event: GateEvent) -> Intervention:
    kind = cast(Answer, event.word)
    return Intervention(step=event.turn - 1, kind=kind, by=event.by, waited_s=event.waited_s)
