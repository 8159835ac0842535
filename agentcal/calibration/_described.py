"""The columns of a reference, for rows that it has learnt nothing from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from agentcal.calibration._conduct import NO_CALL, Conduct, Tally, tools_of
from agentcal.calibration._reference import REFERENCE, Reference
from agentcal.calibration._table import Table

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Described:
    """A table with the columns of a reference beside its own, n rows.

    ``X`` (n, p + q): rows of a training fold are described by the other folds, those outside the
    training runs by all of them, which is ``reference``. ``without``: the last q columns (n, q)
    when a fold is left out altogether, by its number. Its own rows are then described by all other
    folds, and those of another fold by all but these two.
    """

    reference: Reference
    X: FloatArray
    without: Mapping[int, FloatArray]


def describe(table: Table, train: BoolArray, fold: IntArray) -> Described:
    """Learn references from the runs in ``train`` (r,), which lie in ``fold`` (r,)."""
    folds = np.unique(fold[train]).tolist()
    tools, tallies = _tallies(table, train, fold, folds)
    whole = tallies.pop(_ALL)
    everything = Reference.of(whole, tools)
    row_fold = np.where(train, fold, _ALL)[table.run]
    own = _blank(table)
    without = {number: _blank(table) for number in folds}
    _fill(own, table, row_fold == _ALL, everything)
    for number in folds:
        rest = Reference.of(whole - tallies[number], tools)
        _fill(own, table, row_fold == number, rest)
        without[number][row_fold == number] = own[row_fold == number]
    for one, other in combinations(folds, 2):
        rest = Reference.of(whole - tallies[one] - tallies[other], tools)
        _fill(without[one], table, row_fold == other, rest)
        _fill(without[other], table, row_fold == one, rest)
    return Described(everything, np.hstack([table.X, own]), without)


_ALL = -1


def _tallies(
    table: Table, train: BoolArray, fold: IntArray, folds: list[int]
) -> tuple[list[str], dict[int, Tally]]:
    """The tools that successful runs called, and the sums of each fold and of all."""
    groups: dict[int, list[Conduct]] = defaultdict(list)
    fold_of: dict[int, int] = {}
    for run, conduct in enumerate(table.conduct):
        if train[run] and table.y[run] == 1.0:
            group = int(table.group[run])
            groups[group].append(conduct)
            fold_of[group] = int(fold[run])
    tools = tools_of((group, run) for group, runs in groups.items() for run in runs)
    place = {name: number for number, name in enumerate([NO_CALL, *tools])}
    tallies = {number: Tally.zero(len(place)) for number in [*folds, _ALL]}
    for group, runs in groups.items():
        tallies[fold_of[group]].add(runs, place)
        tallies[_ALL].add(runs, place)
    return tools, tallies


def _blank(table: Table) -> FloatArray:
    return np.full((len(table.X), len(REFERENCE)), np.nan)


def _fill(out: FloatArray, table: Table, rows: BoolArray, reference: Reference) -> None:
    if len(table.tools):
        for row in np.flatnonzero(rows):
            out[row] = reference.values(table.tools[row])
