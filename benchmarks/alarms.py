"""Alarms on real runs, next to others: ``python -m benchmarks.alarms --data DIR --json FILE``.

Every seed draws problems to calibrate on and others to test on. Without ``pip install e-valuator``
its rows are left out. ``python -m benchmarks.alarms_table`` writes the page from the figures.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console
from rich.progress import Progress

from benchmarks.alarms_data import DATA, Scored, held_out, load
from benchmarks.alarms_methods import METHODS, Fitted, available
from benchmarks.alarms_table import markdown

CALIBRATE, TEST = 1500, 1500
Row = dict[str, Any]


class Seen(NamedTuple):
    """What one alarm did in one draw.

    On the test problems, but for ``rest``: false alarms on all problems that it was not fitted on.
    ``early``: failing runs flagged before their last step; ``seen``: how much of a failing run is
    over when it is flagged.
    """

    false_alarm: float
    power: float
    early: float
    seen: float
    rest: float


def measure(fitted: Fitted, test: Scored, rest: Scored) -> Seen:
    first = firsts(fitted, test)
    length = np.array([len(values) for values in test.scores])
    failing = ~test.solved
    caught = failing & (first > 0)
    return Seen(
        false_alarm=float((first[test.solved] > 0).mean()),
        power=float((first[failing] > 0).mean()),
        early=float((caught & (first < length))[failing].mean()),
        seen=float((first / length)[caught].mean()) if caught.any() else float("nan"),
        rest=float((firsts(fitted, rest.only(np.flatnonzero(rest.solved))) > 0).mean()),
    )


def firsts(fitted: Fitted, runs: Scored) -> np.ndarray[Any, np.dtype[np.intp]]:
    """The step, from 1, at which each run is flagged; 0 where it never is."""
    beyond = [values > fitted.threshold for values in fitted.statistic(runs)]
    return np.array([int(b.argmax()) + 1 if b.any() else 0 for b in beyond])


def run(
    name: str, runs: Scored, methods: Sequence[str], seeds: int, bar: Progress
) -> Iterator[Row]:
    """One row an alarm, over the seeds."""
    found: dict[tuple[str, str, float], list[Seen]] = {}
    speeds: dict[str, float] = {}
    task = bar.add_task(name, total=seeds)
    for seed in range(seeds):
        order = np.random.default_rng(seed).permutation(len(runs.problems))
        calibrate, rest = runs.only(order[:CALIBRATE]), runs.only(order[CALIBRATE:])
        test = rest.only(np.arange(min(TEST, len(rest.problems))))
        for method in methods:
            for fitted in METHODS[method](calibrate, seed):
                key = (fitted.method, fitted.kind, fitted.alpha)
                found.setdefault(key, []).append(measure(fitted, test, rest))
                if fitted.method not in speeds:
                    speeds[fitted.method] = fitted.speed(test)
        bar.advance(task)
    for (method, kind, alpha), draws in found.items():
        head = {"data": name, "alpha": alpha, "method": method, "promise": kind, "seeds": seeds}
        yield head | summary(alpha, draws) | {"rows_per_second": round(speeds[method])}


def summary(alpha: float, draws: Sequence[Seen]) -> Row:
    """Means over the draws, the middle 90% of them, and in how many ``alpha`` is exceeded."""
    row: Row = {}
    for field in ("false_alarm", "power"):
        values = [getattr(draw, field) for draw in draws]
        row[field] = float(np.mean(values))
        row[field + "_low"], row[field + "_high"] = np.quantile(values, [0.05, 0.95]).tolist()
    known = [draw.seen for draw in draws if not np.isnan(draw.seen)]
    row["early"] = float(np.mean([draw.early for draw in draws]))
    row["seen"] = float(np.mean(known)) if known else None
    row["exceeded"] = sum(draw.rest > alpha for draw in draws)
    return row


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder of labelled runs")
    parser.add_argument("--json", type=Path, required=True, help="where the rows go")
    parser.add_argument("--seeds", type=int, default=20, help="draws of problems; default 20")
    options = parser.parse_args(arguments)
    console = Console(stderr=True)
    rows: list[Row] = []
    methods = available()
    if "e-valuator" not in methods:
        console.print("e-valuator is not installed (pip install e-valuator): its rows are left out")
    with Progress(console=console) as bar:
        for name in DATA:
            runs = held_out(load(options.data, name))
            rows += run(name, runs, methods, options.seeds, bar)
            options.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    print(markdown(rows))
    console.print(f"rows written to {options.json}")


if __name__ == "__main__":
    main()
