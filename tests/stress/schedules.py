"""Random schedules: what an agent proposes, how long it takes, who says what, and who dies when."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal

Kind = Literal["approve", "edit", "reject", "respond"]
TOOLS = ("look", "note", "wipe")
"""Read-only, writing, destructive."""


@dataclass(frozen=True)
class Proposed:
    """One call. ``token`` names it in all that it does; ``answer`` is what a reviewer would say."""

    token: str
    tool: str
    jitter_s: float
    answer: Kind


@dataclass(frozen=True)
class Schedule:
    """One life of an agent.

    ``kills``: for each process in turn, after how many steps it is killed (None: it lives).
    ``blunder``: what the reviewer gets wrong before answering. ``rerun``: whether the reviewer lets
    a call run again that may have run. ``hop``: every answer is given in a process of its own.
    """

    seed: int
    turns: tuple[tuple[Proposed, ...], ...]
    asynchronous: bool
    hop: bool
    kills: tuple[int | None, ...]
    blunder: Literal["", "wrong id", "too few", "nonsense"]
    rerun: bool

    def proposed(self) -> dict[str, Proposed]:
        """All calls by their token."""
        return {call.token: call for turn in self.turns for call in turn}


def schedule(seed: int) -> Schedule:
    """Schedule ``seed``; the same seed, the same schedule."""
    dice = random.Random(seed)
    turns = tuple(
        tuple(_call(dice, f"s{seed}t{turn}c{place}") for place in range(dice.randint(1, 6)))
        for turn in range(dice.randint(1, 3))
    )
    deaths = dice.choice([0, 0, 1, 1, 2, 3])
    return Schedule(
        seed=seed,
        turns=turns,
        asynchronous=dice.random() < 0.5,
        hop=dice.random() < 0.5,
        kills=tuple(dice.randint(1, 60) for _ in range(deaths)),
        blunder=dice.choice(["", "", "wrong id", "too few", "nonsense"]),
        rerun=dice.random() < 0.5,
    )


def _call(dice: random.Random, token: str) -> Proposed:
    return Proposed(
        token,
        dice.choices(TOOLS, weights=[2, 4, 4])[0],
        dice.choice([0.0, 0.0, 0.001, 0.004]),
        dice.choice(["approve", "edit", "reject", "respond"]),
    )
