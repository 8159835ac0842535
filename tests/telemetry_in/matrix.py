"""What each dialect carries of the runs that the handler has: ``docs/telemetry-in.md``.

``python -m tests.telemetry_in.matrix`` runs the scenarios and writes the table into the page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

from agentcal import Step, ToolCall, Trajectory, load
from tests.telemetry_in.recording import record

PAGE = Path(__file__).parents[2] / "docs" / "telemetry-in.md"
BEGIN, END = "<!-- matrix: written by a test -->\n", "<!-- end of the matrix -->\n"

Told: TypeAlias = Mapping[str, list[tuple[Trajectory, Trajectory]]]
"""For each dialect, pairs of the run as the handler has it and as its spans tell it."""

SCENARIOS = (
    *("rich", "created", "broken", "raises", "two_requests", "approved", "declined"),
    *("asks_in_tool", "reviewed", "never_resumed", "as_tool", "nested", "handed_over"),
    *("retried", "asks_in_node"),
)
"""What :mod:`tests.telemetry_in.scenarios` has; that module needs LangGraph, this one does not."""

AGAIN = ("retried", "asks_in_node")
"""The scenarios in which a turn is run again."""

COLUMNS = {
    "agentcal": "agentcal",
    "genai": "OTel GenAI",
    "openinference": "OpenInference",
    "openllmetry": "OpenLLMetry",
}


def steps(run: Trajectory) -> Iterator[Step]:
    yield from run.steps


def proposed(run: Trajectory) -> Iterator[ToolCall]:
    """The calls whose arguments parse."""
    return (c for step in run.steps for c in step.tool_calls if c.arguments is not None)


ASPECTS: dict[str, Callable[[Trajectory], Any]] = {
    "task": lambda run: run.task,
    "system prompt": lambda run: run.system,
    "tools on offer": lambda run: [tool.model_dump() for tool in run.tools],
    "what became known late": lambda run: run.known_after,
    "conversation": lambda run: run.conversation,
    "agent of the run": lambda run: run.agent,
    "agent of each turn": lambda run: [step.agent for step in steps(run)],
    "model": lambda run: (run.model, [step.model for step in steps(run)]),
    "text": lambda run: [step.text for step in steps(run)],
    "reasoning": lambda run: [step.reasoning for step in steps(run)],
    "messages in mid-run": lambda run: [[m.text for m in step.inputs] for step in steps(run)],
    "tool calls": lambda run: [call.name for call in proposed(run)],
    "ids of calls": lambda run: [call.id for call in proposed(run)],
    "arguments": lambda run: [call.arguments for call in proposed(run)],
    "calls that do not parse": lambda run: [
        (call.name, call.raw_arguments)
        for step in steps(run)
        for call in step.tool_calls
        if call.arguments is None
    ],
    "results": lambda run: [call.result for call in proposed(run)],
    "status of results": lambda run: [call.status for call in proposed(run)],
    "order of results": lambda run: [call.returned_after for call in proposed(run)],
    "usage": lambda run: [step.usage for step in steps(run)],
    "latency of turns": lambda run: [step.latency_s is not None for step in steps(run)],
    "duration of calls": lambda run: [call.duration_s is not None for call in proposed(run)],
    "log-probabilities": lambda run: [step.logprobs for step in steps(run)],
    "turns that are run again": lambda run: len(run.steps) if run.conversation in AGAIN else None,
    "interrupts and resumption": lambda run: (
        run.end_reason == "interrupted",
        [entry.step for entry in run.interventions if entry.kind == "resumed"],
    ),
    "decisions of people": lambda run: [
        (entry.kind, entry.detail) for entry in run.interventions if entry.kind != "resumed"
    ],
    "why it ended": lambda run: run.end_reason,
}


OF_THE_WHOLE = frozenset(
    {"turns that are run again", "interrupts and resumption", "decisions of people", "why it ended"}
)


def pairs(folder: Path, scenarios: Iterable[str]) -> Iterator[tuple[Trajectory, Trajectory]]:
    """The runs of one tracer: as the handler has them, and as the spans tell them."""
    for name in scenarios:
        known, told = list(load(folder / f"{name}.jsonl")), list(load(folder / f"{name}.binpb"))
        # A run that spans tell in two parts counts with the first of them.
        yield from zip(known, told, strict=False)


def carries(told: list[tuple[Trajectory, Trajectory]], aspect: str) -> str:
    """``yes``, ``no`` or ``partly``, over the runs that have something to carry."""
    look = ASPECTS[aspect]
    if aspect not in OF_THE_WHOLE:
        # A turn too many would count against everything that a turn holds.
        told = [pair for pair in told if len(pair[0].steps) == len(pair[1].steps)]
    asked = [(look(known), look(spans)) for known, spans in told]
    bare = look(Trajectory(run_id="empty"))
    held = [known == spans for known, spans in asked if _says(known, bare)]
    odd = any(known != spans for known, spans in asked if not _says(known, bare))
    if all(held) and not odd:
        return "yes"
    return "partly" if any(held) else "no"


def _says(value: Any, bare: Any) -> bool:
    """Whether there is anything to carry."""
    if isinstance(value, list):
        return any(item not in (None, "", [], ()) for item in value)
    if isinstance(value, tuple):
        return any(_says(item, empty) for item, empty in zip(value, bare, strict=True))
    return bool(value) and value != bare


def table(told: Told) -> str:
    """The matrix in Markdown."""
    head = f"| | {' | '.join(COLUMNS.values())} |"
    rows = [
        f"| {aspect} | {' | '.join(carries(told[name], aspect) for name in COLUMNS)} |"
        for aspect in ASPECTS
    ]
    return "\n".join([head, "|---" * (len(COLUMNS) + 1) + "|", *rows]) + "\n"


def written() -> str:
    """The table on the page."""
    return PAGE.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]


def promised(dialect: str) -> list[str]:
    """The aspects that a dialect carries in full, by the page."""
    at = list(COLUMNS).index(dialect) + 2
    rows = [row.split(" | ") for row in written().splitlines()[2:]]
    return [row[0].removeprefix("| ") for row in rows if row[at - 1].removesuffix(" |") == "yes"]


def write(told: Told) -> None:
    """Put the table into the page."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}{table(told)}{END}{after}", encoding="utf-8")


def recorded(tracer: str) -> list[tuple[Trajectory, Trajectory]]:
    """The runs of one tracer, made now."""
    with TemporaryDirectory() as folder:
        record(tracer, Path(folder))
        return list(pairs(Path(folder), SCENARIOS))


if __name__ == "__main__":
    write({name: recorded(name) for name in COLUMNS})
