"""How a diagnosis looks in a terminal. Loads rich, so it is imported only to print."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, get_args

from rich import box
from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from agentcal.doctor._diagnosis import Severity

if TYPE_CHECKING:
    from agentcal.doctor._diagnosis import Diagnosis, Finding

_STYLES = {"blocking": "bold red", "costly": "bold yellow", "nice to have": "bold"}
_SHOWN = 6


def tables(diagnosis: Diagnosis) -> Iterator[RenderableType]:
    """Everything, from what is there to what to do."""
    yield Text("\n".join(_head(diagnosis)))
    yield _signals(diagnosis)
    if diagnosis.gaps:
        yield Text("Known to be missing from the record, in so many runs:")
        yield Text("\n".join(f"  {n:>6}  {gap}" for gap, n in diagnosis.gaps.items()) + "\n")
    for severity in get_args(Severity):
        found = [finding for finding in diagnosis.findings if finding.severity == severity]
        if found:
            yield Text(severity.upper(), style=_STYLES[severity])
        for finding in found:
            yield from _finding(finding)
    if diagnosis.load is not None and (diagnosis.load.skipped or diagnosis.load.noted):
        yield Text(f"{diagnosis.load}\n")
    yield Text(_verdict(diagnosis))


def _head(diagnosis: Diagnosis) -> Iterator[str]:
    d, said = diagnosis, diagnosis.outcomes
    sizes = ((d.runs, "run"), (d.turns, "turn"), (d.calls, "call"))
    yield f"{', '.join(_many(*size) for size in sizes)}; from {_counts(d.origins)}"
    rate = "" if said.success_rate is None else f", {said.success_rate:.0%} succeed"
    yield (
        f"outcomes  {said.labelled} of {d.runs} runs{rate}, {_many(said.groups, 'task')}"
        + (f"; said by {_counts(said.sources)}" if said.sources else "")
    )
    yield f"ended     {_counts(d.end_reasons)}; unfinished {d.unfinished}"
    yield f"agents    {_counts(d.agents)}"
    yield f"models    {_counts(d.models)}"
    got = d.arrivals
    if got is not None:
        yield (
            f"arrived   {got.spans} spans and {got.logs} log records in {got.requests} requests; "
            f"traces without a run {got.traces_without_run}"
            + (f"; refused {_counts(got.refused)}" if got.refused else "")
        )


def _many(count: int, word: str) -> str:
    return f"{count} {word}{'s' * (count != 1)}"


def _counts(counts: Mapping[str, int]) -> str:
    first = [f"{name} {n}" for name, n in list(counts.items())[:_SHOWN]]
    rest = [f"and {len(counts) - _SHOWN} more"] if len(counts) > _SHOWN else []
    return ", ".join(first + rest) or "none named"


def _signals(diagnosis: Diagnosis) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("signal", no_wrap=True)
    for name in ("there", "of", "share"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("counted in")
    lacking = {finding.about: finding.severity for finding in diagnosis.findings}
    for told in diagnosis.signals:
        style = _STYLES[lacking[told.name]] if told.name in lacking else ""
        share = "-" if told.share is None else f"{told.share:.0%}"
        cells = (told.title, f"{told.has}", f"{told.of}", share, told.per)
        table.add_row(*map(Text, cells), style=style)
    return table


def _finding(finding: Finding) -> Iterator[RenderableType]:
    yield _indented(finding.what, 2)
    for line in (_features(finding), finding.cost):
        if line:
            yield _indented(line, 4)
    for told in finding.advice:
        where = "" if told.where == "any" else f"{told.where}: "
        yield _indented(f"-> {where}{told.how}", 4)
    yield Text("")


def _indented(text: str, by: int) -> Padding:
    return Padding(Text(text), (0, 0, 0, by))


def _features(finding: Finding) -> str:
    """What it costs in features: dark ones, else how often they have no value."""
    need = sum(finding.needing.values())
    if finding.dark:
        named = ", ".join(f"{name} {n}/{finding.needing[name]}" for name, n in finding.dark.items())
        return f"{sum(finding.dark.values())} of {need} features that need it are dark: {named}"
    if need and finding.blank:
        named = ", ".join(f"{name} {n}" for name, n in finding.needing.items())
        return (
            f"{need} features that need it have no value at {finding.blank:.0%} of the decision "
            f"points: {named}"
        )
    return ""


def _verdict(diagnosis: Diagnosis) -> str:
    blocking = sum(finding.severity == "blocking" for finding in diagnosis.findings)
    if blocking:
        return f"{_many(blocking, 'blocking problem')}: nothing can be fitted on this."
    costly = sum(finding.severity == "costly" for finding in diagnosis.findings)
    missing = f", {_many(costly, 'costly lack')}" if costly else ""
    return f"Nothing blocks{missing}; features seen in {_many(diagnosis.folded, 'run')}."
