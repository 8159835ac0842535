"""The ablation as Markdown: ``python -m benchmarks.ablation_table`` rewrites docs/features.md.

Only what stands between the markers of the page is generated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.ablation import TOGETHER
from benchmarks.pages import DOCS, figures, rewrite
from benchmarks.tables import NEW_AT_TEST

SEEN = ("50%", "final")
NO_DATA = "no data"
_COSTS = """*us*: processor time in microseconds an event (a turn with its decision point, or a
result), the family's own work on texts that are taken apart already, best of seven. *differ*:
features with at least two values among the finished runs.
"""
Row = dict[str, Any]
Results = dict[str, Any]


def find(results: Results, protocol: str, seen: str, role: str, family: str | None) -> Row | None:
    for row in results["protocols"][protocol]["rows"]:
        if (row["seen"], row["role"], row["family"]) == (seen, role, family):
            found: Row = row
            return found
    return None


def chance(results: Results, protocol: str, seen: str) -> float:
    """The largest change of log loss that other random numbers alone made to all families."""
    rows = results["protocols"][protocol]["rows"]
    return max(
        abs(float(row["difference"]))
        for row in rows
        if (row["seen"], row["role"]) == (seen, "all, other seed")
    )


def gain(row: Row) -> tuple[float, float]:
    """How much the family lowers log loss (below 0: raises it), as an interval."""
    low, high = row["low"], row["high"]
    return (low, high) if row["role"] == "without" else (-high, -low)


def helps(row: Row, chance: float) -> bool:
    """Whether log loss is lower with the family, by the interval and by more than chance."""
    return gain(row)[0] > 0 and abs(row["difference"]) > chance


def harms(row: Row, chance: float) -> bool:
    """Whether log loss is higher with the family, by the interval and by more than chance."""
    return gain(row)[1] < 0 and abs(row["difference"]) > chance


def markdown(results: Results) -> str:
    """Everything that stands between the markers."""
    parts = [
        _verdicts(results),
        "### Beyond the others: log loss without the family - with all\n",
        _matrix(results, "without"),
        "### Alone: log loss with the family - base rate\n",
        _matrix(results, "alone"),
        "### What each costs\n",
        _COSTS,
        _costs(results),
        *(_detail(results, name) for name in results["protocols"]),
    ]
    return "\n".join(parts)


def _verdicts(results: Results) -> str:
    """In words: where each family adds beyond the others, and which add nothing anywhere."""
    lines = ["| family | beyond the others it helps on | and harms on |", "|---|---|---|"]
    for family in results["conditions"]["columns"]:
        seen_on = list(_where_it_varies(results, family))
        cells = [_where(results, seen_on, test) for test in (helps, harms)]
        if not seen_on:
            cells[0] = f"{NO_DATA}: none of its features ever varies"
        lines.append(f"| {family} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _where(
    results: Results, seen_on: list[tuple[str, str, Row]], test: Callable[[Row, float], bool]
) -> str:
    places = [
        f"{protocol} {seen}"
        for protocol, seen, row in seen_on
        if test(row, chance(results, protocol, seen))
    ]
    return ", ".join(places) or "-"


def _where_it_varies(results: Results, family: str) -> Iterator[tuple[str, str, Row]]:
    for protocol, found in results["protocols"].items():
        for seen in SEEN:
            row = find(results, protocol, seen, "without", family)
            if row is not None and found["live_columns"][seen][family]:
                yield protocol, seen, row


def _matrix(results: Results, role: str) -> str:
    """Families by protocol and ``seen``, and last what all of them do, or chance alone."""
    places = [(name, seen) for name in results["protocols"] for seen in SEEN]
    lines = ["| | " + " | ".join(f"{name} {seen}" for name, seen in places) + " |"]
    lines.append("|---" * (1 + len(places)) + "|")
    for family in results["conditions"]["columns"]:
        cells = [_cell(results, name, seen, role, family) for name, seen in places]
        lines.append(f"| {family} | " + " | ".join(cells) + " |")
    if role == "without":
        cells = [_cell(results, name, seen, role, TOGETHER) for name, seen in places]
        lines.append(f"| {TOGETHER} | " + " | ".join(cells) + " |")
        cells = [f"±{chance(results, name, seen):.3f}" for name, seen in places]
        lines.append("| chance | " + " | ".join(cells) + " |")
    else:
        cells = [_cell(results, name, seen, "all", None) for name, seen in places]
        lines.append("| all | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _cell(results: Results, protocol: str, seen: str, role: str, family: str | None) -> str:
    figures = results["protocols"][protocol]
    row = find(results, protocol, seen, role, family)
    if row is None or not figures["live_columns"][seen].get(family, True):
        return NO_DATA
    silent = not figures["valued_columns"][seen].get(family, True)
    return _marked(row, chance(results, protocol, seen)) + (" †" if silent else "")


def _marked(row: Row, chance: float) -> str:
    value = f"{row['difference']:+.3f}"
    return f"**{value}**" if helps(row, chance) else f"*{value}*" if harms(row, chance) else value


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
        limit = chance(results, protocol, seen)
        lines += [_line(row, limit) for row in figures["rows"] if row["seen"] == seen]
    return "\n".join(lines) + "\n"


def _line(row: Row, limit: float) -> str:
    label = f"{row['role']} {row['family'] or ''}".strip()
    if row["seed"]:
        label = f"all, seed {row['seed']}"
    scores = " | ".join(f"{row[name]:.3f}" for name in ("log_loss", "brier", "auroc"))
    paired = "-"
    if row["role"] == "all, other seed":
        paired = f"{row['difference']:+.3f} [{row['low']:+.3f}, {row['high']:+.3f}]"
    elif "difference" in row:
        paired = f"{_marked(row, limit)} [{row['low']:+.3f}, {row['high']:+.3f}]"
    return f"| {label} | {scores} | {row['auroc_within']:.3f} | {paired} |"


if __name__ == "__main__":
    rewrite(DOCS / "features.md", "ablation", markdown(figures("ablation")))
