"""A decision: made once, frozen, and kept with all that it rests on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from agentcal.calibration import Confidence
from agentcal.policy._tiers import Tier
from agentcal.policy._verdict import Verdict, strictest

Mode = Literal["shadow", "enforce"]
"""``shadow``: decide and record, stop nothing."""


# JSON has no NaN: as null, a confidence that is none could not be read back.
_FROZEN = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")


def decision_key(
    run_id: str, turn: int, index: int, name: str, arguments: Mapping[str, Any] | str | None
) -> str:
    """What a decision is about: the run, the turn (from 1), the call in it (from 0), and its words.

    Ids that providers give to calls repeat or are missing, so they have no part in it. With other
    arguments it is another key, hence another decision (rule 8 of the design). An answer has the
    name "" and its text as ``arguments``.
    """
    words = json.dumps([name, arguments], sort_keys=True, separators=(",", ":"), default=str)
    return f"{run_id}/{turn}/{index}/{hashlib.sha256(words.encode()).hexdigest()[:16]}"


class Decision(BaseModel):
    """What was decided about one call, or one answer (``tool`` is None), and why.

    ``by`` names the rule that was strictest. ``threshold`` is what the confidence was held against;
    ``certificate``, ``policy`` and ``calibrator`` are fingerprints. In mode ``shadow`` the verdict
    is what would have been done.
    """

    model_config = _FROZEN

    key: str
    verdict: Verdict
    reason: str
    by: str
    mode: Mode
    tool: str | None
    tier: Tier
    confidence: Confidence | None
    threshold: float | None
    certificate: str | None
    policy: str
    at: datetime

    @property
    def run_id(self) -> str:
        """The run that it is about."""
        return self.key.rsplit("/", 3)[0]

    @property
    def turn(self) -> int:
        """The turn of the run that it is about, from 1."""
        return int(self.key.rsplit("/", 3)[1])

    @property
    def index(self) -> int:
        """The call that it is about in its turn, from 0; 0 for an answer."""
        return int(self.key.rsplit("/", 3)[2])

    @property
    def calibrator(self) -> str | None:
        """The fingerprint of the calibrator that scored the turn."""
        return None if self.confidence is None else self.confidence.fingerprint

    @property
    def acts(self) -> bool:
        """Whether the agent is held up because of this decision."""
        return self.mode == "enforce" and self.verdict is not Verdict.PROCEED


class TurnDecision(BaseModel):
    """All decisions of one model turn: one for each call in their order, or one for the answer."""

    model_config = _FROZEN

    run_id: str
    turn: int
    confidence: Confidence | None
    decisions: tuple[Decision, ...]

    @property
    def verdict(self) -> Verdict:
        """The strictest of the turn."""
        return strictest(decision.verdict for decision in self.decisions)

    @property
    def acts(self) -> bool:
        """Whether the agent is held up anywhere in this turn."""
        return any(decision.acts for decision in self.decisions)
