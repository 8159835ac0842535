"""How a pilot looks in a terminal. Loads rich, so it is imported only to print."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from agentcal.metrics import Estimate

if TYPE_CHECKING:
    from agentcal.pilot._advice import PilotAdvice


def tables(found: PilotAdvice) -> Iterator[RenderableType]:
    """The two sets, the rates, the arithmetic."""
    yield Text(f"without interventions: {found.baseline}")
    yield Text(f"with interventions:    {found.intervened}")
    if found.unmatched:
        where = "one set only" if found.paired else "both sets, too few to compare"
        yield Text(f"{found.unmatched} groups are in {where} and are left out")
    yield _rates(found)
    for line in found.arithmetic:
        yield Text(line)


def _rates(found: PilotAdvice) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    table.add_column(f"rate [{found.confidence:.0%}]", justify="right", no_wrap=True)
    table.add_column("groups", justify="right")
    table.add_column("what")
    rows: list[tuple[str, Estimate | None, str]] = [
        ("p", found.failure_rate, "fail without interventions"),
        ("d", found.disruption, "fail with, where a run without succeeds"),
        ("r", found.recovery, "succeed with, where a run without fails"),
        ("d / (r + d)", found.threshold, "p above which interrupting pays"),
    ]
    for name, estimate, what in rows:
        if estimate is not None:
            # Text, not str: rich would take the brackets of an interval for markup.
            table.add_row(name, Text(str(estimate)), str(estimate.n), what)
    return table
