"""`agentcal fit`."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agentcal.cli._shared import AsJson, Format, Runs, Tools, declared, opened, reading, writable

if TYPE_CHECKING:
    from agentcal.calibration import Calibrator


class Group(StrEnum):
    """What will be new at deployment."""

    task = "task"
    family = "family"
    agent = "agent"
    model = "model"


class Category(StrEnum):
    """What a run may say about itself that is known at deployment."""

    agent = "agent"
    model = "model"
    family = "family"


def fit(
    runs: Runs,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="MODEL", help="Where to save it, as JSON.")
    ],
    group: Annotated[
        Group, typer.Option(help="What will be new at deployment; never straddles a split.")
    ] = Group.task,
    success_at: Annotated[
        float,
        typer.Option(metavar="VALUE", help="Outcome from which a run is a success, in (0, 1]."),
    ] = 1.0,
    categorical: Annotated[
        list[Category] | None,
        typer.Option(help="Declare as known at deployment; may be given twice."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the splits.")] = 0,
    quick: Annotated[
        bool, typer.Option("--quick", help="Skip measuring it on unseen groups: much faster.")
    ] = False,
    tools: Tools = None,
    run_format: Format = "auto",
    as_json: AsJson = False,
) -> None:
    """Learn P(success) from recorded runs.

    Runs without an outcome are left out. Prints how good it is on groups that it has not seen.
    """
    writable(output, "calibrator")
    from agentcal.calibration import fit as fit_calibrator

    calibrator = fit_calibrator(
        declared(reading(opened(runs, run_format)), tools),
        group=group.value,
        success_at=success_at,
        categoricals=[category.value for category in categorical or ()],
        seed=seed,
        nested=not quick,
    )
    calibrator.save(output)
    typer.echo(_as_json(calibrator, output) if as_json else _as_text(calibrator, output))


def _as_json(calibrator: Calibrator, output: Path) -> str:
    return json.dumps(
        {
            "model": str(output),
            "fingerprint": calibrator.fingerprint,
            "status": calibrator.status,
            "notes": calibrator.notes,
            "report": calibrator.report.model_dump(mode="json"),
        }
    )


def _as_text(calibrator: Calibrator, output: Path) -> str:
    return (
        f"{calibrator.report}\n\nSaved {output} (calibrator {calibrator.fingerprint}, "
        f"{calibrator.status}).\nNext: agentcal evaluate {output} RUNS_IT_HAS_NOT_SEEN"
    )
