"""The ablation as Markdown: ``python -m benchmarks.ablation_table`` rewrites docs/features.md.

Only what stands between the markers of the page is generated.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.tables import NEW_AT_TEST, ROOT

BEGIN, END = "<!-- ablation:begin -->", "<!-- ablation:end -->"
RESULTS = ROOT / "benchmarks" / "results" / "ablation.json"
PAGE = ROOT / "docs" / "features.md"
SEEN = ("50%", "final")
NO_DATA = "no data"
SUBTRACTED = ("without", "all, other seed")  # compared with all: above 0 is worse than all
Row = dict[str, Any]
Results = dict[str, Any]


def find(results: Results, protocol: str, seen: str, role: str, family: str | None) -> Row | None:
    for row in results["protocols"][protocol]["rows"]:
        if (row["seen"], row["role"], row["family"]) == (seen, role, family):
            found: Row = row
            return found
    return None


def helps(row: Row) -> bool:
    """Whether the whole interval says that the family lowers log loss."""
    return bool(row["low"] > 0 if row["role"] in SUBTRACTED else row["high"] < 0)


def harms(row: Row) -> bool:
    """Whether the whole interval says that the family raises log loss."""
    return bool(row["high"] < 0 if row["role"] in SUBTRACTED else row["low"] > 0)


def markdown(results: Results) -> str:
    """Everything that stands between the markers."""
    parts = [
        _verdicts(results),
        "### Beyond the others: log loss without the family - with all\n",
        _matrix(results, "without"),
        "### Alone: log loss with the family - base rate\n",
        _matrix(results, "alone"),
        "### What each costs\n",
        _costs(results),
        *(_detail(results, name) for name in results["protocols"]),
    ]
    return "\n".join(parts)


def _verdicts(results: Results) -> str:
    """In words: where each family adds beyond the others, and which add nothing anywhere."""
    lines = [
        "| family | beyond the others it lowers log loss on | and raises it on |",
        "|---|---|---|",
    ]
    for family in results["conditions"]["columns"]:
        rows = list(_rows_of(results, "without", family))
        if rows:
            cells = [
                ", ".join(where for where, row in rows if test(row)) or "-"
                for test in (helps, harms)
            ]
        else:
            cells = [f"{NO_DATA}: none of its features ever varies", "-"]
        lines.append(f"| {family} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _rows_of(results: Results, role: str, family: str) -> Iterator[tuple[str, Row]]:
    for protocol in results["protocols"]:
        for seen in SEEN:
            row = find(results, protocol, seen, role, family)
            if row is not None and results["protocols"][protocol]["live_columns"][seen][family]:
                yield f"{protocol} {seen}", row


def _matrix(results: Results, role: str) -> str:
    """Families by protocol and ``seen``, and last what all of them do, or chance alone."""
    places = [(name, seen) for name in results["protocols"] for seen in SEEN]
    lines = ["| | " + " | ".join(f"{name} {seen}" for name, seen in places) + " |"]
    lines.append("|---" * (1 + len(places)) + "|")
    for family in results["conditions"]["columns"]:
        cells = [_cell(results, name, seen, role, family) for name, seen in places]
        lines.append(f"| {family} | " + " | ".join(cells) + " |")
    last = "all, other seed" if role == "without" else "all"
    rows = [find(results, name, seen, last, None) for name, seen in places]
    lines.append(f"| {last} | " + " | ".join(_marked(row) for row in rows if row) + " |")
    return "\n".join(lines) + "\n"


def _cell(results: Results, protocol: str, seen: str, role: str, family: str) -> str:
    figures = results["protocols"][protocol]
    row = find(results, protocol, seen, role, family)
    if row is None or not figures["live_columns"][seen][family]:
        return NO_DATA
    return _marked(row) + ("" if figures["valued_columns"][seen][family] else " †")


def _marked(row: Row) -> str:
    value = f"{row['difference']:+.3f}"
    return f"**{value}**" if helps(row) else f"*{value}*" if harms(row) else value


def _costs(results: Results) -> str:
    names = [name for name in results["protocols"] if name != "dojo-agents"]  # the same runs
    head = " | ".join(f"{name}: differ | us" for name in names)
    lines = [f"| family | features | {head} |", "|---" * (2 + 2 * len(names)) + "|"]
    for family, width in results["conditions"]["columns"].items():
        cells = []
        for name in names:
            figures = results["protocols"][name]
            cells.append(str(figures["valued_columns"]["final"][family]))
            cells.append(f"{figures['cost_us'][family]:.1f}")
        lines.append(f"| {family} | {width} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _detail(results: Results, protocol: str) -> str:
    figures = results["protocols"][protocol]
    new = NEW_AT_TEST[protocol]
    lines = [
        f"### {protocol}: new at test time are the {new}\n",
        f"{figures['runs']} runs, {figures['success_rate']:.0%} succeed; held out in turn: "
        f"{', '.join(figures['held_out'])}.",
    ]
    for seen in SEEN:
        base = find(results, protocol, seen, "base rate", None) or {}
        lines += ["", f"**{seen}**: {base['n']} rows in {base['groups']} groups\n"]
        lines.append("| features | log loss | Brier | AUROC | within folds | log loss difference |")
        lines.append("|---|---|---|---|---|---|")
        lines += [_line(row) for row in figures["rows"] if row["seen"] == seen]
    return "\n".join(lines) + "\n"


def _line(row: Row) -> str:
    label = f"{row['role']} {row['family'] or ''}".strip()
    scores = " | ".join(f"{row[name]:.3f}" for name in ("log_loss", "brier", "auroc"))
    paired = "-"
    if "difference" in row:
        paired = f"{_marked(row)} [{row['low']:+.3f}, {row['high']:+.3f}]"
    return f"| {label} | {scores} | {row['auroc_within']:.3f} | {paired} |"


def rewrite(results: Results, page: Path) -> None:
    """Put the tables between the markers of ``page``; the rest stays as it is."""
    head, rest = page.read_text(encoding="utf-8").split(BEGIN)
    tail = rest.split(END)[1]
    text = f"{head}{BEGIN}\n\n{markdown(results)}\n{END}{tail}"
    page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    figures = Path(sys.argv[1]) if len(sys.argv) > 1 else RESULTS
    rewrite(json.loads(figures.read_text(encoding="utf-8")), PAGE)
