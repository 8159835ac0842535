"""The person who is asked: sure of what they want for each call, careless in how they say it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langgraph.types import Command, Interrupt

from tests.stress.agent import edited
from tests.stress.schedules import Proposed, Schedule
from tests.stress.world import World

_DOUBT = "may have run"


def answer(schedule: Schedule, world: World, waiting: Sequence[Interrupt]) -> Command[Any]:
    """The right answer to everything that waits, by the id of its interrupt."""
    return Command(resume={one.id: _about(schedule, world, one.value) for one in waiting})


def blunder(schedule: Schedule, waiting: Sequence[Interrupt]) -> Command[Any] | None:
    """A wrong answer first; None from a reviewer who makes no mistakes."""
    wrong: dict[str, Any] = {
        "wrong id": {"0" * 32: {"decisions": []}},
        "too few": {one.id: {"decisions": []} for one in waiting},
        "nonsense": {one.id: "yes, please" for one in waiting},
    }
    found = wrong.get(schedule.blunder)
    return None if found is None else Command(resume=found)


def _about(schedule: Schedule, world: World, value: Any) -> dict[str, Any]:
    if "token" in value:  # the plain pattern asks about one call at a time
        return _decide(schedule, world, {"args": value, "name": value["tool"]})
    return {"decisions": [_decide(schedule, world, a) for a in value["action_requests"]]}


def _decide(schedule: Schedule, world: World, action: dict[str, Any]) -> dict[str, Any]:
    proposed = schedule.proposed()[action["args"]["token"]]
    doubt = _DOUBT in action.get("description", "")
    kind = ("approve" if schedule.rerun else "reject") if doubt else proposed.answer
    world.told(proposed.token, kind, doubt=doubt)
    return _said(proposed, kind, action)


def _said(proposed: Proposed, kind: str, action: dict[str, Any]) -> dict[str, Any]:
    if kind == "edit":
        return {
            "type": "edit",
            "edited_action": {"name": action["name"], "args": edited(proposed)},
        }
    message = {"reject": f"no-{proposed.token}", "respond": f"said-{proposed.token}"}
    return {"type": kind, **({"message": message[kind]} if kind in message else {})}
