"""What the gate keeps in the state of a graph: plain JSON, checkpointed with the messages."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypedDict

from langchain_core.messages import AIMessage, ToolCall
from pydantic import BaseModel, ConfigDict, ValidationError

from agentcal.policy import Decision, Tier, TurnDecision

CHANNEL = "agentcal_gate"

Fate = Literal["run", "refuse", "respond", "ask"]
"""What becomes of a call; "ask": somebody has not answered yet."""


class Outcome(BaseModel):
    """What becomes of one call that a turn proposed.

    ``words`` is a digest of the call as proposed. ``key``: of the decision by which it runs.
    ``tool`` and ``args``: what a reviewer made of it, None where it runs as proposed. ``say``: the
    message in place of a result.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    words: str
    fate: Fate
    key: str
    tier: Tier
    tool: str | None = None
    args: dict[str, Any] | None = None
    say: str = ""


class FrozenTurn(BaseModel):
    """A model turn that was decided. ``words`` is a digest of what it said and proposed.

    ``sent_back``: the model was asked to check. ``stopped``: the run ended here. ``first``: what
    was decided about the reply that a stronger model's has replaced.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    words: str
    decided: TurnDecision
    outcomes: tuple[Outcome, ...] = ()
    waits: bool = False
    sent_back: bool = False
    stopped: bool = False
    first: TurnDecision | None = None


def merged(left: Any, right: Any) -> Any:
    """Turns of the same request add up; a new request takes the place of the one before."""
    if not _is_sound(left) or not _is_sound(right) or left["request"] != right["request"]:
        return right
    return {**right, "turns": {**left["turns"], **right["turns"]}}


class GateState(TypedDict, total=False):
    """For the state of a graph with a gate node of its own: ``class State(MessagesState, ...)``."""

    agentcal_gate: Annotated[dict[str, Any], merged]


def update_of(request: str, message_id: str, turn: FrozenTurn) -> dict[str, Any]:
    """What to write to the channel for one turn."""
    return {"request": request, "turns": {message_id: turn.model_dump(mode="json")}}


def turns_in(value: Any) -> dict[str, FrozenTurn]:
    """The decided turns by the ids of their messages, oldest first; what is damaged is left out."""
    found: dict[str, FrozenTurn] = {}
    for message_id, stored in value["turns"].items() if _is_sound(value) else ():
        try:
            found[message_id] = FrozenTurn.model_validate(stored)
        except ValidationError:
            continue
    return found


def decisions_in(state: Mapping[str, Any]) -> list[TurnDecision]:
    """What was decided about the turns of the newest request of a graph, oldest first.

    ``state`` is ``graph.get_state(config).values``, or what a node is given. A subgraph keeps its
    own: ``graph.get_state(config, subgraphs=True)`` has its state while it waits.
    """
    return [turn.decided for turn in turns_in(state.get(CHANNEL)).values()]


def words_of(call: ToolCall) -> str:
    """A digest of a call: the same id, tool and arguments have the same."""
    return _digest([call["id"], call["name"], call["args"]])


def words_said(message: AIMessage) -> str:
    """A digest of a reply. What somebody changes in it is to be decided anew."""
    return _digest([message.text, [words_of(call) for call in message.tool_calls]])


def fate_of(
    call: ToolCall, turns: Mapping[str, FrozenTurn], message_id: str | None, place: int
) -> tuple[Outcome, Decision] | None:
    """What becomes of a call, and the decision about it; None where nothing was decided.

    ``message_id``: the reply that it is from, and ``place``, where it stands in it. None: it was
    handed over alone, and the newest turn that proposed it counts.
    """
    newest_first: list[FrozenTurn | None] = [*reversed([*turns.values()])]
    asked = newest_first if message_id is None else [turns.get(message_id)]
    for turn in asked:
        found = [] if turn is None else _fates(call, turn)
        if turn is None or not found:
            continue
        here = [at for at in found if at == place and message_id is not None]
        # of calls that nobody can tell apart, the strictest counts
        at = max(here or found, key=lambda at: _ORDER[turn.outcomes[at].fate])
        return turn.outcomes[at], turn.decided.decisions[at]
    return None


def _fates(call: ToolCall, turn: FrozenTurn) -> list[int]:
    words, known = words_of(call), min(len(turn.outcomes), len(turn.decided.decisions))
    return [at for at in range(known) if turn.outcomes[at].words == words]


_ORDER: dict[Fate, int] = {"run": 0, "respond": 1, "refuse": 2, "ask": 3}


def _is_sound(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("request"), str)
        and isinstance(value.get("turns"), dict)
    )


def _digest(value: Any) -> str:
    words = json.dumps(value, sort_keys=True, default=str)
    return hashlib.sha256(words.encode()).hexdigest()[:16]
