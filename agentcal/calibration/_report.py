"""How good a calibrator is on groups that it has not seen, by nested cross-validation."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from agentcal.calibration._folds import assign_folds
from agentcal.calibration._heads import (
    OBSERVABLE,
    FittedHeads,
    Plan,
    fit_heads,
    has_logprobs,
    predict_rows,
)
from agentcal.calibration._numeric import base_logit, sigmoid
from agentcal.calibration._table import KINDS, Table
from agentcal.metrics import Summary, summarise

FloatArray = NDArray[np.float64]


class StageReport(BaseModel):
    """Nested Brier score, mean over groups, without and with a stage; whether it was admitted."""

    model_config = ConfigDict(extra="forbid")

    stage: str
    without: float
    with_it: float
    admitted: bool


class HeadReport(BaseModel):
    """What one head is made of and why."""

    model_config = ConfigDict(extra="forbid")

    name: str
    rows: int
    groups: int
    made_of: str
    calibration: str
    pull: float
    borrowed: bool
    stages: list[StageReport]


class ScoreReport(BaseModel):
    """Scores of one method on one kind of decision point."""

    model_config = ConfigDict(extra="forbid")

    kind: str
    method: str
    summary: Summary


class FitReport(BaseModel):
    """What ``fit`` learnt from, and how good the result is on unseen groups.

    ``scores`` come from nested cross-validation: every choice is made again inside each outer fold,
    with the same grouping. Empty where that was switched off or too few groups are there.
    ``left_out`` counts the runs that taught nothing, by reason. ``changed``: in so many of the
    ``runs`` somebody edited, rejected, answered or checked what the agent proposed, and their
    outcome is the one with that help.
    """

    model_config = ConfigDict(extra="forbid")

    runs: int
    groups: int
    success_rate: float
    left_out: dict[str, int]
    signals: list[str]
    heads: list[HeadReport]
    scores: list[ScoreReport]
    notes: list[str]
    changed: int = 0

    def __str__(self) -> str:
        lines = [
            f"{self.runs} runs in {self.groups} groups, {self.success_rate:.0%} successful; "
            f"signals: {', '.join(self.signals)}"
        ]
        lines += [f"left out: {n} runs ({why})" for why, n in self.left_out.items()]
        if self.changed:
            lines.append(f"changed by somebody, and judged as they then went: {self.changed} runs")
        lines += [f"note: {note}" for note in self.notes]
        if self.scores:
            lines += ["", "On groups never seen (nested cross-validation, 95% intervals):"]
            lines.append(
                _ROW.format("decision", "method", "Brier", "log loss", "AUROC", "cal. error")
            )
            lines += [_score_line(score) for score in self.scores]
        lines += ["", "Made of:"]
        lines += [
            f"  {head.name:<24}{head.made_of}, {head.calibration} ({head.rows} rows)"
            for head in self.heads
        ]
        return "\n".join(lines)


_ROW = "  {:<13}{:<22}{:<23}{:<23}{:<23}{}"


def _score_line(score: ScoreReport) -> str:
    s = score.summary
    error = f"{s.ce}" if s.ce else "-"
    if s.ce_null_grouped is not None:
        error += f" (perfect: up to {s.ce_null_grouped.high:.3f})"
    cells = [str(value) if value else "-" for value in (s.brier, s.log_loss, s.auroc)]
    return _ROW.format(score.kind, score.method, *cells, error)


def head_reports(fitted: FittedHeads) -> list[HeadReport]:
    """The heads as the report shows them."""
    return [
        HeadReport(
            name=name,
            rows=head.rows,
            groups=head.groups,
            made_of=head.describe(),
            calibration=head.curves.method,
            pull=head.pull,
            borrowed=name in fitted.borrowed,
            stages=[
                StageReport(
                    stage=a.stage, without=a.without, with_it=a.with_it, admitted=a.admitted
                )
                for a in fitted.evidence[name].admissions
            ],
        )
        for name, head in fitted.heads.items()
    ]


def nested_scores(
    table: Table, signals: list[str], plan: Plan, advance: Callable[[], None]
) -> list[ScoreReport]:
    """Refit everything in each outer fold, score the runs left out, summarise by kind."""
    outer = assign_folds(table.y, table.group, plan.folds, plan.seed + 1)
    methods = {name: np.full(len(table.X), np.nan) for name in ("agentcal", "base rate")}
    blind = len(signals) > 1
    if blind:
        methods["without log-probs"] = np.full(len(table.X), np.nan)
    for number in np.unique(outer):
        train = outer != number
        held = ~train[table.run]
        if len(np.unique(table.y[train])) < 2 or len(np.unique(table.group[train])) < 2:
            continue
        fitted = fit_heads(table, train, signals, plan, advance)
        heads, X = fitted.heads, fitted.described.X
        methods["agentcal"][held] = predict_rows(heads, table, X, held)[held]
        if blind:
            blinded = predict_rows(heads, table, X, held, OBSERVABLE)
            methods["without log-probs"][held] = blinded[held]
        rate = sigmoid(np.array([base_logit(table.y[train], np.ones(int(train.sum())))]))
        methods["base rate"][held] = rate[0]
    return _summaries(table, methods, outer, blind)


def _summaries(
    table: Table, methods: dict[str, FloatArray], outer: NDArray[np.int64], blind: bool
) -> list[ScoreReport]:
    scores = []
    carrying = has_logprobs(table.X)
    if blind and not carrying.all():
        # Beside "without log-probs" belongs the same calibrator on the same rows.
        methods["with log-probs"] = np.where(carrying, methods["agentcal"], np.nan)
    if blind:
        blinded = methods.pop("without log-probs")
        methods["without log-probs"] = np.where(carrying, blinded, np.nan)
    for code, kind in enumerate(KINDS):
        for method, p in methods.items():
            rows = (table.kind == code) & ~np.isnan(p)
            if not rows.any():
                continue
            runs = table.run[rows]
            summary = summarise(p[rows], table.y[runs], table.group[runs], fold=outer[runs])
            scores.append(ScoreReport(kind=kind, method=method, summary=summary))
    return scores
