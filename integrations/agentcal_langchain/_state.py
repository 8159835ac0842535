"""What the middleware keeps in the agent's state: plain JSON, checkpointed with the messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, NotRequired, TypedDict, cast

from langchain.agents.middleware import AgentState
from langchain.agents.middleware.types import PrivateStateAttr

from agentcal import Confidence

KEY = "agentcal"
DEFAULT_NAME = "CalibrationMiddleware"


class GateRecord(TypedDict):
    """What was decided about one model turn, and what came of it; see :class:`Frozen`."""

    ids: list[str]
    given: list[str]
    decision: dict[str, Any]
    found: str | None
    answers: dict[str, dict[str, Any]]
    seen_to: bool
    sent_back: bool
    stopped: bool


class RunRecord(TypedDict):
    """``turns``: the confidence of each model turn of this run by the id of its message.

    ``None`` where it was not available. ``gates``: under the same ids, what a policy decided.
    ``place`` is empty unless another agent's tool called this one: it tells apart what that tool
    called.
    """

    run_id: str
    place: str
    turns: dict[str, dict[str, Any] | None]
    gates: NotRequired[dict[str, GateRecord]]


def merged(left: Mapping[str, RunRecord], right: Mapping[str, RunRecord]) -> dict[str, RunRecord]:
    """Turns of the same run add up; another run takes the place of the one before."""
    found = dict(left)
    for name, new in right.items():
        old = found.get(name)
        same = old is not None and old["run_id"] == new["run_id"]
        found[name] = joined(old, new) if old is not None and same else new
    return found


def joined(old: RunRecord, new: RunRecord) -> RunRecord:
    """``new`` with what only ``old`` has."""
    both: RunRecord = {**new, "turns": {**old["turns"], **new["turns"]}}
    gates = {**old.get("gates", {}), **new.get("gates", {})}
    return {**both, "gates": gates} if gates else both


class CalibrationState(AgentState[Any]):
    """The agent's state with one entry for each calibration middleware, by its name."""

    # LangGraph looks for the reducer at the end, LangChain for its own mark anywhere.
    agentcal: NotRequired[Annotated[dict[str, RunRecord], PrivateStateAttr, merged]]


def record_in(state: Any, name: str) -> RunRecord | None:
    """What the middleware of this name has written about the run that is going on."""
    found = state.get(KEY) or {}
    return cast("RunRecord | None", found.get(name))


def confidence_in(
    state: Mapping[str, Any], message_id: str | None = None, *, name: str = DEFAULT_NAME
) -> Confidence | None:
    """The confidence that is frozen in an agent's state, for other middleware and for programs.

    ``state`` is what a hook is given, or ``agent.get_state(config).values``. Without ``message_id``
    (of a model's message) it is that of the newest turn. ``None`` where there is none: no turn yet,
    no calibrator, or no score was available; a gate must treat that as unsafe.
    """
    record = record_in(state, name)
    if record is None or not record["turns"]:
        return None
    turns = record["turns"]
    stored = turns.get(message_id) if message_id is not None else turns[next(reversed(turns))]
    return None if stored is None else Confidence(**stored)
