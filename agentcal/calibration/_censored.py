"""Which runs have an outcome that is their agent's own (rule 12 of the design)."""

from __future__ import annotations

from agentcal.trajectory import WAITING, InterventionKind, Trajectory

_CHANGES: frozenset[InterventionKind] = frozenset({"edited", "rejected", "responded", "verified"})


def censored(run: Trajectory) -> str:
    """Why nobody knows how the agent would have fared in ``run``; empty where it is known.

    A run that a gate ended, or left waiting for an answer that never came, did not run out: it has
    the outcome of being stopped, and a model that learnt from it would learn from its own verdict.
    """
    if run.outcome is None:
        return "no outcome"
    aborted = [entry.by for entry in run.interventions if entry.kind == "aborted"]
    if run.end_reason == "abstained" or "agentcal" in aborted:
        return "ended by a gate"
    if aborted:
        return "cut short"
    return "a gate asked, nobody answered" if WAITING in run.metadata else ""


def changed(run: Trajectory) -> bool:
    """Whether somebody changed what the agent had proposed: the outcome is that with their help."""
    return any(entry.kind in _CHANGES for entry in run.interventions)
