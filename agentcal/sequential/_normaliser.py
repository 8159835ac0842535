"""What makes the scores of turn 1 and of turn 9 one scale: log odds that the run fails."""

from __future__ import annotations

from bisect import bisect_left
from itertools import pairwise
from typing import NamedTuple, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, model_validator

Row: TypeAlias = tuple[float, ...]
Rows: TypeAlias = tuple[Row, Row, Row, Row]


class Signs(NamedTuple):
    """What a trail shows: its last score, its mean, its fading mean, and the last step.

    In units of the normaliser's ``scale`` around its ``centre``. In ``recent`` each score weighs
    half as much as the one after it. ``change`` is from the score before, 0 at first.
    """

    last: float
    mean: float
    recent: float
    change: float


class Normaliser(BaseModel):
    """How like a failing run a trail looks: log odds up to a constant, higher is worse.

    The sum over the :class:`Signs` of ``weights[sign]`` times the sign and of a step function of
    it that differs between spans of turns: span ``s`` holds the turns above ``turns[s - 1]`` and
    not above ``turns[s]``, and ``values[s][sign][bin]`` is for what lies above
    ``edges[sign][bin - 1]`` and not above ``edges[sign][bin]``. Made without fields it is the score
    itself, turned round.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    centre: float = 0.0
    scale: float = Field(default=1.0, gt=0)
    weights: tuple[float, float, float, float] = (-1.0, 0.0, 0.0, 0.0)
    turns: Row = ()
    edges: Rows = ((), (), (), ())
    values: tuple[Rows, ...] = (((0.0,), (0.0,), (0.0,), (0.0,)),)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if any(a >= b for row in (self.turns, *self.edges) for a, b in pairwise(row)):
            raise ValueError("turns and edges must rise")
        bins = [len(row) + 1 for row in self.edges]
        if len(self.values) != len(self.turns) + 1 or any(
            [len(row) for row in rows] != bins for rows in self.values
        ):
            raise ValueError("values must have one span and one bin more than turns and edges")
        return self

    def score(self, turn: int, last: float, mean: float, recent: float, change: float) -> float:
        """The log odds at ``turn``, counted from 1. Every point of every run passes here."""
        weights, edges = self.weights, self.edges
        values = self.values[bisect_left(self.turns, turn)]
        return (
            weights[0] * last
            + weights[1] * mean
            + weights[2] * recent
            + weights[3] * change
            + values[0][bisect_left(edges[0], last)]
            + values[1][bisect_left(edges[1], mean)]
            + values[2][bisect_left(edges[2], recent)]
            + values[3][bisect_left(edges[3], change)]
        )
