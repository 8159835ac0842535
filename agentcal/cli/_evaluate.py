"""`agentcal evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agentcal._progress import track
from agentcal.cli._fit import Group
from agentcal.cli._shared import (
    AsJson,
    Format,
    Model,
    Runs,
    SuccessAt,
    Tools,
    compared,
    declared,
    folder,
    opened,
    reading,
)

if TYPE_CHECKING:
    from agentcal.evaluation import ScoredRuns


def evaluate(
    model: Model,
    runs: Runs,
    group: Annotated[
        Group | None, typer.Option(help="What intervals are over. Default: as it was fitted.")
    ] = None,
    success_at: SuccessAt = None,
    level: Annotated[float, typer.Option(metavar="SHARE", help="Of the intervals.")] = 0.95,
    baselines: Annotated[bool, typer.Option(help="Base rate and stated confidence too.")] = True,
    plots: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Draw reliability.png and risk_coverage.png there."),
    ] = None,
    tools: Tools = None,
    run_format: Format = "auto",
    as_json: AsJson = False,
) -> None:
    """Say how good a calibrator is on other runs.

    They must have outcomes. Those that it learnt from, and others of their groups, are left out: on
    them every calibrator shines.
    """
    from agentcal.calibration import Calibrator
    from agentcal.evaluation import assess, score_runs

    where = None if plots is None else folder(plots, "pictures")
    calibrator = Calibrator.load(model)
    found = compared(declared(reading(opened(runs, run_format)), tools), calibrator)
    scored = score_runs(
        calibrator,
        track(found, "scoring"),
        group=None if group is None else group.value,
        success_at=success_at,
    )
    evaluation = assess(scored, baselines=baselines, level=level)
    pictures = [] if where is None else draw(scored, where)
    if as_json:
        typer.echo(evaluation.model_dump_json())
        return
    from rich.console import Console

    Console().print(evaluation)
    for picture in pictures:
        typer.echo(f"Drew {picture}")


def draw(scored: ScoredRuns, where: Path) -> list[Path]:
    """Reliability of the finished runs, and risk against coverage; the files."""
    from agentcal.report import reliability_diagram, risk_coverage, save

    own, early, stated = scored.predictions(), scored.predictions("25%"), scored.stated()
    curves = {"agentcal": (own.p, own.y)}
    if early.p.size:
        curves["agentcal, a quarter into the run"] = (early.p, early.y)
    if stated.p.size:
        curves["stated confidence"] = (stated.p, stated.y)
    reliability = reliability_diagram(own.p, own.y, own.group)
    return [
        save(reliability, where / "reliability.png"),
        save(risk_coverage(curves), where / "risk_coverage.png"),
    ]
