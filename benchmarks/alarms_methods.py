"""Alarms side by side: agentcal's, the plain lowest score, and e-valuator's if it is installed."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

import agentcal.sequential as alarms
from benchmarks.alarms_data import Scored

ALPHAS = (0.05, 0.1, 0.2)
SURE, MEAN = "95% sure", "on average"
Floats = NDArray[np.float64]


class Promise(NamedTuple):
    """At most ``rate`` of successful runs are flagged, with probability ``confidence``."""

    rate: float
    confidence: float


def promise(kind: str, alpha: float) -> Promise:
    """The two kinds compared: ours, and how e-valuator divides ``alpha`` by default.

    .9 alpha with confidence 1 - .1 alpha holds the false alarms at alpha on average.
    """
    return Promise(alpha, 0.95) if kind == SURE else Promise(0.9 * alpha, 1 - 0.1 * alpha)


class Fitted(NamedTuple):
    """An alarm fitted for one promise: it sounds at the first step with more than ``threshold``."""

    method: str
    kind: str
    alpha: float
    threshold: float
    statistic: Callable[[Scored], list[Floats]]
    """Of each run, a number a step."""
    speed: Callable[[Scored], float]
    """Rows scored a second of CPU time."""


def ours(runs: Scored, seed: int) -> Iterator[Fitted]:
    for kind in (SURE, MEAN):
        for alpha in ALPHAS:
            wanted = promise(kind, alpha)
            bound = alarms.fit_alarm(
                runs.scores,
                runs.solved.tolist(),
                runs.problems,
                false_alarm_rate=wanted.rate,
                confidence=wanted.confidence,
                seed=seed,
            )
            statistic, speed = _of_bound(bound)
            yield Fitted("agentcal", kind, alpha, bound.threshold, statistic, speed)


def _of_bound(bound: alarms.AlarmBound) -> tuple[Any, Any]:
    def statistic(runs: Scored) -> list[Floats]:
        return [np.array(list(_running(bound.watch(), values))) for values in runs.scores]

    def read(runs: Scored) -> None:
        for values in runs.scores:
            bound.running(values)

    return statistic, _timed(read)


def _running(watch: alarms.Watch, values: list[float]) -> Iterator[float]:
    for value in values:
        watch.push(value)
        yield watch.score


def lowest(runs: Scored, seed: int) -> Iterator[Fitted]:
    """The lowest score so far, bounded by all successful runs: nothing is learnt."""

    def statistic(some: Scored) -> list[Floats]:
        return [-np.minimum.accumulate(values) for values in some.scores]

    highest = np.sort([values[-1] for values in statistic(runs.only(np.flatnonzero(runs.solved)))])
    for alpha in ALPHAS:
        rate, confidence = promise(SURE, alpha)
        beyond = np.arange(len(highest))
        allowed = binom.cdf(beyond, len(highest), rate) <= 1 - confidence
        threshold = float(highest[len(highest) - 1 - beyond[allowed].max()])
        yield Fitted("lowest score", SURE, alpha, threshold, statistic, _timed(statistic))


def e_valuator(runs: Scored, seed: int) -> Iterator[Fitted]:
    """Version 1.0, as it comes, and with its parts of alpha chosen so that the promise is ours."""
    from evaluator import EValuator  # noqa: PLC0415 - not a dependency

    name = f"e-valuator {importlib.metadata.version('e-valuator')}"
    table = frame(runs)

    def fitted(**settings: Any) -> Any:
        model = EValuator(mt_variant="PAC", random_state=seed, **settings)
        model.fit(table)
        return model

    model = fitted(alphas=list(ALPHAS))

    def statistic(some: Scored) -> list[Floats]:
        return e_values(model, some)

    speed = _timed(model.apply, prepare=frame)
    for alpha in ALPHAS:
        yield Fitted(name, MEAN, alpha, model.thresholds[alpha], statistic, speed)
    for alpha in ALPHAS:
        total = alpha + 0.05
        same = fitted(alphas=[total], alpha_delta_weights=(alpha / total, 0.05 / total))
        yield Fitted(name, SURE, alpha, same.thresholds[total], statistic, speed)


METHODS = {"agentcal": ours, "lowest score": lowest, "e-valuator": e_valuator}


def available() -> list[str]:
    """The methods that can be run here."""
    known = importlib.util.find_spec("evaluator") is not None
    return [name for name in METHODS if name != "e-valuator" or known]


def frame(runs: Scored) -> Any:
    """The runs as e-valuator wants them."""
    import pandas as pd  # noqa: PLC0415 - comes with e-valuator

    return pd.DataFrame(
        [
            (problem, step, values[:step], int(solved))
            for problem, values, solved in zip(runs.problems, runs.scores, runs.solved, strict=True)
            for step in range(1, len(values) + 1)
        ],
        columns=["uq_problem_idx", "num_steps", "judge_probability_series", "solved"],
    )


def e_values(model: Any, runs: Scored) -> list[Floats]:
    """What ``model.apply`` puts into its column ``PAC_e_val``, all runs of a length at once."""
    values = [np.ones(len(scores)) for scores in runs.scores]
    for step in range(1, max(map(len, runs.scores)) + 1):
        which = [i for i, scores in enumerate(runs.scores) if len(scores) >= step]
        if step not in model.step_models_split:
            for i in which:
                values[i][step - 1] = values[i][step - 2]
            continue
        X = np.array([runs.scores[i][:step] for i in which])
        scaled = model.step_scalers_split[step].transform(X)
        p = np.clip(model.step_models_split[step].predict_proba(scaled), 1e-6, 1 - 1e-6)
        base = model.step_base_probs_split[step]
        ratio = p[:, 0] / p[:, 1] * (base["p1"] / base["p0"])
        for i, value in zip(which, ratio, strict=True):
            values[i][step - 1] = value
    return values


def _timed(
    read: Callable[[Any], object], prepare: Callable[[Scored], Any] = lambda runs: runs
) -> Callable[[Scored], float]:
    def speed(runs: Scored) -> float:
        given, best = prepare(runs), np.inf
        for _ in range(3):
            started = time.process_time()
            read(given)
            best = min(best, time.process_time() - started)
        return runs.rows / best

    return speed
