"""What makes the scores of turn 1 and of turn 9 one scale: log odds that the run fails."""

from __future__ import annotations

from bisect import bisect_left
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


def _rising(values: tuple[float, ...]) -> bool:
    return all(a < b for a, b in pairwise(values))


class Signs(NamedTuple):
    """What a trail shows: its last score, its mean, its fading mean, and the last step.

    In units of the normaliser's ``scale`` around its ``centre``. In ``recent`` each score weighs
    half as much as the one after it. ``change`` is from the score before, 0 at first.
    """

    last: float
    mean: float
    recent: float
    change: float


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class StepTable(_Frozen):
    """A step function of one sign for each span of turns.

    ``values[span][bin]``, log odds; bin ``b`` holds what lies above ``edges[b - 1]`` and not above
    ``edges[b]``.
    """

    edges: tuple[float, ...] = ()
    values: tuple[tuple[float, ...], ...] = ((0.0,),)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if not _rising(self.edges) or any(len(v) != len(self.edges) + 1 for v in self.values):
            raise ValueError("edges must rise, with one value more than edges in each span")
        return self


class Normaliser(_Frozen):
    """How like a failing run a trail looks: log odds up to a constant, higher is worse.

    The sum over the :class:`Signs` of ``weights[sign]`` times the sign and what its table says at
    this turn. Span ``s`` of the turns holds those above ``turns[s - 1]`` and not above
    ``turns[s]``. As it is made without fields it is the score itself, turned round.
    """

    centre: float = 0.0
    scale: float = Field(default=1.0, gt=0)
    weights: tuple[float, float, float, float] = (-1.0, 0.0, 0.0, 0.0)
    turns: tuple[float, ...] = ()
    tables: tuple[StepTable, StepTable, StepTable, StepTable] = (StepTable(),) * 4

    @model_validator(mode="after")
    def _fits(self) -> Self:
        spans = len(self.turns) + 1
        if not _rising(self.turns) or any(len(table.values) != spans for table in self.tables):
            raise ValueError("turns must rise, with one span more than turns in each table")
        return self

    @cached_property
    def plan(self) -> Plan:
        """The same as plain tuples, for :meth:`Plan.score`."""
        a, b, c, d = self.tables
        spans = tuple(zip(a.values, b.values, c.values, d.values, strict=True))
        return Plan(self.weights, self.turns, (a.edges, b.edges, c.edges, d.edges), spans)


_Row = tuple[float, ...]


class Plan(NamedTuple):
    """A normaliser laid out for reading: every decision point of every run passes here."""

    weights: tuple[float, float, float, float]
    turns: _Row
    edges: tuple[_Row, _Row, _Row, _Row]
    spans: tuple[tuple[_Row, _Row, _Row, _Row], ...]

    def score(self, turn: int, last: float, mean: float, recent: float, change: float) -> float:
        """The log odds at ``turn``, counted from 1."""
        (k, m, r, c), turns, (ek, em, er, ec), spans = self
        vk, vm, vr, vc = spans[bisect_left(turns, turn)]
        return (
            k * last
            + m * mean
            + r * recent
            + c * change
            + vk[bisect_left(ek, last)]
            + vm[bisect_left(em, mean)]
            + vr[bisect_left(er, recent)]
            + vc[bisect_left(ec, change)]
        )
