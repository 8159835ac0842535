"""What a run of messages may bring beside them: id, group, label, agent, model, tools, metadata."""

from __future__ import annotations

from collections.abc import Set
from typing import Any, get_args

from agentcal._fields import as_text, name_of
from agentcal.formats._chat import Conversation
from agentcal.formats._declarations import declarations
from agentcal.formats._fields import moment, outcome
from agentcal.formats._format import Context
from agentcal.trajectory import EndReason, Outcome, Trajectory

LABELS = ("outcome", "success", "reward", "score", "label")
_USED = frozenset(
    {"messages", "id", "run_id", "group", "task_id", "family", "task", "agent", "model"}
    | {"tools", "conversation", "end_reason", "started_at", "metadata", *LABELS}
)


def to_run(
    fields: dict[str, Any], chat: Conversation, context: Context, *, used: Set[str] = frozenset()
) -> Trajectory:
    """The conversation with the fields beside it; those unknown, and not ``used``, are metadata."""
    told = fields.get("end_reason")
    return Trajectory(
        run_id=first(fields, "run_id", "id") or context.fallback_id,
        group=first(fields, "group", "task_id"),
        conversation=name_of(fields.get("conversation")),
        family=name_of(fields.get("family")),
        agent=name_of(fields.get("agent")),
        model=name_of(fields.get("model")),
        task=chat.task or as_text(fields.get("task")),
        system=chat.system,
        tools=declarations(fields.get("tools"), context),
        steps=chat.steps,
        trailing_inputs=chat.trailing_inputs,
        end_reason=told if told in get_args(EndReason) else chat.end_reason,
        outcome=label(fields, context),
        started_at=moment(fields.get("started_at"), context),
        metadata=_metadata(fields, used),
    )


def first(fields: dict[str, Any], *names: str) -> str | None:
    """The first of these fields that names something."""
    found = (name_of(fields.get(name)) for name in names)
    return next((value for value in found if value is not None), None)


def label(fields: dict[str, Any], context: Context) -> Outcome | None:
    """The outcome from the first field that is called like one."""
    source = next((name for name in LABELS if fields.get(name) is not None), None)
    return None if source is None else outcome(fields[source], source, context)


def _metadata(fields: dict[str, Any], used: Set[str]) -> dict[str, Any]:
    given = fields.get("metadata")
    own = given if isinstance(given, dict) else {} if given is None else {"metadata": given}
    return {**{k: v for k, v in fields.items() if k not in _USED and k not in used}, **own}
