"""A cap on how often a human is asked."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, field_validator

from agentcal.policy._verdict import Verdict


class ReviewBudget(BaseModel):
    """Ask about at most ``share`` of the gated steps.

    A token bucket: every gated step adds ``share`` of a question, at most ``share * window`` are
    saved up, and one is there at the beginning. So of the first n gated steps at most ``1 + share *
    n`` are escalated, and of any m in a row at most ``share * (window + m)``; while little is saved
    up, only the steps that are among the least sure of the last ``window`` are worth a question.
    A :class:`BudgetLedger` does the counting; several processes may share one.

    ``spent``: the verdict where a step should be escalated and may not; never "proceed".
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    share: float = Field(gt=0, le=1)
    window: int = Field(default=1000, ge=1)
    spent: Verdict = Verdict.ABSTAIN

    def __init__(self, share: float, window: int = 1000, **rest: object) -> None:
        super().__init__(share=share, window=window, **rest)

    @field_validator("spent")
    @classmethod
    def _never_silent(cls, value: Verdict) -> Verdict:
        if value in (Verdict.PROCEED, Verdict.ESCALATE):
            raise ValueError("a spent budget can abstain or verify; it is never a silent pass")
        return value
