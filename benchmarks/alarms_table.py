"""The alarms' figures as Markdown: ``python -m benchmarks.alarms_table`` rewrites docs/alarms.md.

Only what stands between its markers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks.pages import DOCS, figures, rewrite

Row = dict[str, Any]

_HEAD = (
    "| false alarms wanted | promise | method | false alarms | too many in | power | early "
    "| seen when it sounds | rows a second |"
)


def markdown(rows: Sequence[Row]) -> str:
    """One table a data set, the wanted rates one after the other."""
    lines: list[str] = []
    for data in dict.fromkeys(row["data"] for row in rows):
        lines += [f"### {data}", "", _HEAD, "|---|---|---|---|---|---|---|---|---|"]
        mine = [row for row in rows if row["data"] == data]
        mine.sort(key=lambda row: (row["alpha"], row["promise"], row["method"]))
        lines += [_line(row) for row in mine] + [""]
    return "\n".join(lines)


def _line(row: Row) -> str:
    seen = "-" if row["seen"] is None else f"{row['seen']:.0%}"
    cells = [
        f"{row['alpha']:g}",
        row["promise"],
        row["method"],
        _cell(row, "false_alarm"),
        f"{row['exceeded']} of {row['seeds']}",
        _cell(row, "power"),
        f"{row['early']:.3f}",
        seen,
        f"{row['rows_per_second']:,}",
    ]
    return "| " + " | ".join(cells) + " |"


def _cell(row: Row, name: str) -> str:
    return f"{row[name]:.3f} [{row[name + '_low']:.3f}, {row[name + '_high']:.3f}]"


if __name__ == "__main__":
    rewrite(DOCS / "alarms.md", "alarms", markdown(figures("alarms")))
