"""`agentcal replay`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

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
    from agentcal.replays import Replay


def replay(
    model: Model,
    policy: Annotated[
        Path,
        typer.Argument(metavar="POLICY", help="A policy as saved, certified or written by hand."),
    ],
    runs: Runs,
    group: Annotated[
        Group | None, typer.Option(help="What intervals are over. Default: as it was fitted.")
    ] = None,
    success_at: SuccessAt = None,
    level: Annotated[float, typer.Option(metavar="SHARE", help="Of the intervals.")] = 0.95,
    baselines: Annotated[
        bool, typer.Option(help="What needs no calibrator, at the same budget, too.")
    ] = True,
    plots: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Draw trade_off.png there.")
    ] = None,
    tools: Tools = None,
    run_format: Format = "auto",
    as_json: AsJson = False,
) -> None:
    """Say what a policy would have done on recorded runs, before it is switched on.

    Failures stopped and how early, successes interrupted, questions asked, steps and tokens saved.
    The runs must have outcomes and be others than those of the certificate. Those of the fit, and
    others of their groups, are left out.
    """
    from agentcal.calibration import Calibrator
    from agentcal.certification import read_draft
    from agentcal.replays import replay as replayed

    where = None if plots is None else folder(plots, "pictures")
    calibrator = Calibrator.load(model)
    found = replayed(
        read_draft(policy),
        calibrator,
        compared(declared(reading(opened(runs, run_format)), tools), calibrator),
        group=None if group is None else group.value,
        success_at=success_at,
        level=level,
        baselines=baselines,
    )
    picture = None if where is None else draw(found, where)
    if as_json:
        typer.echo(found.model_dump_json())
        return
    from rich.console import Console

    Console().print(found)
    if picture is not None:
        typer.echo(f"Drew {picture}")


def draw(replay: Replay, where: Path) -> Path:
    """Failures stopped against successes interrupted; the file."""
    from agentcal.report import save, trade_off

    return save(trade_off(replay.lines, replay.dots), where / "trade_off.png")
