"""The columns of a reference, for rows that it has learnt nothing from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from agentcal.calibration._conduct import NO_CALL, Conduct, Tally, tools_of
from agentcal.calibration._reference import REFERENCE, Reference
from agentcal.calibration._table import Table

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

_PARTS = 5
_SEED = 7
_ALL = -1


@dataclass(frozen=True, slots=True)
class Described:
    """A table with the columns of a reference beside its own, n rows.

    ``reference``: from all successful training runs. ``X`` (n, p + q): it describes the rows of
    other runs; the training runs lie in five parts of whole groups, and each part is described by
    the other four. ``without``: the last q columns (n, q) when a fold is left out altogether, by
    its number, made in the same way from the runs that are left.
    """

    reference: Reference
    X: FloatArray
    without: Mapping[int, FloatArray]


def describe(table: Table, train: BoolArray, fold: IntArray) -> Described:
    """Learn references from the runs in ``train`` (r,), which lie in ``fold`` (r,)."""
    part = np.full(len(table.y), _ALL)
    groups, code = np.unique(table.group[train], return_inverse=True)
    # Blind to outcomes, so that a row's part tells nothing of its own.
    part[train] = np.random.default_rng(_SEED).permutation(len(groups))[code] % _PARTS
    sums = _Sums(table, train, fold, part)
    own = _columns(table, sums, part, _ALL)
    without = {
        number: _columns(table, sums, np.where(fold == number, _ALL, part), number)
        for number in np.unique(fold[train]).tolist()
    }
    return Described(sums.reference(_ALL, _ALL), np.hstack([table.X, own]), without)


class _Sums:
    """Tallies of every fold, part and both, and the references that leave some of them out."""

    def __init__(self, table: Table, train: BoolArray, fold: IntArray, part: IntArray) -> None:
        groups: dict[int, list[Conduct]] = defaultdict(list)
        cell: dict[int, tuple[int, int]] = {}
        for run, conduct in enumerate(table.conduct):
            if train[run] and table.y[run] == 1.0:
                group = int(table.group[run])
                groups[group].append(conduct)
                cell[group] = int(fold[run]), int(part[run])
        self.tools = tools_of((group, run) for group, runs in groups.items() for run in runs)
        place = {name: number for number, name in enumerate([NO_CALL, *self.tools])}
        self._nothing = Tally.zero(len(place))
        self._tallies: dict[tuple[int, int], Tally] = {}
        for group, runs in groups.items():
            number, of = cell[group]
            for key in product((number, _ALL), (of, _ALL)):
                tally = self._tallies.setdefault(key, Tally.zero(len(place)))
                tally.add(runs, place)

    def reference(self, fold: int, part: int) -> Reference:
        """From all groups but those of this fold and this part; ``_ALL`` leaves none out."""
        left = self._of(_ALL, _ALL)
        if fold != _ALL:
            left -= self._of(fold, _ALL)
        if part != _ALL:
            left -= self._of(_ALL, part)
        if _ALL not in (fold, part):
            left += self._of(fold, part)
        return Reference.of(left, self.tools)

    def _of(self, fold: int, part: int) -> Tally:
        return self._tallies.get((fold, part), self._nothing)


def _columns(table: Table, sums: _Sums, part: IntArray, fold: int) -> FloatArray:
    """The columns (n, q) of every row, from all groups but those of its part and of the fold."""
    out = np.full((len(table.X), len(REFERENCE)), np.nan)
    for number in np.unique(part).tolist() if len(table.tools) else ():
        reference = sums.reference(fold, number)
        for row in np.flatnonzero(part[table.run] == number):
            out[row] = reference.values(table.tools[row])
    return out
