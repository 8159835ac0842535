"""From the spans of one request to its trajectory."""

from __future__ import annotations

from dataclasses import dataclass

from agentcal.formats import Context
from agentcal.recorder import PendingRun, Record
from agentcal.telemetry import _names_in as i
from agentcal.telemetry._draft import Draft
from agentcal.telemetry._enrich import (
    from_one_teller,
    one_span_a_turn,
    with_what_chains_know,
)
from agentcal.telemetry._forest import RunSpans
from agentcal.telemetry._gaps import NO_TASK, gaps_of
from agentcal.telemetry._gate_in import gate_of, interventions_of, waits_at
from agentcal.telemetry._head import head_of
from agentcal.telemetry._narrator import Narrator
from agentcal.telemetry._span import HELD_UP, Chat, GateEvent, SpanFacts
from agentcal.telemetry._tree import Tree, order
from agentcal.trajectory import WAITING, EndReason, Intervention, Trajectory, tool_fact

_LATE = ("task", "system", "agent", "model", "group", "family")
_TOLD = frozenset({"task", "system"})


@dataclass(slots=True)
class Assembled:
    """A run, and for each of its steps the place in the program. ``waits``: for somebody."""

    run: Trajectory
    keys: tuple[str | None, ...]
    waits: bool


def assemble(run: RunSpans, context: Context, earlier: PendingRun | None = None) -> Assembled:
    """Put a run together; with ``earlier``, the run that was interrupted and goes on here.

    The result does not depend on the order of the spans, or on how often each one came.
    """
    alone, twice = from_one_teller(one_span_a_turn(run.spans, run.tree))
    spans = with_what_chains_know(alone, run.tree)
    spans.sort(key=order)
    head, gate = head_of(run, spans, context), gate_of(run.spans)
    if earlier is not None:
        head = _resumed(
            earlier.trajectory,
            head,
            spans,
            answered=any(event.word not in HELD_UP for event in gate),
        )
    head.known_after = _known_after(spans) or head.known_after
    record = Record(head, earlier.keys if earlier else ())
    narrator = Narrator(Draft(record), context, head)
    _narrate(narrator, run, spans)
    for entry in interventions_of(gate):
        record.step_in(entry)
    found = record.whole()
    _mark_decided(found, run.spans)
    _mark_waiting(found, gate)
    found.end_reason = end_reason(run, spans, found)
    found.interventions = _told(spans) or found.interventions
    earlier_gaps = [gap for gap in found.gaps if gap != NO_TASK]
    found.gaps = _united(earlier_gaps, gaps_of(run, spans, narrator, found, twice=twice))
    return Assembled(found, tuple(record.keys), _waits(found))


def _mark_decided(found: Trajectory, spans: list[SpanFacts]) -> None:
    for turn in {turn for span in spans for turn in span.decided if turn <= len(found.steps)}:
        found.steps[turn - 1].decided = True


def _mark_waiting(found: Trajectory, gate: list[GateEvent]) -> None:
    before = found.metadata.pop(WAITING, None)
    turn = waits_at(gate, before if isinstance(before, int) else None, len(found.steps))
    if turn is not None:
        found.metadata[WAITING] = turn


def _resumed(
    run: Trajectory, part: Trajectory, spans: list[SpanFacts], *, answered: bool
) -> Trajectory:
    """The run as it stood, with what only this part of it says, and the trace that it is in.

    ``answered``: there are events of what people answered, so their inputs are not looked at.
    """
    run = run.model_copy(deep=True)
    run.end_reason = "unknown"
    newest = len(run.steps) - 1
    new = [name for name in _LATE if not getattr(run, name) and getattr(part, name)]
    for name in new:
        setattr(run, name, getattr(part, name))
    known = {tool.name for tool in run.tools}
    tools = [tool for tool in part.tools if tool.name not in known]
    run.tools += tools
    # Our own spans say what became known late; a part that was interrupted has no content.
    late = newest >= 0 and not any(span.told for span in spans)
    for fact in [*_TOLD.intersection(new), *map(tool_fact, tools)] if late else []:
        run.known_after[fact] = newest + 1 + part.known_after.get(fact, -1)
    decided = [pair for span in spans if not answered for pair in span.decisions]
    for kind, detail in [("resumed", ""), *decided] if newest >= 0 else []:
        entry = {"step": newest, "kind": kind, "detail": detail}
        run.interventions.append(Intervention.model_validate(entry))
    traces = run.metadata.get("resumed_in")
    run.metadata["resumed_in"] = [*(traces if isinstance(traces, list) else []), spans[0].trace_id]
    return run


def _known_after(spans: list[SpanFacts]) -> dict[str, int]:
    """What became known late, as agentcal's own spans tell it."""
    return next((s.told.known_after for s in spans if s.told and s.told.known_after), {})


def _told(spans: list[SpanFacts]) -> list[Intervention]:
    """Interventions as agentcal's own spans tell them: all that there were."""
    return [entry for span in spans if span.told for entry in span.told.interventions]


def _narrate(narrator: Narrator, run: RunSpans, spans: list[SpanFacts]) -> None:
    keys = _keys(spans, run.tree)
    for span in spans:
        agent = run.tree.agent_of(span)
        if span.kind == "model":
            narrator.model(span, agent, keys.get(span.span_id))
        elif span.kind == "tool":
            narrator.tool(span, agent)
        elif span.answers and span is not run.root:
            narrator.passed_on(span.answers)
    narrator.over(_last_word(run, spans))


def _last_word(run: RunSpans, spans: list[SpanFacts]) -> Chat | None:
    """What the run replied: its root says so, or the one span of an agent right under it."""
    root = run.root
    if root is None or root.fault:
        return None
    inner = [s for s in spans if s.parent_id == root.span_id and s.kind in ("agent", "chain")]
    return root.reply or (inner[0].reply if len(inner) == 1 else None)


def _keys(spans: list[SpanFacts], tree: Tree) -> dict[str, str]:
    """Names for model turns that are the same when their place in the program is run again.

    Turns of one place are counted anew with each attempt: with each span of the place itself.
    """
    seen: dict[tuple[str, str], int] = {}
    keys: dict[str, str] = {}
    for span in spans:
        attempt = _attempt(span, tree) if span.kind == "model" and span.place else None
        if span.kind == "model" and span.told and span.told.turn:
            keys[span.span_id] = f"turn {span.told.turn}"
        elif span.place is not None and attempt is not None:
            ordinal = seen[span.place, attempt] = seen.get((span.place, attempt), -1) + 1
            keys[span.span_id] = f"{span.place}#{ordinal}"
    return keys


def _attempt(span: SpanFacts, tree: Tree) -> str | None:
    """The outermost span that stands at the same place."""
    found = None
    for above in tree.above(span):
        if above.place != span.place:
            break
        found = above.span_id
    return found


def end_reason(run: RunSpans, spans: list[SpanFacts], found: Trajectory) -> EndReason:
    """Why the run ended, as far as the spans say."""
    root = run.root
    told = next((s.told.end_reason for s in spans if s.told and s.told.end_reason), None)
    if told is not None:
        return told
    if any(span.fault in i.INTERRUPTS for span in spans):
        return "interrupted"
    if root is None or root.kind == "other":
        return "unknown"
    if root.fault:
        return _failed(root.fault)
    return "interrupted" if _open(found) else "answered"


def _failed(fault: str) -> EndReason:
    if fault in i.CANCELLATIONS:
        return "cancelled"
    if fault in i.INTERRUPTS:
        return "interrupted"
    return "max_steps" if fault in i.STEP_LIMITS else "error"


def _open(found: Trajectory) -> bool:
    """Whether a call of the last turn waits for its result; one that did not parse gets none."""
    calls = found.steps[-1].tool_calls if found.steps else []
    return any(call.status == "missing" and call.arguments is not None for call in calls)


def _waits(found: Trajectory) -> bool:
    """Interrupted, or left with open calls by a root that was lost: it may go on elsewhere."""
    if found.conversation is None:
        return False
    return found.end_reason == "interrupted" or (found.end_reason == "unknown" and _open(found))


def _united(known: list[str], more: list[str]) -> list[str]:
    return list(dict.fromkeys([*known, *more]))
