"""A reply as a policy is asked about it."""

from __future__ import annotations

from collections.abc import Mapping

from agentcal import Confidence, ToolDeclaration
from agentcal.policy import GatedTurn, ProposedCall
from agentcal_langgraph._past import Past
from agentcal_langgraph._proposal import Proposal
from agentcal_langgraph._said import Seen


def gated_turn(
    proposal: Proposal,
    seen: Seen,
    past: Past,
    declared: Mapping[str, ToolDeclaration],
) -> GatedTurn:
    """The turn with its score, and with what went before it as far as anybody knows."""
    calls = tuple(
        ProposedCall(call["name"], call["args"], call["id"] or "", declared.get(call["name"]))
        for call in proposal.calls
    )
    known, said = _known(seen, past), seen.said
    turn = max(known, default=0) + 1 if said is None else said.turn
    agent, model, _ = (None, None, None) if seen.watch is None else seen.watch.who
    return GatedTurn(
        run_id=seen.run_id,
        turn=turn,
        confidence=seen.confidence,
        calls=calls,
        trail=tuple(known.get(number) for number in range(1, turn)),
        checks=_checks(seen, past),
        answer=proposal.text,
        agent=agent,
        model=model,
        missing=seen.missing,
    )


def unread_turn(proposal: Proposal, why: str) -> GatedTurn:
    """A turn of which nothing is known but what it proposes."""
    calls = tuple(
        ProposedCall(str(one["name"]), None, str(one["id"] or ""), raw_arguments=str(one["args"]))
        for one in proposal.calls
    )
    run_id = f"unread-{proposal.message.id}"
    return GatedTurn(run_id, 1, None, calls, answer=proposal.text, missing=why)


def _known(seen: Seen, past: Past) -> dict[int, Confidence | None]:
    """The scores by turn: those that this graph has frozen, and what the recorder saw since."""
    watched = [] if seen.watch is None else list(seen.watch.said.values())
    return past.scores() | {said.turn: said.confidence for said in watched}


def _checks(seen: Seen, past: Past) -> int:
    """How often the model was asked to check: here, or in another graph of the same run."""
    return len(past.sent_back() | (set() if seen.watch is None else seen.watch.sent_back))
