"""What gates would have done: ``python -m benchmarks.replay --data DIR --json FILE``.

In each fold of a protocol a calibrator is fitted on half of the training tasks and policies are
certified on the other half; they are replayed on the tasks that were held out. A protocol is
written to FILE as soon as it is done.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import Progress

import agentcal as ac
from agentcal.policy import Alarm, CostTarget, Policy, RiskTarget, Tier
from agentcal.replays import (
    ALWAYS,
    CALIBRATOR,
    Figures,
    RecordedRun,
    Rivals,
    Stop,
    beside,
    by_family,
    by_tool,
    curves,
    reach_of,
    walk_runs,
)
from benchmarks.protocols import PROTOCOLS, Protocol, Runs

REPLAYED = ("dojo-tasks", "tau-tasks")
RATES = (0.05, 0.10, 0.20)
SHARES = (0.05, 0.10, 0.20)
FITTED_ON = 0.5
"""Of the training tasks; the policies are certified on the others. An alarm at 0.10 takes 29."""
LEVEL, SEED = 0.95, 0
BROKEN_DOWN = "CostTarget()"
"""The policy whose stops are told by tool and by kind of task."""

Stops = Sequence[Stop | None]


@dataclass
class Tried:
    """One policy over all folds: where it stopped each run, and what certifying said."""

    reach: frozenset[Tier]
    stops: list[Stop | None] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    certified: list[bool] = field(default_factory=list)
    """One a run: whether the policy of its fold has a promise."""


@dataclass
class Pooled:
    """The held-out runs of all folds, in the order of the folds."""

    runs: list[RecordedRun] = field(default_factory=list)
    tried: dict[str, Tried] = field(default_factory=dict)
    folds: list[dict[str, Any]] = field(default_factory=list)

    def add(self, name: str, reach: frozenset[Tier], stops: Stops, told: str, holds: bool) -> None:
        tried = self.tried.setdefault(name, Tried(reach))
        tried.reach |= reach
        tried.stops += stops
        tried.told.append(told)
        tried.certified += [holds] * len(stops)


def run_protocol(protocol: Protocol, runs: Runs, bar: Progress) -> dict[str, Any]:
    """Every fold, then every policy beside its baselines on the runs of all folds."""
    pooled = Pooled()
    splits = list(protocol.split(runs))
    task = bar.add_task(protocol.name, total=len(splits))
    for name, held in splits:
        _fold(protocol, name, runs, held, pooled)
        bar.advance(task)
    return figures_of(pooled)


def _fold(protocol: Protocol, name: str, runs: Runs, held: Any, pooled: Pooled) -> None:
    train = [run for run, out in zip(runs, held, strict=True) if not out]
    to_fit, to_certify = _parted(protocol, train)
    test = [run for run, out in zip(runs, held, strict=True) if out]
    calibrator = ac.fit(to_fit, group=protocol.group, nested=False, progress=False)
    policies = dict(_policies(protocol, calibrator, to_certify))
    walked = walk_runs(
        calibrator, policies, test, tiers=next(iter(policies.values())).tiers, group=protocol.group
    )
    assert not walked.left_out, walked.left_out
    for policy_name, policy in policies.items():
        told, holds = _told(policy)
        pooled.add(policy_name, reach_of(policy), walked.stops[policy_name], told, holds)
    for policy_name, reach, stops in _budgets(walked.runs):
        pooled.add(policy_name, reach, stops, "", True)
    pooled.runs += walked.runs
    parts = {"fit": to_fit, "certify": to_certify, "replay": test}
    pooled.folds.append({"fold": name, **{part: _size(protocol, r) for part, r in parts.items()}})


def _parted(protocol: Protocol, train: Runs) -> tuple[Runs, Runs]:
    """By task, drawn blind to score and outcome."""
    groups = sorted({protocol.group(run) for run in train})
    order = np.random.default_rng(SEED).permutation(len(groups))
    chosen = {groups[place] for place in order[: round(FITTED_ON * len(groups))]}
    return (
        [run for run in train if protocol.group(run) in chosen],
        [run for run in train if protocol.group(run) not in chosen],
    )


def _policies(
    protocol: Protocol, calibrator: ac.Calibrator, runs: Runs
) -> Iterator[tuple[str, Policy]]:
    for rate in RATES:
        yield f"RiskTarget({rate:.2f})", _certified(RiskTarget(rate), protocol, calibrator, runs)
    yield "Alarm(0.10)", _certified(Alarm(0.1), protocol, calibrator, runs)
    yield BROKEN_DOWN, Policy.of(CostTarget())


def _certified(
    rule: RiskTarget | Alarm, protocol: Protocol, calibrator: ac.Calibrator, runs: Runs
) -> Policy:
    try:
        return ac.certify(rule, calibrator, runs, group=protocol.group, seed=SEED, progress=False)
    except ac.NotEnoughData:  # too few groups: it stays as it is, and says so at every gate
        return Policy.of(rule)


def _told(policy: Policy) -> tuple[str, bool]:
    """What certifying said, and whether it gave a promise."""
    made, alarm = policy.certificate, policy.alarm
    if made is not None:
        return str(made.result), made.threshold is not None
    if alarm is not None and alarm.bound is not None:
        return f"fitted: sounds above rank {alarm.bound.rank} of {alarm.bound.n} good runs", True
    if alarm is not None or policy.risk_target is not None:
        return "not certified: too few groups", False
    return "", True


def _budgets(runs: Sequence[RecordedRun]) -> Iterator[tuple[str, frozenset[Tier], Stops]]:
    """The runs that the calibrator is least sure of, with limits chosen like the baselines'."""
    reach = reach_of(Policy.of(CostTarget()))
    rivals = Rivals(runs, reach, SEED)
    for share in SHARES:
        yield f"least sure {share:.0%}", reach, rivals.stops(CALIBRATOR, round(share * len(runs)))


def figures_of(pooled: Pooled) -> dict[str, Any]:
    """The rows of every policy; once more for the folds with a promise where some have none."""
    rivals = {
        tried.reach: Rivals(pooled.runs, tried.reach, SEED) for tried in pooled.tried.values()
    }
    usual = next(iter(rivals.values()))
    figures = Figures(pooled.runs, level=LEVEL, seed=SEED, confidence=LEVEL)
    return {
        "runs": len(pooled.runs),
        "groups": len({run.group for run in pooled.runs}),
        "failed": int(figures.failed.sum()),
        "folds": pooled.folds,
        "absent": usual.absent,
        "always": _always(figures, usual),
        "policies": [
            {"policy": name, "told": tried.told, "held": any(tried.certified), **part}
            for name, tried in pooled.tried.items()
            for part in _parts(pooled.runs, tried, rivals[tried.reach], figures)
        ],
        "by_tool": [row.model_dump() for row in by_tool(figures, pooled.tried[BROKEN_DOWN].stops)],
        "by_family": [
            row.model_dump() for row in by_family(figures, pooled.tried[BROKEN_DOWN].stops)
        ],
        "curves": [curve.model_dump() for curve in curves(figures, usual)],
    }


def _always(figures: Figures, rivals: Rivals) -> dict[str, Any] | None:
    if ALWAYS in rivals.absent:
        return None
    return figures.row(ALWAYS, "", rivals.always()).model_dump()


def _parts(
    runs: Sequence[RecordedRun], tried: Tried, rivals: Rivals, figures: Figures
) -> Iterator[dict[str, Any]]:
    yield {"over": "all folds", "rows": _rows(figures, tried.stops, rivals)}
    if 0 < sum(tried.certified) < len(runs):
        kept = [place for place, holds in enumerate(tried.certified) if holds]
        some = [runs[place] for place in kept]
        fewer = Figures(some, level=LEVEL, seed=SEED, confidence=LEVEL)
        stops = [tried.stops[place] for place in kept]
        yield {
            "over": "folds with a promise",
            "rows": _rows(fewer, stops, Rivals(some, tried.reach, SEED)),
        }


def _rows(figures: Figures, stops: Stops, rivals: Rivals) -> list[dict[str, Any]]:
    rows = [figures.row("policy", "", stops), *beside(figures, stops, rivals)]
    return [row.model_dump() for row in rows if row.method != ALWAYS]


def _size(protocol: Protocol, runs: Runs) -> dict[str, int]:
    return {"runs": len(runs), "groups": len({protocol.group(run) for run in runs})}


def write(path: Path, name: str, figures: dict[str, Any]) -> None:
    """Put one protocol into the file; the others stay."""
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    merged = known | {name: figures}
    ordered = {p.name: merged[p.name] for p in PROTOCOLS if p.name in merged}
    path.write_text(json.dumps(ordered, indent=1) + "\n", encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder of labelled runs")
    parser.add_argument("--protocol", action="append", choices=[p.name for p in PROTOCOLS])
    parser.add_argument("--json", type=Path, required=True, help="where the figures go")
    options = parser.parse_args(arguments)
    console = Console(stderr=True)
    with Progress(console=console) as bar:
        for protocol in PROTOCOLS:
            if protocol.name in (options.protocol or REPLAYED):
                started = time.perf_counter()
                figures = run_protocol(protocol, protocol.load(options.data), bar)
                write(options.json, protocol.name, figures)
                console.print(f"{protocol.name}: {time.perf_counter() - started:.0f} s")
    console.print(f"figures written to {options.json}; now python -m benchmarks.replay_table")


if __name__ == "__main__":
    main()
