"""Decisions about one model turn, as they lie in the agent's state."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Self

from langchain_core.messages import AIMessage, AnyMessage, ToolCall

from agentcal.policy import Decision, TurnDecision, Verdict, decision_key
from agentcal_langchain._state import DEFAULT_NAME, GateRecord, record_in
from agentcal_langgraph.building import Answer

_log = logging.getLogger("agentcal.gate")

_FLAGS: tuple[Literal["seen_to", "sent_back", "stopped"], ...] = (
    "seen_to",
    "sent_back",
    "stopped",
)


@dataclass(frozen=True)
class Frozen:
    """Decisions, in the order of the calls that they are about, and what came of them.

    ``ids`` are the calls' own, empty for an answer; ``given`` are those of structured responses,
    which nothing is run for. A call is found by its id *and* its words: the key of a decision rests
    on name and arguments, so a call that was changed has no decision.

    ``found``: what a verifier found wrong; empty where none was asked, None where nothing was.
    ``answers``: what people said, by the place of the decision. ``seen_to``: the gate has acted.
    ``sent_back``: the agent was told to check. ``stopped``: the run was ended.
    """

    ids: tuple[str, ...]
    decision: TurnDecision
    given: tuple[str, ...] = ()
    found: str | None = ""
    answers: Mapping[int, Answer] = field(default_factory=dict)
    seen_to: bool = False
    sent_back: bool = False
    stopped: bool = False

    @classmethod
    def read(cls, record: GateRecord) -> Self | None:
        """None for a record that is damaged: as good as none."""
        try:
            return cls._read(record)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            _log.error("a decision in the agent's state is damaged (%s)", type(error).__name__)
            return None

    @classmethod
    def _read(cls, record: GateRecord) -> Self:
        found = TurnDecision.model_validate(record["decision"])
        ids, said = tuple(record["ids"]), record["found"]
        flags = [record[flag] for flag in _FLAGS]
        if len(ids) != len(found.decisions) or not isinstance(said, str | None):
            raise ValueError("not what was written")
        if not all(isinstance(flag, bool) for flag in flags):
            raise ValueError("not what was written")
        answers = {int(at): Answer(**one) for at, one in record["answers"].items()}
        return cls(ids, found, tuple(record["given"]), said, answers, *flags)

    def record(self) -> GateRecord:
        """As plain JSON."""
        return {
            "ids": list(self.ids),
            "given": list(self.given),
            "decision": self.decision.model_dump(mode="json"),
            "found": self.found,
            "answers": {str(at): dict(said._asdict()) for at, said in self.answers.items()},
            "seen_to": self.seen_to,
            "sent_back": self.sent_back,
            "stopped": self.stopped,
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

    def with_(self, ids: Sequence[str], decisions: Sequence[Decision]) -> Frozen:
        """The same with more decisions at the end."""
        every = (*self.decision.decisions, *decisions)
        whole = self.decision.model_copy(update={"decisions": every})
        return replace(self, ids=(*self.ids, *ids), decision=whole)

    def then(self, **changes: Any) -> Frozen:
        """The same, once the gate has acted."""
        return replace(self, seen_to=True, **changes)

    def lets_run(self, at: int) -> bool:
        """Whether the call at this place may run: by itself, or because somebody said so."""
        if at in self.answers:
            return self.answers[at].type in ("approve", "edit")
        verdict = self.decision.decisions[at].verdict
        return verdict is Verdict.PROCEED or (verdict is Verdict.VERIFY and self.found is None)


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


def decisions_in(state: Mapping[str, Any], *, name: str = DEFAULT_NAME) -> list[TurnDecision]:
    """What was decided about the turns of the newest request to an agent, oldest first.

    ``state`` is what a hook is given, or ``agent.get_state(config).values``; ``name`` is that of
    the middleware. What is damaged is left out.
    """
    found = (Frozen.read(gate) for gate in gates_in(state, name).values())
    return [frozen.decision for frozen in found if frozen is not None]
