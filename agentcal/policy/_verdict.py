"""What may happen to a step of an agent."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Verdict(StrEnum):
    """What is done about a tool call, or about an answer, before it takes effect.

    ``PROCEED``: it happens. ``VERIFY``: somebody or the agent itself checks first, and it is scored
    again. ``ESCALATE``: a human (or a stronger model) decides. ``ABSTAIN``: it does not happen, and
    the run ends with an honest message.
    """

    PROCEED = "proceed"
    VERIFY = "verify"
    ESCALATE = "escalate"
    ABSTAIN = "abstain"

    @property
    def severity(self) -> int:
        """0 for ``PROCEED``, up to 3 for ``ABSTAIN``."""
        return _ORDER[self]


_ORDER = {verdict: place for place, verdict in enumerate(Verdict)}


def strictest(verdicts: Iterable[Verdict]) -> Verdict:
    """The most severe of them; ``PROCEED`` of none."""
    return max(verdicts, key=_ORDER.__getitem__, default=Verdict.PROCEED)


def tightening(verdict: Verdict) -> Verdict:
    """Refuse "proceed" where it would mean that a rule rules nothing."""
    if verdict is Verdict.PROCEED:
        raise ValueError("a rule can only hold a step up: verify, escalate or abstain")
    return verdict
