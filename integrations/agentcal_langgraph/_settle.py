"""From decisions to what becomes of a turn. Nothing in here looks at a score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from langchain_core.messages import AIMessage, BaseMessage, ToolCall

from agentcal.policy import Decision, TurnDecision, Verdict, strictest
from agentcal_langgraph._frozen import Fate, FrozenTurn, Outcome, words_of, words_said
from agentcal_langgraph._proposal import Proposal
from agentcal_langgraph._words import ended, farewell, nudge, result_for, unsure

_DONE: tuple[Fate, str] = ("done", "")
Way = Literal["on", "ask", "again", "stop"]
"""Where a turn goes: on as the graph has it, to a reviewer, back to the model, or nowhere."""


@dataclass(frozen=True)
class Settled:
    """What becomes of a turn.

    ``messages`` are to be added to the conversation; ``reply`` takes the place of the model's.
    """

    way: Way
    frozen: FrozenTurn
    messages: Sequence[BaseMessage] = ()
    reply: AIMessage | None = None


def acting(decided: TurnDecision, proposal: Proposal) -> list[Decision]:
    """The decisions that hold something up that has not happened yet."""
    if not proposal.calls:
        return [decision for decision in decided.decisions if decision.acts]
    return [decided.decisions[i] for i in sorted(proposal.pending) if decided.decisions[i].acts]


def settled(
    decided: TurnDecision,
    proposal: Proposal,
    *,
    goodbye: str,
    unchecked: str | None = "",
    nobody: str = "",
) -> Settled:
    """Act on the strictest decision.

    ``goodbye``: what the user is told if the run ends. ``unchecked``: what a verifier found wrong;
    empty if there was none, None if all was well. ``nobody``: why nobody can be asked, if so.
    """
    holding = acting(decided, proposal)
    if unchecked is None:
        holding = [decision for decision in holding if decision.verdict is not Verdict.VERIFY]
    verdict = strictest(decision.verdict for decision in holding)
    why = next((d.reason for d in holding if d.verdict is verdict), "")
    if verdict is Verdict.ESCALATE and nobody:
        verdict, why = Verdict.ABSTAIN, f"{nobody}; {why}"
    checks = unchecked or why
    if verdict is Verdict.ABSTAIN:
        return _stopped(decided, proposal, why, goodbye)
    if not proposal.calls:
        return _answer(decided, proposal, verdict, checks)
    held = {decision.key: decision.verdict for decision in holding}
    return _calls(decided, proposal, held, checks)


def _answer(decided: TurnDecision, proposal: Proposal, verdict: Verdict, why: str) -> Settled:
    words = words_said(proposal.text, proposal.calls)
    if verdict is Verdict.VERIFY:
        return Settled(
            "again", FrozenTurn(words=words, decided=decided, sent_back=True), [nudge(why)]
        )
    asks = verdict is Verdict.ESCALATE
    return Settled("ask" if asks else "on", FrozenTurn(words=words, decided=decided, waits=asks))


def _calls(
    decided: TurnDecision, proposal: Proposal, held: dict[str, Verdict], why: str
) -> Settled:
    pending = proposal.pending
    fates: dict[Verdict | None, tuple[Fate, str]] = {
        None: ("run", ""),
        Verdict.VERIFY: ("refuse", unsure(why)),
        Verdict.ESCALATE: ("ask", ""),
    }
    outcomes = [
        _outcome(call, decision, *(fates[held.get(decision.key)] if at in pending else _DONE))
        for at, (call, decision) in enumerate(_about(decided, proposal))
    ]
    asks = Verdict.ESCALATE in held.values()
    frozen = FrozenTurn(
        words=words_said(proposal.text, proposal.calls),
        decided=decided,
        outcomes=tuple(outcomes),
        waits=asks,
        sent_back=Verdict.VERIFY in held.values(),
    )
    return Settled("ask" if asks else "on", frozen)


def _stopped(decided: TurnDecision, proposal: Proposal, why: str, goodbye: str) -> Settled:
    outcomes = [
        _outcome(call, decision, *(("refuse", ended(why)) if at in proposal.pending else _DONE))
        for at, (call, decision) in enumerate(_about(decided, proposal))
    ]
    frozen = FrozenTurn(
        words=words_said(proposal.text, proposal.calls),
        decided=decided,
        outcomes=tuple(outcomes),
        stopped=True,
    )
    told = [result_for(proposal.calls[i], outcomes[i]) for i in sorted(proposal.pending)]
    last = farewell(None if proposal.calls else proposal.message, goodbye, why)
    return Settled("stop", frozen, [*told, last])


def _about(decided: TurnDecision, proposal: Proposal) -> list[tuple[ToolCall, Decision]]:
    """Each call as the model proposed it, and what was decided about it."""
    calls = proposal.message.tool_calls
    return [*zip(calls, decided.decisions, strict=True)] if calls else []


def _outcome(call: ToolCall, decision: Decision, fate: Fate, say: str) -> Outcome:
    return Outcome(words=words_of(call), fate=fate, key=decision.key, say=say)
