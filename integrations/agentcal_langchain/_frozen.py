"""Decisions about one model turn, as they lie in the agent's state."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Self, cast, get_args

from langchain_core.messages import AIMessage, AnyMessage, ToolCall
from pydantic import ValidationError

from agentcal.policy import Decision, TurnDecision, Verdict, decision_key
from agentcal_langchain._langgraph import Answer
from agentcal_langchain._state import GateRecord, record_in

_log = logging.getLogger("agentcal.gate")

Done = Literal["", "asked", "cleared", "verified", "abstained"]
"""What came of a turn that was held up. ``cleared``: a verifier found nothing wrong.
``verified``: it was sent back to be checked. Empty: nothing was held up, or not yet."""


@dataclass(frozen=True)
class Frozen:
    """Decisions, in the order of the calls that they are about, and what people said to them.

    ``ids`` are the calls' own, empty for an answer. A call is found by its id *and* its words: the
    key of a decision rests on name and arguments, so a call that was changed has no decision.
    ``answers``: by the place of the decision.
    """

    ids: tuple[str, ...]
    decision: TurnDecision
    answers: Mapping[int, Answer] = field(default_factory=dict)
    done: Done = ""

    @classmethod
    def read(cls, record: GateRecord) -> Self | None:
        """None for a record that is damaged: as good as none."""
        try:
            answers = {int(at): Answer(**said) for at, said in record["answers"].items()}
            found = TurnDecision.model_validate(record["decision"])
            ids, done = tuple(map(str, record["ids"])), record["done"]
        except (AttributeError, KeyError, TypeError, ValueError, ValidationError) as error:
            _log.error("a decision in the agent's state is damaged (%s)", type(error).__name__)
            return None
        if done not in get_args(Done) or len(ids) != len(found.decisions):
            _log.error("a decision in the agent's state is damaged")
            return None
        return cls(ids, found, answers, cast("Done", done))

    def record(self) -> GateRecord:
        """As plain JSON."""
        return {
            "ids": list(self.ids),
            "decision": self.decision.model_dump(mode="json"),
            "answers": {str(at): dict(said._asdict()) for at, said in self.answers.items()},
            "done": self.done,
        }

    @property
    def enforced(self) -> bool:
        """Whether the agent was to act on this, when it was decided."""
        return any(decision.mode == "enforce" for decision in self.decision.decisions)

    def place(self, call: ToolCall) -> int | None:
        """Where the decision about exactly this call stands."""
        for at, call_id in enumerate(self.ids):
            if call_id == call["id"] and self.decision.decisions[at].key == self.key(at, call):
                return at
        return None

    def key(self, at: int, call: Mapping[str, Any]) -> str:
        """The decision key that ``call`` has at this place."""
        run_id, turn = self.decision.run_id, self.decision.turn
        return decision_key(run_id, turn, at, call["name"], call["args"])

    def with_(self, ids: Sequence[str], decisions: Sequence[Decision]) -> Self:
        """The same with more decisions at the end."""
        every = (*self.decision.decisions, *decisions)
        return replace(
            self,
            ids=(*self.ids, *ids),
            decision=self.decision.model_copy(update={"decisions": every}),
        )

    def then(self, done: Done, answers: Mapping[int, Answer] | None = None) -> Self:
        """The same, once somebody has acted on it."""
        return replace(self, done=done, answers=answers or {})

    def lets_run(self, at: int) -> bool:
        """Whether the call at this place may run: by itself, or because somebody said so."""
        if at in self.answers:
            return self.answers[at].type in ("approve", "edit")
        verdict = self.decision.decisions[at].verdict
        return verdict is Verdict.PROCEED or (verdict is Verdict.VERIFY and self.done == "cleared")


def newest_reply(messages: Sequence[AnyMessage]) -> AIMessage | None:
    """The model's newest message."""
    return next((m for m in reversed(messages) if isinstance(m, AIMessage)), None)


def frozen_for(state: Any, reply: AIMessage | None, name: str) -> Frozen | None:
    """What the middleware of this name has frozen for ``reply``."""
    gates = gates_in(state, name)
    gate = None if reply is None else gates.get(reply.id or "")
    return None if gate is None else Frozen.read(gate)


def call_in(reply: AIMessage | None, call_id: str | None) -> ToolCall | None:
    """The call of this id as the model's message has it."""
    calls = [] if reply is None else reply.tool_calls
    return next((call for call in calls if call["id"] == call_id), None)


def gates_in(state: Any, name: str) -> Mapping[str, GateRecord]:
    """All that the middleware of this name has frozen in this run, oldest first."""
    record: Any = record_in(state, name)
    found = record.get("gates") if isinstance(record, Mapping) else None
    return found if isinstance(found, Mapping) else {}
