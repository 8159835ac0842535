"""Labelled runs as a policy meets them, without what no rule looks at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from agentcal._seen import mark_of
from agentcal.calibration import Calibrator, changed
from agentcal.evaluation import Labelled
from agentcal.policy import GatedTurn, ProposedCall, turns_of
from agentcal.trajectory import ToolDeclaration


@dataclass(frozen=True, slots=True)
class Walked:
    """One run: the ``turns`` that a policy meets, and how it turned out.

    ``values``: P(success) at each turn, in (0, 1); ``supports``: how familiar it is, in (0, 1]. Of
    all turns: an alarm hears of those too that no policy meets.

    ``success``: without help. A run in which somebody changed what the agent had proposed counts as
    failed, for nobody knows how it would have gone on; so no promise is too good because of it.
    ``tools`` are all that it declared or called; by its ``mark`` it is known again.
    """

    run_id: str
    mark: bytes
    group: str
    success: bool
    agent: str
    model: str
    tools: Mapping[str, ToolDeclaration | None]
    turns: tuple[GatedTurn, ...]
    values: list[float]
    supports: list[float]


def walked(calibrator: Calibrator, runs: Iterable[Labelled]) -> Iterator[Walked]:
    """Score each run at each of its turns."""
    for run, group, success in runs:
        confidences = calibrator.score(run)[:-1]
        turns = tuple(_light(turn) for turn in turns_of(run, confidences))
        called = {call.name: None for step in run.steps for call in step.tool_calls}
        tools = {**called, **{tool.name: tool for tool in run.tools}}
        alone = success and not changed(run)
        agent, model, mark = run.agent or "", run.model or "", mark_of(run)
        values, supports = [c.value for c in confidences], [c.support for c in confidences]
        yield Walked(run.run_id, mark, group, alone, agent, model, tools, turns, values, supports)


def _light(turn: GatedTurn) -> GatedTurn:
    return GatedTurn(
        turn.run_id,
        turn.turn,
        turn.confidence,
        tuple(ProposedCall(call.name, None, declared=call.declared) for call in turn.calls),
        turn.trail,
        agent=turn.agent,
        model=turn.model,
    )
