"""Made-up worlds in which the truth is known: tables of feature vectors, and runs of an agent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agentcal import Outcome, Step, TokenLogprobs, ToolCall, Trajectory
from agentcal.calibration._folds import assign_folds
from agentcal.calibration._heads import LOGPROB_FEATURES
from agentcal.calibration._numeric import sigmoid
from agentcal.calibration._stages import Rows
from agentcal.calibration._table import KINDS, Table
from agentcal.features import FEATURES

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

COUNT_COLUMNS = [i for i, f in enumerate(FEATURES) if f.is_count and not LOGPROB_FEATURES[i]]
PLAIN_COLUMNS = [i for i, f in enumerate(FEATURES) if not f.is_count and not LOGPROB_FEATURES[i]]


def vectors(values: FloatArray) -> FloatArray:
    """Feature vectors (n, p) with ``values`` (n, k) in features that are no counts, 0 elsewhere."""
    X = np.zeros((len(values), len(FEATURES)))
    X[:, PLAIN_COLUMNS[: values.shape[1]]] = values
    return X


def rows_of(
    X: FloatArray,
    y: FloatArray,
    group: IntArray | None = None,
    *,
    folds: int = 4,
    seed: int = 0,
    categories: Mapping[str, Any] | None = None,
) -> Rows:
    """Training rows of one head; every row is a group of its own unless said otherwise."""
    group = np.arange(len(y)) if group is None else group
    named = {name: np.array(values, dtype=object) for name, values in (categories or {}).items()}
    fold = assign_folds(y, group, folds, seed)
    return Rows(
        X=X,
        y=y,
        weight=np.ones(len(y)),
        group=group,
        fold=fold,
        use=~LOGPROB_FEATURES,
        categories=named,
        prior=None,
    )


def table_of(X: FloatArray, y: FloatArray, group: IntArray) -> Table:
    """A table with one row, of the finished kind, for each run."""
    n = len(y)
    names, codes = np.unique(group, return_inverse=True)
    return Table(
        X=X,
        kind=np.full(n, KINDS.index("finished")),
        turn=np.ones(n, dtype=np.int64),
        run=np.arange(n),
        y=y,
        group=codes.astype(np.int64),
        marks=[str(i).encode() for i in range(n)],
        groups=[str(name) for name in names],
        categories={},
    )


def draw(z: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Outcomes (n,) in {0, 1} with log odds ``z``."""
    return (rng.random(len(z)) < sigmoid(z)).astype(np.float64)


def a_run(
    number: int,
    rng: np.random.Generator,
    *,
    group: str | None = None,
    agent: str | None = None,
    logprobs: bool = False,
    quality: float | None = None,
) -> Trajectory:
    """A run whose latent quality decides its errors, repeats, wordiness and outcome."""
    q = rng.normal() if quality is None else quality
    looks = [_look(k, q, rng, logprobs=logprobs) for k in range(int(rng.integers(1, 4)))]
    answer = Step(
        text="done " * int(rng.integers(3, 9)), logprobs=_tokens(q, rng) if logprobs else None
    )
    return Trajectory(
        run_id=f"r{number}",
        group=group or f"g{number // 2}",
        agent=agent,
        model="small" if number % 3 else "large",
        task=f"find thing {number // 2}",
        steps=[*looks, answer],
        end_reason="answered",
        outcome=Outcome(value=float(rng.random() < 1 / (1 + np.exp(-2.5 * q)))),
    )


def _look(turn: int, q: float, rng: np.random.Generator, *, logprobs: bool) -> Step:
    failed = bool(rng.random() < 1 / (1 + np.exp(1 + 2 * q)))
    again = bool(rng.random() < 1 / (1 + np.exp(2 * q)))
    return Step(
        text="so " * int(np.clip(12 - 4 * q + rng.normal(), 1, 40)),
        tool_calls=[
            ToolCall(
                name="search_flights",
                arguments={"page": 0 if again else turn},
                result="Error: 503" if failed else f"row {turn} of the answer",
                status="error" if failed else "ok",
            )
        ],
        logprobs=_tokens(q, rng) if logprobs else None,
    )


def _tokens(q: float, rng: np.random.Generator) -> TokenLogprobs:
    chosen = -np.abs(rng.normal(0.5 - 0.3 * np.tanh(q), 0.2, size=6)) - 0.01
    top = [[float(p), *(float(p) - 1 - k for k in range(4))] for p in chosen]
    return TokenLogprobs(tokens=list("abcdef"), logprobs=chosen.tolist(), top=top)


def many_runs(n: int, seed: int = 0, **settings: Any) -> list[Trajectory]:
    """``n`` runs, two a group, by two agents in turn."""
    rng = np.random.default_rng(seed)
    return [a_run(i, rng, agent=("ann", "bob")[i % 2], **settings) for i in range(n)]
