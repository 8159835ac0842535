"""What a gate does to a run by itself, as it stands in the record."""

from __future__ import annotations

from collections.abc import Mapping

from agentcal.trajectory import Intervention


def by_gate(turn: int, verdicts: Mapping[str, str]) -> Intervention | None:
    """What a gate does by itself about a turn (from 1): it ends the run, or has it checked."""
    if "abstain" in verdicts:
        reason = verdicts["abstain"]
        return Intervention(step=turn - 1, kind="aborted", by="agentcal", detail=reason)
    if "verify" in verdicts:
        reason = verdicts["verify"]
        return Intervention(step=turn - 1, kind="verified", by="agentcal", detail=reason)
    return None
