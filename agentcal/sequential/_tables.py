"""Boosted trees, each on one sign and the turn, written out as step tables."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from agentcal._lightgbm import lightgbm
from agentcal.sequential._normaliser import Signs

Floats = NDArray[np.float64]

SIGNS = len(Signs._fields)
TURN = SIGNS
"""The column of the turn, after those of the signs."""

_ROUNDS = 120
_DECIMALS = 4
_SETTINGS: dict[str, Any] = {
    "objective": "binary",
    "learning_rate": 0.08,
    "num_leaves": 6,
    "min_data_in_leaf": 20,
    "max_bin_by_feature": [63] * SIGNS + [16],
    # A tree that sees one sign and the turn is a table; scores that are better are never worse.
    "interaction_constraints": [[sign, TURN] for sign in range(SIGNS)],
    "monotone_constraints": [-1, -1, -1, 0, 0],
    "verbosity": -1,
    "num_threads": 1,
    "deterministic": True,
    "force_row_wise": True,
    "seed": 0,
}


class _Box(NamedTuple):
    """Where one leaf applies: above ``low`` and not above ``high`` in each column."""

    low: tuple[float, ...]
    high: tuple[float, ...]
    value: float


def boost(X: Floats, failed: Floats, weight: Floats, start: Floats) -> Any:
    """A ``lightgbm.Booster`` on rows X (n, signs and turn) that adds to the log odds ``start``."""
    data = lightgbm().Dataset(X, failed, weight=weight, init_score=start)
    return lightgbm().train(_SETTINGS, data, num_boost_round=_ROUNDS)


def write_out(booster: Any) -> dict[str, Any]:
    """The fields ``turns``, ``edges`` and ``values`` of the normaliser: together the booster.

    Values are rounded to four decimals. What depends on no sign is in the first table.
    """
    trees = booster.dump_model()["tree_info"]
    boxes = [list(_boxes(tree["tree_structure"], _EVERYWHERE)) for tree in trees]
    turns = _edges([box for tree in boxes for box in tree], TURN)
    owned: list[list[_Box]] = [[] for _ in range(SIGNS)]
    for tree in boxes:
        used = [sign for sign in range(SIGNS) if _edges(tree, sign)]
        owned[used[0] if used else 0] += tree
    edges = [_edges(own, sign) for sign, own in enumerate(owned)]
    tables = [_table(own, sign, turns, edges[sign]) for sign, own in enumerate(owned)]
    return {"turns": turns, "edges": edges, "values": list(zip(*tables, strict=True))}


_EVERYWHERE = _Box((-np.inf,) * (SIGNS + 1), (np.inf,) * (SIGNS + 1), 0.0)


def _boxes(node: dict[str, Any], box: _Box) -> Iterator[_Box]:
    if "leaf_value" in node:
        yield box._replace(value=node["leaf_value"])
        return
    column, edge = node["split_feature"], float(node["threshold"])
    high = min(edge, box.high[column])
    low = max(edge, box.low[column])
    yield from _boxes(node["left_child"], box._replace(high=_put(box.high, column, high)))
    yield from _boxes(node["right_child"], box._replace(low=_put(box.low, column, low)))


def _put(bounds: tuple[float, ...], column: int, value: float) -> tuple[float, ...]:
    return (*bounds[:column], value, *bounds[column + 1 :])


def _edges(boxes: list[_Box], column: int) -> list[float]:
    bounds = {bound for box in boxes for bound in (box.low[column], box.high[column])}
    return sorted(bounds - {-np.inf, np.inf})


def _table(
    boxes: list[_Box], sign: int, turns: list[float], edges: list[float]
) -> list[list[float]]:
    values = np.zeros((len(turns) + 1, len(edges) + 1))
    for box in boxes:
        spans = _covered(turns, box.low[TURN], box.high[TURN])
        values[spans, _covered(edges, box.low[sign], box.high[sign])] += box.value
    rounded: list[list[float]] = values.round(_DECIMALS).tolist()
    return rounded


def _covered(edges: list[float], low: float, high: float) -> slice:
    """The bins between two of the edges."""
    first = 0 if low == -np.inf else bisect_left(edges, low) + 1
    last = len(edges) if high == np.inf else bisect_left(edges, high)
    return slice(first, last + 1)
