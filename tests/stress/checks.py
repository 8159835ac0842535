"""What must never happen, whatever the schedule."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tests.stress.schedules import Proposed, Schedule
from tests.stress.world import World


class Faults(NamedTuple):
    """How often each thing happened that must never happen, and out of how much."""

    misrouted: int = 0
    """Calls that were treated as the reviewer answered about another one."""
    twice: int = 0
    """Calls carried out more often than somebody knowingly let them."""
    rejected_run: int = 0
    """Calls carried out that were rejected, answered for, or held back by a decision."""
    changed: int = 0
    """Decisions that were one thing and then another."""
    broken: int = 0
    """Schedules in which the agent could not be brought to an end."""
    schedules: int = 0
    calls: int = 0
    asked: int = 0
    doubts: int = 0
    processes: int = 0

    def __add__(self, other: object) -> Faults:
        if not isinstance(other, Faults):
            return NotImplemented
        return Faults(*(a + b for a, b in zip(self, other, strict=True)))

    @property
    def any(self) -> int:
        """All faults together."""
        return self.misrouted + self.twice + self.rejected_run + self.changed + self.broken


def faults(plan: Schedule, world: World, told: Sequence[Sequence[str]]) -> Faults:
    """Count them in a schedule that is over. ``told``: id, text and status of each tool message."""
    effects, answers, doubts = (
        world.effects(),
        world.answers(doubt=False),
        world.answers(doubt=True),
    )
    held = _held(world)
    found = Faults(changed=len(world.changed()), schedules=1, processes=len(world.processes()))
    for token, proposed in plan.proposed().items():
        done, said, unsure = (x.get(token, []) for x in (effects, answers, doubts))
        refused = proposed.answer in ("reject", "respond") and bool(said)
        found += Faults(
            misrouted=int(
                _misrouted(proposed, done, said) or _mistold(proposed, said, unsure, told)
            ),
            twice=int(len(done) > 1 + unsure.count("approve")),
            rejected_run=int(bool(done) and (refused or (token in held and not said))),
            calls=1,
            asked=int(bool(said)),
            doubts=int(bool(unsure)),
        )
    return found


def _misrouted(proposed: Proposed, done: Sequence[str], said: Sequence[str]) -> bool:
    """It was carried out with a value that nobody meant for it."""
    meant = f"edited-{proposed.token}" if said and proposed.answer == "edit" else "plain"
    return any(value != meant for value in done)


def _mistold(
    proposed: Proposed,
    said: Sequence[str],
    unsure: Sequence[str],
    told: Sequence[Sequence[str]],
) -> bool:
    """The agent was told something else about it than the reviewer said."""
    if not said or unsure or proposed.answer not in ("reject", "respond"):
        return False
    word = {"reject": "no", "respond": "said"}[proposed.answer]
    mine = [text for call, text, _ in told if call == proposed.token]
    return any(f"{word}-{proposed.token}" not in text for text in mine)


def _held(world: World) -> set[str]:
    """Tokens of calls that an enforced decision held back."""
    return set(_tokens(world))


def _tokens(world: World) -> Iterator[str]:
    for body in world.frozen().values():
        if body["verdict"] != "proceed":
            yield body["token"]
