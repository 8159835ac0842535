"""`agentcal doctor`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agentcal.cli._shared import AsJson, Format, Tools, declared, opened

if TYPE_CHECKING:
    from agentcal.doctor import Diagnosis

_PORT = 4318


def doctor(
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="[RUNS]...", help="Files, folders or globs of recorded runs."),
    ] = None,
    listen: Annotated[
        bool,
        typer.Option("--listen", help="Receive OTLP over HTTP on 127.0.0.1 instead."),
    ] = False,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help=f"To listen on, {_PORT} unless given; 0: a free one."),
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(min=0, metavar="N", help="Listen for so long at most.")
    ] = None,
    runs: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Listen until so many runs are over.")
    ] = None,
    no_outcomes: Annotated[
        bool, typer.Option("--no-outcomes", help="Outcomes come later: their lack blocks nothing.")
    ] = False,
    success_at: Annotated[
        float,
        typer.Option(metavar="VALUE", help="Outcome from which a run is a success, in (0, 1]."),
    ] = 1.0,
    tools: Tools = None,
    run_format: Format = "auto",
    as_json: AsJson = False,
) -> None:
    """Say which signals runs carry, what the lack of others costs, and how to switch them on.

    Of files, or of what a running application sends with --listen, until Ctrl-C. Ends with 1 where
    something blocks fitting.
    """
    _check(paths, listen, {"--port": port, "--seconds": seconds, "--runs": runs})
    if listen:
        found = _live(_PORT if port is None else port, seconds, runs, success_at)
    else:
        found = _recorded(paths or [], run_format, tools, success_at, labels=not no_outcomes)
    _print(found, as_json)
    if found.blocked:
        raise typer.Exit(1)


def _check(paths: list[str] | None, listen: bool, live: dict[str, float | None]) -> None:
    if listen == bool(paths):
        raise typer.BadParameter("give RUNS or --listen, one of them")
    stray = [name for name, value in live.items() if value is not None and not listen]
    if stray:
        raise typer.BadParameter(f"{', '.join(stray)} goes with --listen")


def _recorded(
    paths: list[str], run_format: str, tools: Path | None, success_at: float, *, labels: bool
) -> Diagnosis:
    from agentcal.doctor import Examination

    loaded = opened(paths, run_format)
    seen = Examination(success_at=success_at, labels=labels)
    for run in declared(loaded, tools):
        seen.add(run)
    return seen.diagnosis(loaded.report)


def _live(port: int, seconds: float | None, runs: int | None, success_at: float) -> Diagnosis:
    from agentcal.doctor import listen

    return listen(port, seconds=seconds, runs=runs, success_at=success_at, announce=_announce)


def _announce(endpoint: str) -> None:
    typer.echo(
        f"Listening on {endpoint}. Start your application with\n"
        f"  OTEL_EXPORTER_OTLP_ENDPOINT={endpoint} OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf\n"
        "and an instrumentor switched on. Ctrl-C ends it and reports.",
        err=True,
    )


def _print(found: Diagnosis, as_json: bool) -> None:
    if as_json:
        typer.echo(found.model_dump_json())
        return
    from rich.console import Console

    Console().print(found)
