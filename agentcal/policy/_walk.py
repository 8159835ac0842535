"""What a policy would have decided in a recorded run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from agentcal.policy._decision import TurnDecision
from agentcal.policy._ledger import BudgetLedger
from agentcal.policy._policy import Policy
from agentcal.policy._turn import GatedTurn, ProposedCall
from agentcal.trajectory import Trajectory

if TYPE_CHECKING:
    from agentcal.calibration import Confidence

_THEN = datetime(1970, 1, 1, tzinfo=UTC)


def meets_gate(run: Trajectory) -> list[bool]:
    """For each turn, whether a policy is asked about it.

    A reply without calls is an answer, unless the run was recorded behind a gate that did not take
    it for one: a plan that goes on to another node is held up by nobody.
    """
    behind_gate = any(step.decided for step in run.steps)
    return [bool(not behind_gate or step.decided or step.tool_calls) for step in run.steps]


def turns_of(run: Trajectory, confidences: Sequence[Confidence | None]) -> Iterator[GatedTurn]:
    """The turns of a recorded run as a policy would have met them, one after the other.

    ``confidences``: one for each turn, in their order; what follows (the finished run) is not used.
    Left out are those that :func:`meets_gate` says no policy meets.
    """
    declared = {tool.name: tool for tool in run.tools}
    for index, (step, met) in enumerate(zip(run.steps, meets_gate(run), strict=True)):
        if not met:
            continue
        calls = tuple(
            ProposedCall(
                call.name, call.arguments, call.id, declared.get(call.name), call.raw_arguments
            )
            for call in step.tool_calls
        )
        yield GatedTurn(
            run_id=run.run_id,
            turn=index + 1,
            confidence=confidences[index],
            calls=calls,
            trail=tuple(confidences[:index]),
            answer=step.text,
            agent=run.agent,
            model=run.model,
        )


def walk(
    policy: Policy,
    run: Trajectory,
    confidences: Sequence[Confidence | None],
    ledger: BudgetLedger,
) -> Iterator[TurnDecision]:
    """Decide on each turn of a recorded run, whatever was decided on the turns before.

    The run is the one that nobody stopped: after a verdict other than "proceed" a live run would
    have gone another way, so what follows that is told for study only.
    """
    for turn in turns_of(run, confidences):
        yield policy.decide(turn, ledger, at=run.started_at or _THEN)
