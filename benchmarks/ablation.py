"""What each feature family adds: ``python -m benchmarks.ablation --data DIR --json FILE``.

Each family alone, all of them, and all but it, on unseen groups, finished and half-way. A protocol
is written to FILE as soon as it is done: stop at any time and go on with ``--protocol``.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from rich.console import Console
from rich.progress import Progress

import agentcal as ac
from agentcal.calibration import COLUMNS, FAMILY_OF_COLUMN
from agentcal.calibration._columns import fingerprint
from agentcal.calibration._described import describe
from agentcal.calibration._numeric import log_losses, sigmoid
from agentcal.calibration._table import KIND_CODE, Table, build_table
from agentcal.metrics import auroc, auroc_within, brier, group_bootstrap
from benchmarks.ablation_learner import INNER_FOLDS, Floats, Mask, differs, log_odds, varies
from benchmarks.family_cost import microseconds
from benchmarks.protocols import PROTOCOLS, Protocol, Runs

ABLATED = ("dojo-tasks", "dojo-agents", "tau-tasks", "local-tasks")
FAMILY_NAMES = tuple(dict.fromkeys(FAMILY_OF_COLUMN.values()))
OWNER = np.array([FAMILY_OF_COLUMN[feature.name] for feature in COLUMNS])
HALF = 0.5
OTHER_SEEDS = (1, 2, 3)
RARE = ("confidence", "injection", "agents", "budget")
"""Families that have something to say only of some runs: they are left out together as well."""
TOGETHER = " + ".join(RARE)

Role = Literal["base rate", "all", "all, other seed", "alone", "without"]
AGAINST: dict[Role, Role] = {
    "all": "base rate",
    "all, other seed": "all",
    "alone": "base rate",
    "without": "all",
}


@dataclass(frozen=True, slots=True)
class Columns:
    """What one fit may look at: ``use`` (p,). ``family`` is the one that is alone, or left out."""

    role: Role
    use: Mask
    family: str | None = None
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Subject:
    """The runs of a protocol as a table, and how they are split.

    ``part`` (r,) is the held-out part that a run belongs to, ``cluster`` (r,) what intervals are
    over, ``seen`` which rows (n,) are scored. ``X`` (n, p + q): all columns, those of the reference
    fitted without the part of the row.
    """

    name: str
    table: Table
    part: Floats
    parts: list[str]
    cluster: list[str]
    seen: dict[str, Mask]
    X: Floats


def prepare(protocol: Protocol, runs: Runs) -> Subject:
    """Fold the runs once; every fit cuts its columns from this table."""
    table = build_table(runs, group=protocol.group, thin=False)
    if table.left_out:
        raise SystemExit(f"{protocol.name}: every run must count, but {table.left_out} do not")
    part, parts = np.full(len(runs), -1.0), []
    for number, (name, held) in enumerate(protocol.split(runs)):
        part[held] = number
        parts.append(name)
    cluster = [protocol.group(run) for run in runs]
    X = describe(table, part >= 0, part.astype(np.int64)).X
    return Subject(protocol.name, table, part, parts, cluster, _seen(table), X)


def _seen(table: Table) -> dict[str, Mask]:
    """The decision point number max(1, ceil(K / 2)) of K, and the finished run."""
    finished = table.kind == KIND_CODE["finished"]
    points = np.bincount(table.run[~finished], minlength=len(table.y))
    half = np.maximum(1, np.ceil(HALF * points))
    return {"50%": ~finished & (table.turn == half[table.run]), "final": finished}


def of_family(name: str) -> Mask:
    """The columns (p,) of one family."""
    return np.asarray(name == OWNER, dtype=bool)


def column_sets(families: Sequence[str], live: Mask) -> Iterator[Columns]:
    """Base rate, all, all with other seeds (what chance alone does), each alone, all but each.

    A family without a live column has nothing to be fitted to, and has no set of its own.
    """
    mine = np.isin(OWNER, families)
    yield Columns("base rate", np.zeros(len(OWNER), dtype=bool))
    yield Columns("all", mine)
    for seed in OTHER_SEEDS:
        yield Columns("all, other seed", mine, seed=seed)
    for family in families:
        own = of_family(family)
        if (live & own).any():
            yield Columns("alone", own, family)
            yield Columns("without", mine & ~own, family)
    if set(RARE) < set(families):
        yield Columns("without", mine & ~np.isin(OWNER, RARE), TOGETHER)


def ablate(
    subject: Subject, bar: Progress, families: Sequence[str] = FAMILY_NAMES
) -> list[dict[str, Any]]:
    """One row of figures for each ``seen`` and each set of columns."""
    wanted = np.any(list(subject.seen.values()), axis=0)
    live = varies(subject.X[wanted])
    sets = list(column_sets(families, live))
    task = bar.add_task(subject.name, total=len(sets) * len(subject.parts))
    losses: dict[tuple[str, Role], Floats] = {}
    rows = []
    for columns in sets:
        z = np.full(len(subject.table.X), np.nan)
        for number in range(len(subject.parts)):
            held = subject.part == number
            rows_of = wanted & held[subject.table.run]
            z[rows_of] = log_odds(subject.table, ~held, rows_of, columns.use, seed=columns.seed)[
                rows_of
            ]
            bar.advance(task)
        for seen, mask in subject.seen.items():
            loss = log_losses(z[mask], subject.table.labels[mask])
            losses.setdefault((seen, columns.role), loss)
            reference = losses.get((seen, AGAINST.get(columns.role, columns.role)), loss)
            rows.append(_figures(subject, seen, columns, z[mask], loss - reference))
    return rows


def _figures(
    subject: Subject, seen: str, columns: Columns, z: Floats, difference: Floats
) -> dict[str, Any]:
    runs = subject.table.run[subject.seen[seen]]
    y, p = subject.table.y[runs], sigmoid(z)
    cluster = np.array(subject.cluster)[runs]
    row: dict[str, Any] = {
        "seen": seen,
        "role": columns.role,
        "family": columns.family,
        "seed": columns.seed,
        "n": len(y),
        "groups": len(set(cluster.tolist())),
        "log_loss": float(log_losses(z, y).mean()),
        "brier": brier(p, y),
        "auroc": auroc(p, y),
        "auroc_within": auroc_within(p, y, subject.part[runs]),
    }
    if columns.role in AGAINST:
        paired = group_bootstrap(_mean, difference, group=cluster)
        row |= {"difference": paired.value, "low": paired.low, "high": paired.high}
    return row


def _mean(values: Floats) -> float:
    return float(values.mean())


def columns_by_family(
    subject: Subject, test: Callable[[Floats], Mask]
) -> dict[str, dict[str, int]]:
    """How many columns of each family pass the test among the scored rows of each ``seen``."""
    passed = {seen: test(subject.X[mask]) for seen, mask in subject.seen.items()}
    return {
        seen: {family: int(columns[of_family(family)].sum()) for family in FAMILY_NAMES}
        for seen, columns in passed.items()
    }


def _run(protocol: Protocol, runs: Runs, bar: Progress) -> dict[str, Any]:
    started = time.perf_counter()
    subject = prepare(protocol, runs)
    rows = ablate(subject, bar)
    return {
        "runs": len(runs),
        "success_rate": float(subject.table.y.mean()),
        "held_out": subject.parts,
        "live_columns": columns_by_family(subject, varies),
        "valued_columns": columns_by_family(subject, differs),
        "cost_us": microseconds(runs),
        "rows": rows,
        "seconds": round(time.perf_counter() - started),
    }


def _conditions() -> dict[str, Any]:
    columns = {family: int(of_family(family).sum()) for family in FAMILY_NAMES}
    return {
        "agentcal": ac.__version__,
        "features": fingerprint(),
        "columns": columns,
        "inner_folds": INNER_FOLDS,
        "difference": "log loss in nats: alone - base rate, all - base rate, without - all",
        "interval": "95%, percentile bootstrap of groups, 1000 draws",
    }


def write(path: Path, name: str, figures: dict[str, Any]) -> None:
    """Put one protocol into the file; what others left there stays if the features are the same."""
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    conditions = _conditions()
    kept = known.get("protocols", {}) if known.get("conditions") == conditions else {}
    merged = kept | {name: figures}
    ordered = {p.name: merged[p.name] for p in PROTOCOLS if p.name in merged}
    text = json.dumps({"conditions": conditions, "protocols": ordered}, indent=1)
    path.write_text(text + "\n", encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder of labelled runs")
    parser.add_argument("--protocol", action="append", choices=ABLATED)
    parser.add_argument("--json", type=Path, required=True, help="where the figures go")
    options = parser.parse_args(arguments)
    console = Console(stderr=True)
    try:
        with Progress(console=console) as bar:
            for protocol in PROTOCOLS:
                if protocol.name in (options.protocol or ABLATED):
                    figures = _run(protocol, protocol.load(options.data), bar)
                    write(options.json, protocol.name, figures)
                    console.print(f"{protocol.name}: {figures['seconds']} s")
    except KeyboardInterrupt:
        console.print(f"stopped; what was finished is in {options.json}")
        raise SystemExit(130) from None
    console.print(f"figures written to {options.json}; now python -m benchmarks.ablation_table")


if __name__ == "__main__":
    main()
