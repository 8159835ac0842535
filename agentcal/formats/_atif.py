"""ATIF, the Agent Trajectory Interchange Format of Harbor, v1.0 to v1.8: reading."""

from __future__ import annotations

from typing import Any, ClassVar

from agentcal._fields import as_text, name_of
from agentcal.errors import FormatError
from agentcal.formats._agentcal import with_sound_label
from agentcal.formats._atif_call import OURS, RUN_BESIDE
from agentcal.formats._atif_steps import Dialogue
from agentcal.formats._declarations import declarations
from agentcal.formats._fields import moment
from agentcal.formats._format import Context, Record
from agentcal.formats._harbor import Trial
from agentcal.formats._record import LABELS, first, label
from agentcal.trajectory import EndReason, Trajectory

_KEPT = ("notes", "final_metrics", "continued_trajectory_ref")


class Atif:
    """A trajectory a document. What ATIF has no place for stands under ``extra.agentcal``.

    Inside a job folder of Harbor the verifier's reward is the outcome and the task the group.
    Agent steps that were copied from an earlier trajectory are inputs, not decisions; embedded
    subagent trajectories, token ids, costs and images are left out.
    """

    name: ClassVar[str] = "atif"
    about: ClassVar[str] = 'ATIF: {"schema_version": "ATIF-v1.7", "agent": ..., "steps": [...]}'

    def sniff(self, record: Record) -> bool:
        """The version's name, or steps that have a source."""
        if not isinstance(record, dict) or not isinstance(record.get("steps"), list):
            return False
        steps = record["steps"]
        if as_text(record.get("schema_version")).startswith("ATIF"):
            return True
        return (
            bool(steps) and isinstance(steps[0], dict) and {"source", "message"} <= steps[0].keys()
        )

    def read(self, record: Record, context: Context) -> Trajectory:
        """Read one trajectory."""
        if not isinstance(record, dict):
            raise FormatError("not an object")
        agent, extra = _object(record.get("agent")), _object(record.get("extra"))
        own = extra.get(OURS)
        here = isinstance(own, dict)
        dialogue = Dialogue(record.get("steps"), context, written_here=here)
        if record.get("subagent_trajectories"):
            fix = "Left out; convert them to documents of their own to read them as runs."
            context.note("embedded subagent trajectories", fix=fix)
        run = Trajectory(
            run_id=first(record, "trajectory_id", "session_id") or context.fallback_id,
            agent=name_of(agent.get("name")),
            model=name_of(agent.get("model_name")),
            task=dialogue.task,
            system=dialogue.system,
            tools=declarations(_tools(agent), context),
            steps=dialogue.steps,
            trailing_inputs=dialogue.trailing_inputs,
            end_reason=dialogue.end_reason,
            started_at=moment(dialogue.started_at, context),
        )
        if isinstance(own, dict):
            return _completed(run, own, context)
        return _described(run, record, extra, context)


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _tools(agent: dict[str, Any]) -> Any:
    """Before v1.5 there was no place for them."""
    found = agent.get("tool_definitions")
    return _object(agent.get("extra")).get("tool_definitions") if found is None else found


def _completed(run: Trajectory, own: dict[str, Any], context: Context) -> Trajectory:
    """With what agentcal itself has written beside it."""
    fields = {key: own[key] for key in {*RUN_BESIDE, "agent", "model"} if key in own}
    sound = with_sound_label({"end_reason": "unknown", **fields}, context)
    return Trajectory.model_validate({**dict(run), **sound})


def _described(
    run: Trajectory, record: dict[str, Any], extra: dict[str, Any], context: Context
) -> Trajectory:
    """With what others write beside it, and what Harbor's folder says."""
    trial = Trial(context)
    ended: EndReason = trial.end_reason or run.end_reason
    return run.model_copy(
        update={
            "group": first(extra, "group", "task_id", "task_name") or trial.task,
            "outcome": label(extra, context) or trial.outcome,
            "end_reason": ended,
            "metadata": {
                **{key: record[key] for key in _KEPT if record.get(key) is not None},
                **_named("agent_version", _object(record.get("agent")).get("version")),
                **{key: value for key, value in extra.items() if key not in LABELS},
            },
        }
    )


def _named(key: str, value: Any) -> dict[str, Any]:
    return {} if value is None else {key: value}
