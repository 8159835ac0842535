"""Several agents: who has the floor, how it passes on, and whether they agree."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import ClassVar

from agentcal.features._events import Inbound, Memory, Result, Turn
from agentcal.features._feature import Feature, count, flag, share
from agentcal.features._objections import objects

_ALONE = "no turn of a second agent yet"
_UNHEARD = "nothing from a second agent yet"


class Agents:
    """Hand-offs, ping-pong, disagreement and doubled work between agents that have names.

    A turn is a hand-off when another agent took the named turn before it; a message with role
    ``agent`` is another agent's word, though nobody's turn. Of the 14 ways to fail that "Why Do
    Multi-Agent LLM Systems Fail?" (arXiv 2503.13657) tells apart, six are between agents.
    """

    name: ClassVar[str] = "agents"
    features: ClassVar[tuple[Feature, ...]] = (
        count("agents", "agents that have had a turn", _ALONE),
        count("handoffs", "hand-offs so far", _ALONE),
        share("handoff_share", "hand-offs / turns of named agents after the first", _ALONE),
        count("turns_since_handoff", "turns since the newest hand-off", _ALONE),
        count("ping_pong", "newest hand-offs in a row that go back to whom they came from", _ALONE),
        share("agent_turn_share", "share of the named turns that the newest agent took", _ALONE),
        count(
            "calls_of_others",
            "calls equal in name and arguments to one that another agent made first",
            _ALONE,
        ),
        count(
            "disagreements",
            "hand-offs and messages of agents with words that reject or doubt what was before",
            _UNHEARD,
        ),
        flag(
            "disagreement_in_turn",
            "1 if the newest turn, or a message of an agent right before it, is one of these",
            _UNHEARD,
        ),
    )

    def __init__(self, memory: Memory) -> None:
        self._turns: dict[str, int] = {}
        self._named = self._handoffs = self._handed_at = self._returns = 0
        self._newest: str | None = None
        self._before: str | None = None
        self._makers: dict[int, str] = {}
        self._doubled = self._disagreements = 0
        self._heard = self._objected = False
        self._disagrees = math.nan
        self._values = _NOTHING

    def message(self, event: Inbound) -> None:
        """Read what another agent says."""
        if event.role == "agent":
            self._heard = True
            objected = objects(event.text)
            self._objected |= objected
            self._disagreements += objected
            self._values = self._read(0)

    def turn(self, event: Turn) -> None:
        """See who takes the turn, and from whom."""
        agent = event.step.agent
        handed = False
        if agent is not None:
            handed = self._newest is not None and agent != self._newest
            if handed:
                self._hand_over(agent, event.number)
            self._take(agent, event)
        if self._heard or len(self._turns) > 1:
            objected = handed and objects(event.said)
            self._disagreements += objected
            self._disagrees = float(objected or self._objected)
            self._objected = False
            self._values = self._read(event.number - self._handed_at)

    def _hand_over(self, agent: str, turn: int) -> None:
        self._handoffs += 1
        self._handed_at = turn
        self._returns = self._returns + 1 if agent == self._before else 0
        self._before = self._newest

    def _take(self, agent: str, event: Turn) -> None:
        self._newest = agent
        self._named += 1
        self._turns[agent] = self._turns.get(agent, 0) + 1
        for call in event.calls:
            self._doubled += self._makers.setdefault(call.key, agent) != agent

    def result(self, event: Result) -> None:
        """Results belong to no agent in particular."""

    def _read(self, since: int) -> tuple[float, ...]:
        heard = (self._disagreements, self._disagrees)
        if self._newest is None or len(self._turns) < 2:
            return (*_NOTHING[:-2], *heard)
        return (
            len(self._turns),
            self._handoffs,
            self._handoffs / (self._named - 1),
            since,
            self._returns,
            self._turns[self._newest] / self._named,
            self._doubled,
            *heard,
        )

    def values(self) -> Iterable[float]:
        """See :attr:`features`."""
        return self._values


_NOTHING: tuple[float, ...] = (math.nan,) * len(Agents.features)
