"""What the gate keeps in the state of a graph: plain JSON, checkpointed with the messages."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from langchain_core.messages import ToolCall
from pydantic import BaseModel, ConfigDict
from typing_extensions import TypedDict

from agentcal import Confidence
from agentcal.policy import TurnDecision

CHANNEL = "agentcal_gate"

Fate = Literal["run", "refuse", "respond", "ask", "done"]
"""What becomes of a call. ``ask``: somebody has not answered yet; ``done``: it has a result."""


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
    tool: str | None = None
    args: dict[str, Any] | None = None
    say: str = ""

    def applied(self, call: ToolCall) -> ToolCall:
        """The call as it runs."""
        if self.args is None:
            return call
        return {**call, "name": self.tool or call["name"], "args": self.args}


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


class Spoken(BaseModel):
    """A reply that nobody had to decide about when it was made, as the recorder saw it then.

    Something may come in between: a reviewer of the user's own, in whose interrupt the process may
    change.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    run_id: str
    turn: int
    confidence: Confidence | None


def merged(left: Any, right: Any) -> Any:
    """Turns of the same request add up; a new request takes the place of the one before.

    Of the replies that were not decided yet, the newest ones stay.
    """
    old, new = parts_of(left), parts_of(right)
    if new["request"] in (None, old["request"]):
        new |= {"request": old["request"], "turns": {**old["turns"], **new["turns"]}}
    spoken = {**old["spoken"], **new["spoken"]}
    undecided = [message_id for message_id in spoken if message_id not in new["turns"]]
    return {**new, "spoken": {message_id: spoken[message_id] for message_id in undecided[-_KEPT:]}}


class GateState(TypedDict, total=False):
    """For the state of a graph with a gate node of its own: ``class State(MessagesState, ...)``."""

    agentcal_gate: Annotated[dict[str, Any], merged]


def update_of(request: str, message_id: str, turn: FrozenTurn) -> dict[str, Any]:
    """What to write to the channel for one turn."""
    return {"request": request, "turns": {message_id: turn.model_dump(mode="json")}}


def spoken_update(message_id: str, spoken: Spoken) -> dict[str, Any]:
    """What to write to the channel for a reply that is not decided about yet."""
    return {"spoken": {message_id: spoken.model_dump(mode="json")}}


def words_of(call: ToolCall) -> str:
    """A digest of a call: the same id, tool and arguments have the same."""
    return _digest([call["id"], call["name"], call["args"]])


def words_said(text: str, calls: Sequence[ToolCall]) -> str:
    """A digest of a reply. What somebody changes in it is to be decided anew."""
    return _digest([text, [words_of(call) for call in calls]])


def strictness(outcome: Outcome) -> int:
    """0 for a call that runs, more for one that does not."""
    return _ORDER[outcome.fate]


_KEPT = 16
_ORDER: dict[Fate, int] = {"run": 0, "respond": 1, "refuse": 2, "ask": 3, "done": 4}


def parts_of(value: Any) -> dict[str, Any]:
    """The parts of the channel; empty where it is damaged."""
    known = value if isinstance(value, dict) else {}
    parts = {name: known.get(name) for name in ("turns", "spoken")}
    return {
        "request": known.get("request"),
        **{name: dict(part) if isinstance(part, dict) else {} for name, part in parts.items()},
    }


def _digest(value: Any) -> str:
    words = json.dumps(value, sort_keys=True, default=str)
    return hashlib.sha256(words.encode()).hexdigest()[:16]
