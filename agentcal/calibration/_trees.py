"""The tree stage: LightGBM on the raw features, missing values and all."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from agentcal._lightgbm import lightgbm

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

Preset = Literal["smooth", "deep"]
Pace = Literal["live", "patient"]
"""A ``live`` head is scored before every action, a ``patient`` one judges runs that are over."""

_SHARED: dict[str, Any] = {
    "objective": "binary",
    "min_sum_hessian_in_leaf": 1.0,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "max_bin": 127,
    "verbosity": -1,
    "num_threads": 1,
    "deterministic": True,
    "force_row_wise": True,
}
# What is new at deployment decides which of the two is right: random splits with many rows in a
# leaf carry over to tasks never seen; free ones remember tasks, which helps where they come again.
_PRESETS: dict[Preset, dict[str, Any]] = {
    "smooth": {"extra_trees": True, "lambda_l2": 5.0, "feature_fraction": 0.4},
    "deep": {"lambda_l2": 1.0, "feature_fraction": 0.5},
}
# The nodes of a tree are rarely in a cache when a live score asks for them, and a large tree costs
# little more than a small one: a live head has few and large ones. Grouped cross-validation on
# decision points of AgentDojo, tau-bench and the local runs tells no difference in log loss from
# 164 trees of half the size.
_PACES: dict[Pace, dict[Preset, dict[str, Any]]] = {
    "live": {
        "smooth": {"learning_rate": 0.15, "num_leaves": 31},
        "deep": {"learning_rate": 0.1, "num_leaves": 63},
    },
    "patient": {
        "smooth": {"learning_rate": 0.04, "num_leaves": 8},
        "deep": {"learning_rate": 0.08, "num_leaves": 31},
    },
}
_MOST_ROUNDS: dict[Pace, dict[Preset, int]] = {
    "live": {"smooth": 50, "deep": 48},
    "patient": {"smooth": 400, "deep": 200},
}


class TreeSetting(NamedTuple):
    """A preset after a share of its boosting rounds."""

    preset: Preset
    share: float

    def rounds(self, pace: Pace) -> int:
        """Boosting rounds at this pace."""
        return round(_MOST_ROUNDS[pace][self.preset] * self.share)


_PRESET_NAMES: tuple[Preset, ...] = ("smooth", "deep")
TREES = tuple(TreeSetting(name, share) for name in _PRESET_NAMES for share in (0.25, 0.5, 1.0))
"""The settings among which nested cross-validation chooses."""


def _leaf_floor(rows: int, preset: Preset) -> int:
    """Rows that a leaf must hold: 1% of them, at least 5, at most 25 (smooth) or 8 (deep)."""
    return int(np.clip(rows // 100, 5, 25 if preset == "smooth" else 8))


def fit_trees(
    X: FloatArray,
    y: FloatArray,
    weight: FloatArray,
    setting: TreeSetting,
    pace: Pace,
    *,
    seed: int,
) -> Any:
    """A ``lightgbm.Booster`` on X (n, p), y in {0, 1}, after the rounds of ``setting``."""
    preset = setting.preset
    parameters = _SHARED | _PRESETS[preset] | _PACES[pace][preset]
    parameters |= {"min_data_in_leaf": _leaf_floor(len(y), preset), "seed": seed}
    data = lightgbm().Dataset(X, y, weight=weight, free_raw_data=True)
    return lightgbm().train(parameters, data, num_boost_round=setting.rounds(pace))


def tree_logits(booster: Any, X: FloatArray, rounds: int) -> FloatArray:
    """Log odds after the first ``rounds`` rounds for rows X (n, p)."""
    values = booster.predict(X, raw_score=True, num_iteration=rounds, num_threads=1)
    return np.asarray(values, dtype=np.float64)


def load_trees(text: str) -> Any:
    """A booster from LightGBM's text format."""
    return lightgbm().Booster(model_str=text)


def load_together(texts: Sequence[str]) -> Any | None:
    """One booster with the trees of several, so that its raw score is their sum.

    None where this build of LightGBM cannot do it.
    """
    whole, *others = map(load_trees, texts)
    try:
        from lightgbm.basic import _LIB  # noqa: PLC0415 - heavy

        codes = [_LIB.LGBM_BoosterMerge(whole._handle, other._handle) for other in others]
    except (ImportError, AttributeError, ctypes.ArgumentError):
        return None
    return None if any(codes) else whole


class RowScorer:
    """The weighted sum of the raw scores of some boosters, for single rows, one at a time.

    ``use``: what the boosters see of a row; ``more`` numbers come behind it. Uses LightGBM's
    single-row interface on one thread, about 10 us a booster; falls back to ``Booster.predict``
    (the same numbers, about 30 us) where this build of LightGBM does not offer it.
    """

    def __init__(
        self, boosters: Sequence[Any], shares: Sequence[float], use: IntArray, more: int = 0
    ) -> None:
        self._boosters, self._shares, self._use = list(boosters), list(shares), use
        width = len(use) + more
        self._buffer = np.empty(width)
        self._features, self._rest = self._buffer[: len(use)], self._buffer[len(use) :]
        self._out = ctypes.c_double()
        self._length = ctypes.c_int64()
        self._pointer = ctypes.c_void_p(self._buffer.ctypes.data)
        self._refs = (ctypes.byref(self._length), ctypes.byref(self._out))
        self._configs: list[Any] = []
        for booster in self._boosters:
            config = self._open(booster, width)
            if config is None:
                break
            self._configs.append(config)
        self._fast = len(self._configs) == len(self._boosters)

    def _open(self, booster: Any, width: int) -> Any:
        try:
            from lightgbm.basic import _LIB  # noqa: PLC0415 - heavy

            config = ctypes.c_void_p()
            code = _LIB.LGBM_BoosterPredictForMatSingleRowFastInit(
                booster._handle, 1, 0, -1, 1, width, b"num_threads=1", ctypes.byref(config)
            )
            self._call = _LIB.LGBM_BoosterPredictForMatSingleRowFast
            self._free = _LIB.LGBM_FastConfigFree
        except (ImportError, AttributeError, ctypes.ArgumentError):
            return None
        return config if code == 0 else None

    def __call__(self, x: FloatArray, more: FloatArray | None = None) -> float:
        """The sum (log odds) for one row x (p,), with ``more`` behind it."""
        x.take(self._use, None, self._features, "clip")
        if len(self._rest):
            self._rest[:] = more
        if not self._fast:
            row = self._buffer[None, :]
            raws = (b.predict(row, raw_score=True, num_threads=1)[0] for b in self._boosters)
            return sum(s * float(raw) for s, raw in zip(self._shares, raws, strict=True))
        total, pointer, (length, out) = 0.0, self._pointer, self._refs
        for share, config in zip(self._shares, self._configs, strict=True):
            if self._call(config, pointer, length, out) != 0:
                raise RuntimeError("LightGBM refused to score a row")
            total += share * self._out.value
        return total

    def __del__(self) -> None:
        for config in getattr(self, "_configs", ()):
            self._free(config)
