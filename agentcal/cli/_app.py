"""The commands put together, and what happens when one of them fails."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated

import typer

from agentcal import __version__
from agentcal.cli._certify import certify
from agentcal.cli._convert import convert
from agentcal.cli._demo import demo
from agentcal.cli._doctor import doctor
from agentcal.cli._evaluate import evaluate
from agentcal.cli._fit import fit
from agentcal.cli._inspect import inspect
from agentcal.cli._pilot import pilot
from agentcal.cli._replay import replay
from agentcal.cli._score import score
from agentcal.errors import AgentcalError

app = typer.Typer(
    name="agentcal",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(fit)
app.command()(evaluate)
app.command()(score)
app.command()(certify)
app.command()(replay)
app.command()(pilot)
app.add_typer(inspect)
app.command()(convert)
app.command()(doctor)
app.command()(demo)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"agentcal {__version__}")
        raise typer.Exit


@app.callback()
def about(
    version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_print_version, help="Show the version."),
    ] = False,
) -> None:
    """Calibrated probability of success for tool-using agents, at every step.

    Exit codes: 0 done, 1 it could not be done (the reason is on stderr), 2 wrong usage.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; ends in ``SystemExit`` with 0, 1 or 2."""
    try:
        with _notes():
            app(arguments, prog_name="agentcal")
    except AgentcalError as error:
        _fail(str(error))
    except OSError as error:
        _fail(f"{error.filename}: {error.strerror}" if error.filename else str(error))


class _Notes(logging.Handler):
    """What the library warns of, said as all that the commands say beside their result."""

    def emit(self, record: logging.LogRecord) -> None:
        typer.echo(f"agentcal: note: {record.getMessage()}", err=True)


@contextmanager
def _notes() -> Iterator[None]:
    logger, notes = logging.getLogger("agentcal"), _Notes(logging.WARNING)
    logger.addHandler(notes)
    try:
        yield
    finally:
        logger.removeHandler(notes)


def _fail(why: str) -> None:
    typer.echo(f"agentcal: {why}", err=True)
    raise SystemExit(1)
