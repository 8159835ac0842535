"""``fit``: labelled runs in, a calibrator out."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

import numpy as np

from agentcal._lightgbm import lightgbm
from agentcal._progress import steps
from agentcal._seen import Seen
from agentcal.calibration._calibrator import Calibrator, Settings, Status
from agentcal.calibration._columns import fingerprint
from agentcal.calibration._heads import FittedHeads, Plan, fit_heads, signal_sets
from agentcal.calibration._prior import shipped_prior
from agentcal.calibration._report import FitReport, head_reports, nested_scores
from agentcal.calibration._table import KINDS, GroupBy, Table, build_table
from agentcal.declarations import Watched
from agentcal.errors import ConfigError, NotEnoughData
from agentcal.trajectory import Trajectory

_FEWEST_RUNS = 10
_FEWEST_GROUPS = 2
_COMFORTABLE_GROUPS = 30


def fit(
    runs: Iterable[Trajectory],
    *,
    group: GroupBy = "task",
    success_at: float = 1.0,
    categoricals: Sequence[str] = (),
    folds: int = 5,
    nested: bool = True,
    prior: bool = True,
    seed: int = 0,
    workers: int | None = None,
    progress: bool = True,
) -> Calibrator:
    """Learn P(success) at every decision point from labelled runs.

    ``group``: what will be new at deployment: "task" (``run.group``, else the task text), "family",
    "agent", "model", or a function of a run. Runs of one group never straddle a fold.
    ``success_at`` in (0, 1]: the outcome value from which a run is a success. ``categoricals``:
    "agent", "model" and "family" (the kind of task) may be declared as known at deployment; nothing
    else of a run's identity is ever a feature.
    ``folds`` >= 2 for every cross-validation. ``nested``: measure the whole procedure on groups
    that it has not seen (about ``folds`` times the work) for ``calibrator.report``. ``prior``:
    offer the general prior that ships with agentcal as a stage. ``workers``: parallel threads, all
    cores by default.

    Stages are admitted only where grouped cross-validation says that they lower the Brier score of
    a new group: base rate, general prior, ridge logistic regression, LightGBM blended in log odds,
    and for these the columns that compare a run with successful ones; then Platt, beta or isotonic
    calibration out of fold.

    Left out, and counted in the report: runs without an outcome, and runs that a gate ended or left
    waiting, or that somebody cut short, for nobody knows how they would have gone on. Runs in which
    people edited or rejected something stay; see "Learning from runs that were gated" in
    docs/recording.md.

    Raises :class:`NotEnoughData` for fewer than 10 labelled runs, a single group or one class
    only, and :class:`ConfigError` for a setting outside its range.
    """
    if folds < 2:
        raise ConfigError(f"folds={folds}: cross-validation needs at least 2")
    watched = Watched(runs)
    table = build_table(watched, group=group, success_at=success_at, categoricals=categoricals)
    _check(table, success_at)
    signals = signal_sets(table)
    plan = Plan(folds, seed, workers or os.cpu_count() or 1, prior)
    total = len(signals) * len(KINDS) * (1 + (min(folds, len(table.groups)) if nested else 0))
    with steps(total, "fitting", show=progress) as advance:
        fitted = fit_heads(table, np.ones(len(table.y), dtype=bool), signals, plan, advance)
        scores = nested_scores(table, signals, plan, advance) if nested else []
    status, notes = _status(table, fitted, prior)
    report = FitReport(
        runs=len(table.y),
        groups=len(table.groups),
        success_rate=float(table.y.mean()),
        left_out=table.left_out,
        signals=signals,
        heads=head_reports(fitted),
        scores=scores,
        notes=notes,
        changed=table.changed,
    )
    settings = _settings(table, group, success_at, categoricals, plan, tools=watched.digest)
    return Calibrator(
        features=fingerprint(),
        settings=settings,
        status=status,
        notes=notes,
        reference=fitted.described.reference,
        heads=fitted.heads,
        report=report,
        seen=Seen.of(table.marks, table.groups),
    )


def _check(table: Table, success_at: float) -> None:
    runs, groups = len(table.y), len(table.groups)
    left_out = ", ".join(f"{n} {why}" for why, n in table.left_out.items())
    where = "a single group" if groups == 1 else f"{groups} groups"
    seen = f"{runs} labelled runs in {where}" + (f" ({left_out})" if left_out else "")
    if runs < _FEWEST_RUNS:
        raise NotEnoughData(f"{seen}: at least {_FEWEST_RUNS} are needed, about 100 to be useful")
    if table.y.min() == table.y.max():
        what = "succeeded" if table.y[0] else "failed"
        raise NotEnoughData(
            f"{seen}, and all of them {what} at success_at={success_at}: both outcomes are needed; "
            "check the labels or success_at"
        )
    if groups < _FEWEST_GROUPS:
        raise NotEnoughData(
            f"{seen}: at least {_FEWEST_GROUPS} groups are needed, because quality is measured on "
            "groups that were not trained on; set each run's group or give group=..."
        )


def _status(table: Table, fitted: FittedHeads, prior: bool) -> tuple[Status, list[str]]:
    notes = [
        f"{name} had too few rows of both outcomes and borrows those of the other kinds"
        for name in fitted.borrowed
    ]
    if prior and shipped_prior() is None:
        notes.append("the general prior was made for other features than these and was left out")
    if len(table.groups) < _COMFORTABLE_GROUPS:
        notes.append(
            f"only {len(table.groups)} groups: intervals are wide and choices uncertain; "
            f"aim for {_COMFORTABLE_GROUPS} or more"
        )
    if all(h.blend.describe() == "base rate" for h in fitted.heads.values()):
        notes.append("no feature lowered the Brier score: every score is the base rate")
    return ("DEGRADED" if notes else "VALID"), notes


def _settings(
    table: Table,
    group: GroupBy,
    success_at: float,
    categoricals: Sequence[str],
    plan: Plan,
    *,
    tools: str | None,
) -> Settings:
    from agentcal import __version__  # noqa: PLC0415 - the package imports this module lazily

    return Settings(
        group=group if isinstance(group, str) else "custom",
        success_at=success_at,
        categoricals=list(categoricals),
        seed=plan.seed,
        folds=plan.folds,
        agentcal_version=__version__,
        lightgbm_version=lightgbm().__version__,
        tools=tools,
    )
