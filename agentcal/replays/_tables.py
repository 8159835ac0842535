"""A replay as tables for a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from agentcal.metrics import Estimate
from agentcal.replays._result import FamilyRow, Promise, Replay, Row, ToolRow

ALL_COLUMNS_FROM = 112
"""Characters; in a narrower terminal intervals stand below their values."""
MOST_ROWS = 12
"""Of a breakdown; the others are in the JSON."""

Columns: TypeAlias = list[tuple[str, Callable[[Row], str]]]

_NOT_KNOWN = (
    "Recorded runs that nobody stopped: a run counts as stopped at its first verdict other than "
    "proceed. What would have followed is not known: how often a check or a person puts a run "
    "right, or spoils one, a pilot tells."
)


def tables(replay: Replay, width: int) -> Iterator[RenderableType]:
    """Everything that is worth printing about a replay, for a terminal of that width."""
    gap = " " if width >= ALL_COLUMNS_FROM else "\n"
    yield Text(f"{replay.headline}\n{_promise(replay.promise)}\n{_NOT_KNOWN}\n")
    yield Text("Runs that would have been stopped:")
    yield _rows(replay.rows, _stops(gap), gap == "\n")
    yield Text("What that takes, and what passes:")
    yield _rows(replay.rows, _cost(gap), gap == "\n")
    yield Text("\n".join(_notes(replay)) + "\n")
    if replay.by_tool:
        yield Text("What the policy stops runs at, the first time:")
        yield _tools(replay.by_tool[:MOST_ROWS], gap)
    if replay.by_family:
        yield Text("By kind of task:")
        yield _families(replay.by_family[:MOST_ROWS], gap)


def share(estimate: Estimate | None, gap: str = " ") -> str:
    """A share with its interval in percent: "38% [31, 45]"; "-" where there is none."""
    if estimate is None:
        return "-"
    value = f"{round(100 * estimate.value)}%"
    if estimate.low is None or estimate.high is None:
        return value
    return f"{value}{gap}[{round(100 * estimate.low)}, {round(100 * estimate.high)}]"


def _promise(promise: Promise | None) -> str:
    if promise is None:
        return "The policy has no risk target, hence no certificate."
    words = f"at most {promise.max_failure_rate:.0%} of the runs that pass whole fail"
    if promise.threshold is None or promise.why_not:
        return f"Not certified that {words}: {promise.why_not}."
    return f"Certified ({promise.confidence:.0%}): {words}, at P(success) {promise.threshold:.2f}."


def _stops(gap: str) -> Columns:
    return [
        ("runs\nstopped", lambda r: _stopped(r, gap)),
        ("failures\nstopped", lambda r: share(r.failures_stopped, gap)),
        ("successes\ninterrupted", lambda r: share(r.successes_interrupted, gap)),
        ("seen\nby then", lambda r: share(r.seen_at_stop, gap)),
        ("before\nany write", lambda r: share(r.before_writing, gap)),
        *([] if gap == "\n" else [("policy\nahead by", _ahead)]),
    ]


def _cost(gap: str) -> Columns:
    return [
        ("questions", lambda r: f"{r.first_questions:.0f} to{gap}{r.questions:.0f}"),
        ("calls\nasked about", lambda r: f"{r.calls:.0f}"),
        ("turns\nsaved", lambda r: share(r.steps_saved, gap)),
        ("tokens\nsaved", lambda r: share(r.tokens_saved, gap)),
        ("pass\nwhole", lambda r: f"{r.passed.runs},{gap}{r.passed.failed} fail"),
        ("fail\nat most", lambda r: _bound(r, gap)),
    ]


def _ahead(row: Row) -> str:
    return share(row.policy_ahead)


def _stopped(row: Row, gap: str) -> str:
    words = f",{gap}".join(f"{n} {verdict}" for verdict, n in row.verdicts.items())
    short = row.budget is not None and row.interrupted < row.budget
    return f"{words or '0'}{f' (of {row.budget})' if short else ''}"


def _bound(row: Row, gap: str) -> str:
    passed = row.passed
    if passed.failure_rate is None:
        return "-"
    return f"{100 * passed.at_most:.0f}%{gap}({100 * passed.failure_rate:.0f}% seen)"


def _notes(replay: Replay) -> Iterator[str]:
    yield (
        f"[..]: {replay.level:.0%} interval over groups. Seen by then: share of a failed run's "
        "turns, median. Before any write: of the failed runs that write. Saved: of all that failed "
        "runs used. Questions and calls for 100 runs: if no run goes on after the first, to if all "
        f"do. Fail at most: with {replay.rows[0].passed.confidence:.0%} confidence, every group "
        "weighing the same."
    )
    if any(row.budget is not None for row in replay.rows):
        yield "Baselines, with limits chosen on these runs to stop as many of them as the policy:"
    for row in replay.rows[1:]:
        own = " (a budget of its own)" if row.budget is None else ""
        yield f"  {row.method}: {row.about}{own}"
    for method, why in replay.absent.items():
        yield f"  {method}: none; {why}"
    rules = ", ".join(f"{rule} {n}" for rule, n in replay.rows[0].rules.items())
    if rules:
        yield f"Stops of the policy by rule: {rules}."


def _rows(rows: list[Row], columns: Columns, brief: bool) -> Table:
    table = _table("method", *(name for name, _ in columns), brief=brief)
    for row in rows:
        # Text, not str: rich would take the brackets of an interval for markup.
        table.add_row(row.method, *(Text(cell(row)) for _, cell in columns))
    return table


def _tools(rows: list[ToolRow], gap: str) -> Table:
    table = _table("tool", "tier", "runs stopped", "of these fail")
    for row in rows:
        name = "(an answer)" if row.tool is None else row.tool
        table.add_row(Text(name), row.tier, str(row.stopped), Text(share(row.failing, gap)))
    return table


def _families(rows: list[FamilyRow], gap: str) -> Table:
    columns = ("runs", "fail", "stopped", "failures\nstopped", "successes\ninterrupted")
    table = _table("kind of task", *columns)
    for row in rows:
        counts = (str(row.runs), str(row.failed), str(row.interrupted))
        shares = (row.failures_stopped, row.successes_interrupted)
        table.add_row(Text(row.family or "-"), *counts, *(Text(share(s, gap)) for s in shares))
    return table


def _table(first: str, *columns: str, brief: bool = False) -> Table:
    table = Table(
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        collapse_padding=True,
        padding=(0, 0 if brief else 1),
    )
    table.add_column(first, no_wrap=True)
    for name in columns:
        table.add_column(name, justify="right")
    return table
