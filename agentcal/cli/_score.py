"""`agentcal score`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agentcal.cli._shared import (
    AsJson,
    Format,
    Model,
    Runs,
    Tools,
    compared,
    declared,
    opened,
    reading,
)

if TYPE_CHECKING:
    from agentcal.calibration import Calibrator, Confidence, Reason
    from agentcal.trajectory import Trajectory

    Scored = tuple[Confidence, list[Reason]]


def score(
    model: Model,
    runs: Runs,
    reasons: Annotated[bool, typer.Option("--reasons", help="Say what moved each score.")] = False,
    top: Annotated[int, typer.Option(min=1, max=20, help="How many reasons.")] = 3,
    tools: Tools = None,
    run_format: Format = "auto",
    as_json: AsJson = False,
) -> None:
    """Print the confidence at every decision point.

    Outcomes are not needed, and runs that are still going on can be scored too.
    """
    from agentcal.calibration import Calibrator

    calibrator = Calibrator.load(model)
    for run in compared(declared(reading(opened(runs, run_format)), tools), calibrator):
        points = _scored(calibrator, run, top if reasons else 0)
        if as_json:
            _print_json(run, points, reasons)
        else:
            _print_table(run, points)


def _scored(calibrator: Calibrator, run: Trajectory, top: int) -> Iterator[Scored]:
    from agentcal.features import decision_points

    for point in decision_points(run):
        known = {"agent": run.agent, "model": run.model, "family": run.family}
        confidence = calibrator.predict(point, **known)
        why = calibrator.reasons(point, top=top, run=run, **known) if top else []
        yield confidence, why


def _print_json(run: Trajectory, points: Iterator[Scored], reasons: bool) -> None:
    """One JSON line for each decision point."""
    for confidence, why in points:
        line: dict[str, Any] = {"run_id": run.run_id, **confidence.to_json()}
        if reasons:
            line["reasons"] = [
                {"text": r.text, "feature": r.feature, "effect": r.effect} for r in why
            ]
        typer.echo(json.dumps(line))


def _print_table(run: Trajectory, points: Iterator[Scored]) -> None:
    outcome = "" if run.outcome is None else f", outcome {run.outcome.value:g}"
    typer.echo(f"\n{run.run_id}{outcome}")
    for c, why in points:
        where = "finished" if c.kind == "finished" else f"turn {c.turn}"
        known = "" if c.supported else "  unlike anything seen in fitting"
        typer.echo(f"  {where:<9}{c.value:>5.2f}  [{c.low:.2f}, {c.high:.2f}]  {c.kind}{known}")
        for reason in why:
            typer.echo(f"           {reason.effect:+.2f}  {reason.text}")
