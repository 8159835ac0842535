"""Who decides about a turn: asks the policy, tells the recorder, and gets second opinions."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.runnables import Runnable, RunnableConfig

from agentcal import ToolDeclaration
from agentcal.policy import Decision, Gate, GatedTurn, TurnDecision, Verdict
from agentcal.recorder import Recorder
from agentcal_langgraph._called import called
from agentcal_langgraph._drive import Do, Steps
from agentcal_langgraph._gated_turn import gated_turn, unread_turn
from agentcal_langgraph._inside import saver_of
from agentcal_langgraph._past import Past
from agentcal_langgraph._proposal import Proposal, with_reply
from agentcal_langgraph._said import seen_in
from agentcal_langgraph._settle import Settled, acting, settled
from agentcal_langgraph._watch import Watch

_log = logging.getLogger("agentcal.gate")

Verifier = Callable[[GatedTurn, Sequence[Decision]], bool | str | Awaitable[bool | str]]
"""Looks at a turn before it happens: True if all is well, else what is wrong (or False)."""

Asked = Callable[[Sequence[BaseMessage], GatedTurn], AIMessage | Awaitable[AIMessage]]
EscalateTo = Literal["human"] | Asked | Runnable[Any, AIMessage]
"""Who is asked: people, or first a stronger model, given the conversation up to the reply."""

_NOBODY = "nobody can be asked, for the graph has no checkpointer"


@dataclass(frozen=True)
class Moment:
    """When something is decided: the task, the turns decided before, the tools, who records."""

    config: RunnableConfig
    past: Past
    declared: Mapping[str, ToolDeclaration]
    watch: Watch | None


@dataclass(frozen=True)
class _Opinion:
    """``unchecked`` as :func:`settled` has it."""

    turn: GatedTurn
    decided: TurnDecision
    unchecked: str | None


@dataclass(frozen=True)
class Keeper:
    """What all gates of a graph share. It serves any number of runs at once.

    ``goodbye``: what the user is told when the gate ends a run. ``holds``: answers reach no stream
    before they are decided.
    """

    gate: Gate
    recorder: Recorder | None
    verifier: Verifier | None
    escalate_to: EscalateTo
    goodbye: str
    holds: bool = False

    def decide(self, proposal: Proposal, when: Moment) -> Steps[Settled]:
        """What becomes of a proposal."""
        opinion = yield from self._opinion(proposal, when, proposal.message)
        found = self._settled(opinion, proposal)
        if found.way != "ask":
            return found
        if self.escalate_to != "human":
            reply = yield from self._stronger(proposal, opinion.turn, when.config)
            if reply is not None:
                return (yield from self._replaced(found, proposal, reply, when))
        return self._settled(opinion, proposal, nobody=_nobody(when, opinion))

    def _opinion(self, proposal: Proposal, when: Moment, spoken: AIMessage) -> Steps[_Opinion]:
        """``spoken``: the reply as its model gave it."""
        turn = _turn(proposal, when, spoken)
        if self.gate.policy.budget is None:
            decided = self.gate.decide(turn)
        else:  # counting may touch a disk
            decided = yield Do(partial(self.gate.decide, turn))
        if when.watch is not None:
            when.watch.open().decided(decided)
        unchecked = yield from self._checked(turn, decided, proposal, when.config)
        return _Opinion(turn, decided, unchecked)

    def _checked(
        self, turn: GatedTurn, decided: TurnDecision, proposal: Proposal, config: RunnableConfig
    ) -> Steps[str | None]:
        verdicts = {decision.verdict for decision in acting(decided, proposal)}
        if self.verifier is None or Verdict.VERIFY not in verdicts or Verdict.ABSTAIN in verdicts:
            return ""
        try:
            said = yield called(config, self.verifier, turn, decided.decisions)
        except Exception as error:
            _failed(turn, "the verifier", error)
            return f"the check failed ({type(error).__name__})"
        if said is True:
            return None
        return said if isinstance(said, str) and said else "a check did not confirm it"

    def _stronger(
        self, proposal: Proposal, turn: GatedTurn, config: RunnableConfig
    ) -> Steps[AIMessage | None]:
        try:
            reply = yield called(config, self.escalate_to, list(proposal.before), turn)
            if isinstance(reply, AIMessage):
                return reply
            raise TypeError(f"it gave {type(reply).__name__}, not an AIMessage")
        except Exception as error:
            _failed(turn, "escalate_to", error)
            return None

    def _replaced(
        self, before: Settled, proposal: Proposal, reply: AIMessage, when: Moment
    ) -> Steps[Settled]:
        """The other reply is decided as any is; if it may not go on, people are next."""
        other = with_reply(proposal, reply)
        opinion = yield from self._opinion(other, when, reply)
        found = self._settled(opinion, other)
        if found.way == "ask":
            found = self._settled(opinion, other, nobody=_nobody(when, opinion))
        frozen = found.frozen.model_copy(update={"first": before.frozen.decided})
        return replace(found, frozen=frozen, reply=other.message)

    def _settled(self, opinion: _Opinion, proposal: Proposal, nobody: str = "") -> Settled:
        decided, unchecked = opinion.decided, opinion.unchecked
        return settled(decided, proposal, goodbye=self.goodbye, unchecked=unchecked, nobody=nobody)


def _turn(proposal: Proposal, when: Moment, spoken: AIMessage) -> GatedTurn:
    """What the policy is asked about. What cannot be read counts as a turn without a score."""
    try:
        seen = seen_in(when.watch, spoken, when.config, when.past.spoken(spoken.id))
        return gated_turn(proposal, seen, when.past, when.declared)
    except Exception as error:
        _log.error("a turn could not be read: %s", type(error).__name__)
        why = f"the turn could not be read ({type(error).__name__})"
        return unread_turn(proposal, why)


def _nobody(when: Moment, opinion: _Opinion) -> str:
    """Why nobody can be asked, if so: without a checkpointer, an interrupt waits for ever."""
    if saver_of(when.config) is not None:
        return ""
    turn = opinion.turn
    _log.error("run %s, turn %s: %s; it ends here", turn.run_id, turn.turn, _NOBODY)
    return _NOBODY


def _failed(turn: GatedTurn, who: str, error: Exception) -> None:
    name = type(error).__name__
    _log.error("run %s, turn %s: %s failed: %s", turn.run_id, turn.turn, who, name)
