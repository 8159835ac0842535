"""`agentcal pilot`."""

from __future__ import annotations

from typing import Annotated

import typer

from agentcal.cli._fit import Group
from agentcal.cli._shared import AsJson, Format, opened, reading


def pilot(
    baseline: Annotated[
        str, typer.Argument(metavar="BASELINE", help="Runs that nobody stepped into.")
    ],
    intervened: Annotated[
        str,
        typer.Argument(metavar="INTERVENED", help="All runs under the gate, stopped or not."),
    ],
    group: Annotated[
        Group, typer.Option(help="What is compared with what, and what intervals are over.")
    ] = Group.task,
    success_at: Annotated[
        float,
        typer.Option(metavar="VALUE", help="Outcome from which a run is a success, in (0, 1]."),
    ] = 1.0,
    confidence: Annotated[
        float, typer.Option(metavar="SHARE", help="Of the advice and the intervals.")
    ] = 0.95,
    run_format: Format = "auto",
    as_json: AsJson = False,
) -> None:
    """Say whether interrupting pays: gate, do not gate, or more data; with the arithmetic.

    BASELINE and INTERVENED are files, folders or globs of runs with outcomes, best of the same
    tasks.
    """
    from agentcal.pilot import pilot as weighed

    found = weighed(
        reading(opened([baseline], run_format)),
        reading(opened([intervened], run_format)),
        success_at=success_at,
        group=group.value,
        confidence=confidence,
    )
    if as_json:
        typer.echo(found.model_dump_json())
        return
    from rich.console import Console

    Console().print(found)
