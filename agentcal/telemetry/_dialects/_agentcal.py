"""agentcal's own spans: the GenAI conventions, and what only a recorder knows."""

from __future__ import annotations

from typing import Any, ClassVar, cast, get_args

from pydantic import ValidationError

from agentcal._fields import as_text, not_negative, share
from agentcal.telemetry import _names as n
from agentcal.telemetry._dialects._genai import GenAI
from agentcal.telemetry._dialects._values import Values, listed
from agentcal.telemetry._raw import RawSpan
from agentcal.telemetry._span import SpanFacts, Told
from agentcal.trajectory import CallStatus, EndReason, Intervention, InterventionKind, TokenLogprobs

_GENAI = GenAI()


class Agentcal:
    """Written by :class:`agentcal.telemetry.SpanObserver`.

    A model span holds the messages that are new in its turn, not the history.
    """

    name: ClassVar[str] = "agentcal"

    def speaks(self, span: RawSpan) -> bool:
        """The id of a run is on every span of ours."""
        return n.RUN_ID in span.attributes

    def read(self, span: RawSpan) -> SpanFacts:
        """Read what the conventions say, then our own."""
        values = Values(span.attributes)
        facts = _GENAI.read(span)
        facts.dialect = self.name
        facts.resumes = values.get(n.RESUMED) is True
        facts.fault = "GraphInterrupt" if values.get(n.INTERRUPTED) is True else facts.fault
        facts.logprobs = _logprobs(values)
        facts.told = Told(
            run_id=values.text(n.RUN_ID),
            turn=values.count(n.TURN),
            position=values.count(n.POSITION),
            status=cast(CallStatus | None, _one_of(values.get(n.CALL_STATUS), CallStatus)),
            stated_confidence=share(values.get(n.STATED_CONFIDENCE)),
            end_reason=cast(EndReason | None, _one_of(values.get(n.END_REASON), EndReason)),
            group=values.name(n.GROUP),
            family=values.name(n.FAMILY),
            gaps=[as_text(gap) for gap in listed(values.json(n.GAPS))],
            known_after=_known_after(values),
            interventions=_interventions(span),
        )
        facts.cut_off += values.cut_off
        return facts


def _one_of(value: Any, kind: Any) -> Any:
    return value if value in get_args(kind) else None


def _known_after(values: Values) -> dict[str, int]:
    """``["2 tools/refund", ...]``: what became known after the step of that index."""
    pairs = (as_text(entry).partition(" ") for entry in listed(values.json(n.KNOWN_AFTER)))
    return {fact: int(after) for after, _, fact in pairs if fact and after.isdecimal()}


def _logprobs(values: Values) -> TokenLogprobs | None:
    written = values.get(n.LOGPROBS)
    if not isinstance(written, str):
        return None
    try:
        return TokenLogprobs.model_validate_json(written)
    except ValidationError:
        values.cut_off += 1
        return None


def _interventions(span: RawSpan) -> list[Intervention]:
    read = (_intervention(Values(e.attributes)) for e in span.events if e.name == n.INTERVENTION)
    return [entry for entry in read if entry is not None]


def _intervention(told: Values) -> Intervention | None:
    turn, kind = told.count(n.TURN), _one_of(told.get(n.INTERVENTION_KIND), InterventionKind)
    if not turn or not kind:
        return None
    return Intervention(
        step=turn - 1,
        kind=kind,
        by=told.text(n.INTERVENTION_BY),
        detail=told.text(n.INTERVENTION_DETAIL),
        waited_s=not_negative(told.get(n.INTERVENTION_WAITED)),
    )
