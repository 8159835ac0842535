"""A head for each kind of decision point, with and without log-probabilities."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from agentcal.calibration._described import Described, describe
from agentcal.calibration._folds import assign_folds
from agentcal.calibration._head import Head, HeadEvidence
from agentcal.calibration._numeric import sigmoid
from agentcal.calibration._prior import PriorHead, shipped_prior
from agentcal.calibration._stages import Rows
from agentcal.calibration._table import KIND_CODE, KINDS, Table, turn_weight
from agentcal.calibration._trees import Pace
from agentcal.features import FAMILY_OF, FEATURES

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

LOGPROB_FEATURES = np.array([FAMILY_OF[feature.name] == "logprobs" for feature in FEATURES])
OBSERVABLE, WITH_LOGPROBS = "observable", "logprobs"
_FEWEST_ROWS = 20
_FEWEST_MINORITY = 3


@dataclass(frozen=True, slots=True)
class Plan:
    """How every fit of one call works; ``folds`` are the inner ones, ``workers`` run at once."""

    folds: int
    seed: int
    workers: int
    prior: bool = True


@dataclass(slots=True)
class FittedHeads:
    """Heads by ``signals/kind``, what their fit saw, and which kinds had to borrow rows.

    ``described``: the table as the heads see it, with the reference that they go with.
    """

    described: Described
    heads: dict[str, Head] = field(default_factory=dict)
    evidence: dict[str, HeadEvidence] = field(default_factory=dict)
    borrowed: list[str] = field(default_factory=list)


def has_logprobs(X: FloatArray) -> BoolArray:
    """Which rows (n,) of X (n, p) carry any log-probability feature."""
    return np.asarray(np.isfinite(X[:, LOGPROB_FEATURES]).any(axis=1), dtype=bool)


def signal_sets(table: Table) -> list[str]:
    """The signals worth a set of heads: observable ones always, log-probs if enough runs do."""
    carrying = np.unique(table.run[has_logprobs(table.X)])
    share = len(carrying) / max(1, len(table.y))
    return [OBSERVABLE, WITH_LOGPROBS] if share >= 0.2 and len(carrying) >= _FEWEST_ROWS else [
        OBSERVABLE
    ]  # fmt: skip


def head_rows(
    table: Table,
    described: Described,
    keep: BoolArray,
    signals: str,
    *,
    fold: IntArray,
    prior: PriorHead | None,
    pace: Pace,
) -> Rows:
    """The training rows (those in ``keep``) of a head that may look at ``signals``."""
    if signals == WITH_LOGPROBS:
        keep = keep & has_logprobs(table.X)
    runs = table.run[keep]
    X = described.X[keep]
    use = np.ones(X.shape[1], dtype=bool)
    if signals == OBSERVABLE:
        use[: len(LOGPROB_FEATURES)] = ~LOGPROB_FEATURES
    return Rows(
        X,
        table.y[runs],
        turn_weight(table.turn[keep]),
        table.group[runs],
        fold[runs],
        use,
        row_categories(table, runs),
        prior,
        pace,
        {number: last[keep] for number, last in described.without.items()},
    )


def row_categories(table: Table, runs: IntArray) -> dict[str, NDArray[np.object_]]:
    """The declared categories of each row, from its run."""
    return {name: np.array(values, dtype=object)[runs] for name, values in table.categories.items()}


def fit_heads(
    table: Table,
    train: BoolArray,
    signals: list[str],
    plan: Plan,
    advance: Callable[[], None],
) -> FittedHeads:
    """Fit every head on the runs in ``train`` (r,); ``advance`` is called after each."""
    from threadpoolctl import threadpool_limits  # noqa: PLC0415 - only fitting needs it

    fold = np.full(len(table.y), -1, dtype=np.int64)
    fold[train] = assign_folds(table.y[train], table.group[train], plan.folds, plan.seed)
    described = describe(table, train, fold)
    out = FittedHeads(described)
    prior = shipped_prior() if plan.prior else None
    general = {} if prior is None else prior.heads
    for signal in signals:
        for code, kind in enumerate(KINDS):
            name = f"{signal}/{kind}"
            mine = train[table.run] & (table.kind == code)
            pace: Pace = "patient" if kind == "finished" else "live"
            known = general.get(kind)
            rows = head_rows(table, described, mine, signal, fold=fold, prior=known, pace=pace)
            if not _enough(rows):
                out.borrowed.append(name)
                mine = train[table.run]
                rows = head_rows(table, described, mine, signal, fold=fold, prior=None, pace=pace)
            # Folds run in parallel; threads inside each matrix product would only compete.
            with threadpool_limits(1, "blas"):
                head, seen = Head.fit(rows, seed=plan.seed, workers=plan.workers)
            out.heads[name], out.evidence[name] = head, seen
            advance()
    return out


def _enough(rows: Rows) -> bool:
    wins = int(rows.y.sum())
    minority = min(wins, len(rows.y) - wins)
    groups = len(np.unique(rows.group))
    folds = len(np.unique(rows.fold))
    return len(rows.y) >= _FEWEST_ROWS and minority >= _FEWEST_MINORITY and groups > 1 < folds


def predict_rows(
    heads: Mapping[str, Head],
    table: Table,
    X: FloatArray,
    keep: BoolArray,
    signals: str | None = None,
) -> FloatArray:
    """P(success) of the rows in ``keep`` (n,), NaN elsewhere; ``X`` (n, p + q) as heads see them.

    Each row is scored by the head of its kind and of the signals that it carries, or of ``signals``
    for all rows.
    """
    out = np.full(len(table.X), np.nan)
    carrying = has_logprobs(table.X)
    for name, head in heads.items():
        signal, kind = name.split("/")
        mine = keep & (table.kind == KIND_CODE[kind])
        if signals is not None:
            if signal != signals:
                continue
        elif f"{WITH_LOGPROBS}/{kind}" in heads:
            mine &= carrying if signal == WITH_LOGPROBS else ~carrying
        if mine.any():
            z, _ = head.logits(X[mine], row_categories(table, table.run[mine]))
            out[mine] = sigmoid(z)
    return out
