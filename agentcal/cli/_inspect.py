"""`agentcal inspect features | model | runs | tools`."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Annotated

import typer

from agentcal.cli._inspect_tools import tools
from agentcal.cli._shared import AsJson, Format, Model, Runs, opened, reading

if TYPE_CHECKING:
    from agentcal.features import Feature

inspect = typer.Typer(
    name="inspect",
    no_args_is_help=True,
    help="Look at features, at a calibrator, at runs, or at their tools.",
    rich_markup_mode=None,
)
inspect.command()(tools)


@inspect.command()
def features(
    family: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only those of this family.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List every feature, with its definition."""
    from agentcal.calibration import COLUMNS, FAMILY_OF_COLUMN, FITTED
    from agentcal.errors import ConfigError

    families = dict.fromkeys(FAMILY_OF_COLUMN.values())
    if family is not None and family not in families:
        raise ConfigError(f"no family {family!r}; there are {', '.join(families)}")
    chosen = [f for f in COLUMNS if family in (None, FAMILY_OF_COLUMN[f.name])]
    if as_json:
        typer.echo(
            json.dumps([_as_data(f, FAMILY_OF_COLUMN[f.name], f.name in FITTED) for f in chosen])
        )
    else:
        _print_features(chosen, FAMILY_OF_COLUMN, FITTED)


def _as_data(feature: Feature, family: str, fitted: bool) -> dict[str, str | float | None]:
    return {
        "name": feature.name,
        "family": family,
        "low": feature.low if math.isfinite(feature.low) else None,
        "high": feature.high if math.isfinite(feature.high) else None,
        "definition": feature.definition,
        "missing": feature.missing,
        "fitted": fitted,
    }


def _print_features(
    chosen: list[Feature], family_of: dict[str, str], fitted: frozenset[str]
) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("feature", no_wrap=True)
    table.add_column("range", no_wrap=True)
    table.add_column("definition")
    family = ""
    for f in chosen:
        if family_of[f.name] != family:
            family = family_of[f.name]
            table.add_section()
            source = "(fitted on the training runs)" if f.name in fitted else ""
            table.add_row(Text(family.upper(), style="bold"), "", source)
        missing = f" (missing: {f.missing})" if f.missing else ""
        table.add_row(f"  {f.name}", Text(_range(f)), Text(f.definition + missing))
    console = Console()
    console.print(table)
    console.print(f"{len(chosen)} features", highlight=False)


def _range(feature: Feature) -> str:
    low = f"[{feature.low:g}" if math.isfinite(feature.low) else "(-inf"
    high = f"{feature.high:g}]" if math.isfinite(feature.high) else "inf)"
    return f"{low}, {high}"


@inspect.command()
def model(path: Model, as_json: AsJson = False) -> None:
    """Show what a calibrator is made of."""
    from agentcal.calibration import Calibrator

    calibrator = Calibrator.load(path)
    if as_json:
        about = calibrator.model_dump(mode="json", exclude={"heads", "seen"})
        typer.echo(json.dumps({"fingerprint": calibrator.fingerprint, **about}))
        return
    typer.echo(f"calibrator {calibrator.fingerprint}, {calibrator.status}")
    for name, value in calibrator.settings.model_dump().items():
        shown = ", ".join(value) if isinstance(value, list) else value
        typer.echo(f"  {name:<18}{'-' if shown in ('', None) else shown}")
    typer.echo(f"\n{calibrator.report}")


@inspect.command()
def runs(paths: Runs, run_format: Format = "auto", as_json: AsJson = False) -> None:
    """Say what was read and skipped, and what it has."""
    from agentcal.inspection import describe

    loaded = opened(paths, run_format)
    description = describe(reading(loaded, quiet=True))
    if as_json:
        report = loaded.report.model_dump(mode="json")
        typer.echo(json.dumps({"load": report, "runs": description.model_dump(mode="json")}))
        return
    typer.echo(f"{loaded.report}\n\n{description}")
