"""What agentcal costs as Markdown: ``python -m benchmarks.cost_table`` rewrites docs/cost.md.

Only what stands between its markers.
"""

from __future__ import annotations

from typing import Any

from benchmarks.pages import DOCS, figures, rewrite

PAGE = DOCS / "cost.md"
Figures = dict[str, Any]
TARGETS = {"agentcal / openinference": "0.25", "recording / otel-genai": "1"}


def speed(found: Figures) -> str:
    """Folding, scoring and fitting, on the AgentDojo runs, beside what is aimed at."""
    at, stream = found["conditions"], found["stream_mb"]
    live = f"{found['live_us_median']:.0f} us median, {found['live_us_p99']:.0f} us at 99%"
    rows = [
        ("one live event, with the score of a model turn", live, "100 us median"),
        (
            "model turns alone, with their score",
            f"{found['live_turn_us_median']:.0f} us median",
            "-",
        ),
        ("a score alone, in a loop", f"{found['predict_us_median']:.0f} us median", "-"),
        (
            "a decision point, with the results before it",
            f"{found['fold_us_per_point']:.0f} us",
            "-",
        ),
        ("all of them, in times of `json` on their lines", _times(found, "json"), "10"),
        ("the same, `json` reading the files as well", _times(found, "files"), "-"),
        (f"`fit(..., nested=False)`, {at['runs']:,} runs", f"{found['fit_seconds']:.0f} s", "-"),
        ("peak memory, these runs loaded and fitted", f"{found['peak_mb']:.0f} MB", "-"),
        *(
            (f"peak memory, {runs} streamed", f"{size:.0f} MB", "the same")
            for runs, size in stream.items()
        ),
    ]
    lines = [
        "| | measured | target |",
        "|---|---|---|",
        *("| " + " | ".join(r) + " |" for r in rows),
    ]
    made = (
        f"{at['runs']:,} runs, {at['points']:,} decision points; {at['events']:,} live events of "
        f"every fifth run; {_machine(at)}."
    )
    return "\n".join([*lines, "", made])


def _times(found: Figures, what: str) -> str:
    return f"{found[f'fold_to_{what}_ratio']:.0f}"


def overhead(found: Figures) -> str:
    """What each way of watching adds to a step of an agent."""
    head = (
        "| watched by | one step, least | one step, median | added, least | added, median | spans |"
    )
    lines = [head, "|---|---|---|---|---|---|"]
    for row in found["rows"]:
        cells = [f"{row[k]:,.0f} us" for k in ("floor_us", "median_us")]
        added = [f"{row[k]:,.0f} us" for k in ("added_floor_us", "added_median_us")]
        watched = row["condition"] != "bare"
        cells += [*added, str(row["spans"])] if watched else ["-", "-", "-"]
        lines.append(f"| {row['condition']} | " + " | ".join(cells) + " |")
    at = found["conditions"]
    shares = [
        f"| {name} | {share:.2f} | {TARGETS[name.split(',')[0]]} |"
        for name, share in found["shares"].items()
    ]
    table = ["| added, as a share | measured | target |", "|---|---|---|", *shares]
    made = f"{at['runs']} runs of {at['steps']} steps under each condition; {_machine(at)}."
    return "\n".join([*lines, "", *table, "", made])


def _machine(at: Figures) -> str:
    return (
        f"Python {at['python']}, {at['machine']}, {at['cores']} cores, "
        f"load average {at['load_average']:.1f}"
    )


if __name__ == "__main__":
    rewrite(PAGE, "speed", speed(figures("speed")))
    rewrite(PAGE, "overhead", overhead(figures("overhead")))
