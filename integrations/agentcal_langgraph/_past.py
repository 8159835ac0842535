"""Reading what the gate has kept in the state. What is damaged is as good as none."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from langchain_core.messages import ToolCall
from pydantic import BaseModel, ValidationError

from agentcal import Confidence
from agentcal.policy import Decision, TurnDecision
from agentcal_langgraph._frozen import (
    CHANNEL,
    FrozenTurn,
    Outcome,
    Spoken,
    parts_of,
    strictness,
    words_of,
)

_log = logging.getLogger("agentcal.gate")
M = TypeVar("M", bound=BaseModel)


class Past:
    """The turns of the newest request that were decided, by the ids of their messages.

    Only what is asked for is read: a run may be long.
    """

    def __init__(self, value: Any) -> None:
        self._parts = parts_of(value)

    def turn(self, message_id: str | None) -> FrozenTurn | None:
        """What was decided about this reply."""
        return _read(self._parts["turns"].get(message_id or ""), FrozenTurn)

    def newest_first(self) -> Iterator[FrozenTurn]:
        """All of them."""
        for stored in reversed([*self._parts["turns"].values()]):
            if (turn := _read(stored, FrozenTurn)) is not None:
                yield turn

    def spoken(self, message_id: str | None) -> Spoken | None:
        """What is kept about a reply that was not decided when it was made."""
        return _read(self._parts["spoken"].get(message_id or ""), Spoken)

    def scores(self) -> dict[int, Confidence | None]:
        """The scores of the turns, by their numbers."""
        found: dict[int, Confidence | None] = {}
        for stored in self._parts["turns"].values():
            try:
                scored = stored["decided"]["confidence"]
                number = stored["decided"]["turn"]
                found[int(number)] = None if scored is None else Confidence(**scored)
            except (KeyError, TypeError, ValueError):
                continue
        return found

    def sent_back(self) -> set[str]:
        """The replies that the model was asked to check."""
        turns = self._parts["turns"].items()
        return {i for i, stored in turns if isinstance(stored, dict) and stored.get("sent_back")}


def decisions_in(state: Mapping[str, Any]) -> list[TurnDecision]:
    """What was decided about the turns of the newest request of a graph, oldest first.

    ``state`` is ``graph.get_state(config).values``, or what a node is given. A subgraph keeps its
    own: ``graph.get_state(config, subgraphs=True)`` has its state while it waits.
    """
    return [turn.decided for turn in Past(state.get(CHANNEL)).newest_first()][::-1]


def fate_of(
    call: ToolCall, past: Past, message_id: str | None, place: int
) -> tuple[Outcome, Decision] | None:
    """What becomes of a call, and the decision about it; None where nothing was decided.

    ``message_id``: the reply that it is from, and ``place``, where it stands in it. None: it was
    handed over alone, and the newest turn that proposed it counts.
    """
    asked = past.newest_first() if message_id is None else [past.turn(message_id)]
    for turn in asked:
        found = [] if turn is None else _fates(call, turn)
        if turn is None or not found:
            continue
        here = [at for at in found if at == place and message_id is not None]
        # of calls that nobody can tell apart, the strictest counts
        at = max(here or found, key=lambda at: strictness(turn.outcomes[at]))
        return turn.outcomes[at], turn.decided.decisions[at]
    return None


def _fates(call: ToolCall, turn: FrozenTurn) -> list[int]:
    words, known = words_of(call), min(len(turn.outcomes), len(turn.decided.decisions))
    return [at for at in range(known) if turn.outcomes[at].words == words]


def _read(stored: Any, kind: type[M]) -> M | None:
    if stored is None:
        return None
    try:
        return kind.model_validate(stored)
    except ValidationError:
        _log.error("what a gate has kept in the state is damaged, so that it is as good as none")
        return None
