"""Rows of figures as Markdown: ``python -m benchmarks.tables`` rewrites both pages.

The short table goes between the markers of README.md, every row into docs/quality.md.
"""

from __future__ import annotations

from typing import Any

from benchmarks.pages import DOCS, README, figures, rewrite

OURS, PLAIN = "agentcal", "agentcal, no id"
Row = dict[str, Any]

NEW_AT_TEST = {
    "dojo-tasks": "tasks",
    "dojo-agents": "agents",
    "dojo-families": "model families",
    "dojo-suites": "domains",
    "tau-tasks": "tasks, 200 runs",
    "local-tasks": "tasks, with log-probs",
    "local-change": "the agent's version",
}

_ABOUT = f"""# How good it is

Written by `python -m benchmarks.quality` and `python -m benchmarks.tables`; nothing here is
typed by hand. Brackets are 95% intervals over groups (what is new at test time). *seen*:
`final` is the finished run, `25%` its decision point number max(1, ceil(K / 4)) of K, and so
on. *{OURS}* is fitted with agent and model declared as categories that are known at deployment,
*{PLAIN}* without, which is the default. The baselines are fitted on the same splits, on
finished runs unless they say otherwise, and see agentcal's features. *cal. error*: debiased,
equal-mass bins; in parentheses the level that a perfectly calibrated predictor exceeds in 1 of
20 samples like this one. The features were designed, and the trees and the choice of stages set,
while looking at runs of these data sets, so figures on runs of yours may be a little worse.
Protocols with few clusters (domains) show each held-out part instead of an interval over four of
them.
"""


def _cell(row: Row, metric: str) -> str:
    value, low, high = (row.get(metric + suffix) for suffix in ("", "_low", "_high"))
    if value is None:
        return "-"
    return f"{value:.3f}" if low is None else f"{value:.3f} [{low:.3f}, {high:.3f}]"


def _error(row: Row) -> str:
    null = row.get("ce_null_grouped")
    return _cell(row, "ce") + (f" ({null:.3f})" if null is not None else "")


def markdown(rows: list[Row]) -> str:
    """Every row, one table a protocol."""
    lines: list[str] = []
    for protocol, new in NEW_AT_TEST.items():
        mine = [row for row in rows if row["protocol"] == protocol]
        if not mine:
            continue
        lines += ["", f"## {protocol}: new at test time are the {new}", ""]
        lines.append(
            "| seen | method | n (groups) | Brier | AUROC | log loss | cal. error | AURC |"
        )
        lines.append("|---|---|---|---|---|---|---|---|")
        for row in mine:
            name = row["method"] + (f", {row['fold']}" if row.get("fold") else "")
            cells = [_cell(row, m) for m in ("brier", "auroc", "log_loss")]
            cells += [_error(row), _cell(row, "aurc")]
            head = f"| {row['seen']} | {name} | {row['n']} ({row['groups']}) | "
            lines.append(head + " | ".join(cells) + " |")
    return "\n".join(lines).strip() + "\n"


def short(rows: list[Row]) -> str:
    """Each protocol half-way and at the end: agentcal, the best baseline by Brier, base rate."""
    lines = ["| new at test time | seen | n (groups) | | Brier | AUROC | calibration error |"]
    lines.append("|---|---|---|---|---|---|---|")
    for protocol, new in NEW_AT_TEST.items():
        for seen in ("50%", "final"):
            mine = [r for r in rows if (r["protocol"], r["seen"]) == (protocol, seen)]
            mine = [r for r in mine if not r.get("fold")]
            for label, row in _chosen(mine):
                where = f"{new} (`{protocol}`) | {seen} | {row['n']} ({row['groups']})"
                figures = f"{_cell(row, 'brier')} | {_cell(row, 'auroc')} | {_error(row)}"
                lines.append(f"| {where if label == OURS else ' | | '} | {label} | {figures} |")
    return "\n".join(lines)


def _chosen(mine: list[Row]) -> list[tuple[str, Row]]:
    by_method = {row["method"]: row for row in mine}
    others = [row for row in mine if row["method"] not in (OURS, PLAIN, "base rate")]
    if OURS not in by_method or not others:
        return []
    best = min(others, key=lambda row: row["brier"])
    return [
        (OURS, by_method[OURS]),
        (f"best baseline: {best['method']}", best),
        ("base rate", by_method["base rate"]),
    ]


def page(rows: list[Row]) -> str:
    """Every row, under what is said of all of them."""
    return _ABOUT + "\n" + markdown(rows)


if __name__ == "__main__":
    found = figures("quality")
    rewrite(README, "quality", short(found))
    (DOCS / "quality.md").write_text(page(found), encoding="utf-8")
