"""A cap on how often a human is asked."""

from __future__ import annotations

from pydantic import Field, field_validator

from agentcal.policy._model import Part
from agentcal.policy._verdict import Verdict


class ReviewBudget(Part):
    """Ask about at most ``share`` of the gated steps.

    A token bucket: every gated step adds ``share`` of a question, at most ``share * window`` (and
    at least one) are saved up, and one is there at the beginning. So of the first n gated steps at
    most ``1 + share * n`` are escalated, and of any m in a row at most ``max(1, share * window) +
    share * m``. While little is saved up, only steps among the least sure of the last ``window``
    are worth a question: with an empty bucket the least sure ``share`` of them, with a full one
    all. The questions of one turn are granted together or not at all.

    A :class:`BudgetLedger` does the counting; several processes may share one. Steps that are not
    gated count where a rule escalates them.

    ``spent``: the verdict where a step should be escalated and may not, and where the ledger
    cannot be reached; "abstain" or "verify", never "proceed".
    """

    share: float = Field(gt=0, le=1)
    window: int = Field(default=1000, ge=1, le=1_000_000)
    spent: Verdict = Verdict.ABSTAIN

    def __init__(self, share: float, window: int = 1000, **rest: object) -> None:
        super().__init__(share=share, window=window, **rest)

    @field_validator("spent")
    @classmethod
    def _never_silent(cls, value: Verdict) -> Verdict:
        if value in (Verdict.PROCEED, Verdict.ESCALATE):
            raise ValueError("a spent budget can abstain or verify; it is never a silent pass")
        return value
