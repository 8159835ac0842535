"""Replayed gates as Markdown: ``python -m benchmarks.replay_table``.

Rewrites what stands between the markers of docs/replay.md and README.md, and the pictures.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from agentcal.metrics import Estimate
from agentcal.replays._tables import share
from agentcal.report import save, trade_off
from benchmarks.pages import DOCS, README, figures, rewrite
from benchmarks.replay import BROKEN_DOWN, LEVEL
from benchmarks.tables import NEW_AT_TEST

IMAGES = DOCS / "images"
COLUMNS = (
    "policy",
    "method",
    "runs stopped",
    "failures stopped",
    "successes interrupted",
    "policy ahead by",
    "seen by then",
    "before any write",
    "turns saved",
    "questions",
    "pass whole",
    "of these fail",
)
MOST_TOOLS = 8
BUDGET = "least sure"
Row = dict[str, Any]


def markdown(results: dict[str, Any]) -> str:
    """Everything that stands between the markers."""
    return "\n".join(
        line for name, found in results.items() for line in (*_protocol(name, found), "")
    )


def excerpt(results: dict[str, Any]) -> str:
    """For the README: the same share of runs stopped, by agentcal and by what needs no calibrator.

    Only budgets, on the protocol with the most tasks: they are what the other rows vary around.
    """
    name, found = max(results.items(), key=lambda item: item[1]["groups"])
    lines = [
        f"`{name}`, {found['runs']} runs on {found['groups']} tasks that neither calibrator nor "
        f"gate has seen, {found['failed']} of them fail. {_certified(found)} So here every method "
        "stops the same share of the runs; the limits that make it so are set on these runs, for "
        "agentcal as for the others:",
        "",
        "| runs stopped | by | failures stopped | successes interrupted |",
        "|---|---|---|---|",
    ]
    for policy in found["policies"]:
        if policy["policy"].startswith(BUDGET):
            for place, row in enumerate(policy["rows"]):
                method = "agentcal, before writes and answers" if place == 0 else row["method"]
                stopped = policy["policy"].removeprefix(BUDGET).strip() if place == 0 else ""
                shares = (row["failures_stopped"], row["successes_interrupted"])
                lines.append(f"| {stopped} | {method} | " + " | ".join(map(_share, shares)) + " |")
    return "\n".join([*lines, ""])


def _certified(found: dict[str, Any]) -> str:
    """How often a risk target could keep its promise, over all rates that were tried."""
    targets = [
        policy
        for policy in found["policies"]
        if policy["policy"].startswith("RiskTarget") and policy["over"] == "all folds"
    ]
    told = [one for policy in targets for one in policy["told"]]
    made = sum(not one.startswith("not certified") for one in told)
    rates = ", ".join(policy["policy"].split("(")[1].rstrip(")") for policy in targets)
    return f"Failure rates of {rates} could be certified in {made} of {len(told)} folds and rates."


def _protocol(name: str, found: dict[str, Any]) -> Iterator[str]:
    yield f"### {name}: new at test time are the {NEW_AT_TEST[name]}"
    yield ""
    yield _sizes(found)
    yield ""
    yield f"![failures stopped against successes interrupted](images/{_image(name).name})"
    yield ""
    yield "| " + " | ".join(COLUMNS) + " |"
    yield "|---" * len(COLUMNS) + "|"
    for policy in found["policies"]:
        # One that asks about everything leaves baselines nothing to choose.
        for place, row in enumerate(policy["rows"][: None if policy["held"] else 1]):
            yield _line(_title(policy) if place == 0 else "", row)
    if found["always"] is not None:
        yield _line("always", found["always"])
    yield ""
    yield from _against(found["policies"])
    for method, why in found["absent"].items():
        yield f"- No row *{method}*: {why}."
    yield ""
    yield from _broken_down(found)
    yield from _promises(found)


def _sizes(found: dict[str, Any]) -> str:
    folds = found["folds"]
    told = {
        part: " / ".join(str(fold[part]["groups"]) for fold in folds)
        for part in ("fit", "certify", "replay")
    }
    counted = any(row["tokens_saved"] for p in found["policies"] for row in p["rows"])
    return (
        f"{found['runs']} runs on {found['groups']} tasks, {found['failed']} fail. {len(folds)} "
        f"folds; tasks to fit on {told['fit']}, to certify on {told['certify']}, replayed "
        f"{told['replay']}.{'' if counted else ' No run counts its tokens.'}"
    )


def _title(policy: Row) -> str:
    if not policy["held"]:
        return f"{policy['policy']}, no promise in any fold"
    return str(policy["policy"]) + ("" if policy["over"] == "all folds" else f", {policy['over']}")


def _line(policy: str, row: Row) -> str:
    passed = row["passed"]
    of = passed["runs"] + row["interrupted"]
    cells = [
        policy,
        row["method"],
        f"{row['interrupted']} of {of} ({row['interrupted'] / of:.0%})",
        *(_share(row[name]) for name in ("failures_stopped", "successes_interrupted")),
        _share(row["policy_ahead"]),
        *(_share(row[name]) for name in ("seen_at_stop", "before_writing", "steps_saved")),
        f"{row['first_questions']:.0f} to {row['questions']:.0f}",
        str(passed["runs"]),
        _failing(passed),
    ]
    return "| " + " | ".join(cells) + " |"


def _share(estimate: dict[str, Any] | None) -> str:
    return share(None if estimate is None else Estimate.model_validate(estimate))


def _failing(passed: dict[str, Any]) -> str:
    if passed["failure_rate"] is None:
        return "-"
    return f"{passed['failure_rate']:.0%} (at most {passed['at_most']:.0%})"


def _against(policies: list[dict[str, Any]]) -> Iterator[str]:
    """How often a policy is ahead of each baseline, and how often it is behind."""
    gaps: dict[str, list[dict[str, Any]]] = {}
    for policy in policies:
        for row in policy["rows"]:
            if policy["held"] and policy["over"] == "all folds" and row["policy_ahead"]:
                gaps.setdefault(row["method"], []).append(row["policy_ahead"])
    for method, found in gaps.items():
        known = [gap for gap in found if gap["low"] is not None]
        ahead = sum(gap["low"] > 0 for gap in known)
        behind = sum(gap["high"] < 0 for gap in known)
        yield (
            f"- Against *{method}*, of {len(found)} policies: {ahead} stop more failures at the "
            f"same budget, {behind} fewer, {len(found) - ahead - behind} cannot be told apart "
            f"({LEVEL:.0%} intervals, run by run)."
        )


def _broken_down(found: dict[str, Any]) -> Iterator[str]:
    yield f"What `{BROKEN_DOWN}` stops runs at, the first time (the {MOST_TOOLS} most often):"
    yield ""
    yield "| tool | tier | runs stopped | of these fail |"
    yield "|---|---|---|---|"
    for row in found["by_tool"][:MOST_TOOLS]:
        tool = "(an answer)" if row["tool"] is None else f"`{row['tool']}`"
        yield f"| {tool} | {row['tier']} | {row['stopped']} | {_share(row['failing'])} |"
    yield ""
    if not found["by_family"]:
        return
    yield "| kind of task | runs | fail | stopped | failures stopped | successes interrupted |"
    yield "|---|---|---|---|---|---|"
    for row in found["by_family"]:
        counts = " | ".join(str(row[name]) for name in ("family", "runs", "failed", "interrupted"))
        shares = (row["failures_stopped"], row["successes_interrupted"])
        yield f"| {counts} | " + " | ".join(map(_share, shares)) + " |"
    yield ""


def _promises(found: dict[str, Any]) -> Iterator[str]:
    for policy in found["policies"]:
        if policy["over"] == "all folds" and any(policy["told"]):
            made = sum(not told.startswith("not certified") for told in policy["told"])
            head = f"a promise in {made} of {len(policy['told'])} folds"
            yield f"<details><summary><code>{policy['policy']}</code>: {head}</summary>"
            yield ""
            yield from (f"{number}. {told}" for number, told in enumerate(policy["told"], 1))
            yield ""
            yield "</details>"
            yield ""


def _image(name: str) -> Path:
    return IMAGES / f"replay-{name}.png"


def draw(name: str, found: dict[str, Any]) -> None:
    """The curves, and every policy that does not lie on one by construction."""
    lines = {
        curve["method"]: (
            [point["successes_interrupted"] for point in curve["points"]],
            [point["failures_stopped"] for point in curve["points"]],
        )
        for curve in found["curves"]
    }
    whole = [p for p in found["policies"] if p["held"] and p["over"] == "all folds"]
    own = {policy["policy"]: policy["rows"][0] for policy in whole}
    dots = {
        policy: (row["successes_interrupted"]["value"], row["failures_stopped"]["value"])
        for policy, row in (own | {"always before writing": found["always"]}).items()
        if row is not None and not policy.startswith(BUDGET)
    }
    note = f"{name}: {found['runs']} runs on {found['groups']} tasks that were not learnt from."
    save(trade_off(lines, dots, note=note), _image(name), dpi=110)


def main() -> None:
    results = figures("replay")
    rewrite(DOCS / "replay.md", "replay", markdown(results))
    rewrite(README, "replay", excerpt(results))
    for name, found in results.items():
        draw(name, found)


if __name__ == "__main__":
    main()
