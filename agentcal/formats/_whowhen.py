"""Histories of several agents with a fault pinned on one of them, as in Who&When.

"Which Agent Causes Task Failures and When?" (arXiv 2505.00212).
"""

from __future__ import annotations

from typing import Any, ClassVar

from agentcal._fields import as_text, name_of
from agentcal.errors import FormatError
from agentcal.formats._chat import checked
from agentcal.formats._fields import moment, outcome
from agentcal.formats._format import Context, Record
from agentcal.formats._record import LABELS, first, label
from agentcal.formats._whowhen_team import Team
from agentcal.trajectory import Outcome, Trajectory

_RIGHT = ("is_correct", "is_corrected")
_USED = frozenset(
    {"history", "question", "system_prompt", "run_id", "id", "group", "task_id", "agent", "model"}
    | {"started_at", "metadata", *_RIGHT, *LABELS}
)


class WhoAndWhen:
    """Every message of an agent is a step with ``Step.agent`` set; the question is the task.

    The label is ``is_correct`` (or ``is_corrected``), the group ``question_ID``. The right answer
    and the annotated mistake are metadata and nowhere else.
    """

    name: ClassVar[str] = "whowhen"
    about: ClassVar[str] = 'Who&When: {"question": ..., "history": [{"content", "role", "name"}]}'

    def sniff(self, record: Record) -> bool:
        """A history beside a question or an annotated mistake."""
        if not isinstance(record, dict) or not isinstance(record.get("history"), list):
            return False
        return "messages" not in record and ("question" in record or "mistake_agent" in record)

    def read(self, record: Record, context: Context) -> Trajectory:
        """Read one history."""
        if not isinstance(record, dict):
            raise FormatError("not an object")
        question = as_text(record.get("question"))
        team = Team(checked(record.get("history")), question, context)
        return Trajectory(
            run_id=first(record, "run_id", "id") or context.fallback_id,
            group=first(record, "group", "task_id", "question_ID", "question_id"),
            agent=name_of(record.get("agent")),
            model=name_of(record.get("model")),
            task=question or team.task,
            system=_prompts(record.get("system_prompt")),
            steps=team.steps,
            trailing_inputs=team.trailing_inputs,
            end_reason=team.end_reason,
            outcome=_label(record, context),
            started_at=moment(record.get("started_at"), context),
            metadata=_metadata(record),
        )


def _prompts(value: Any) -> str:
    """One prompt, or one for each agent."""
    if not isinstance(value, dict):
        return as_text(value)
    return "\n\n".join(f"{agent}:\n{as_text(prompt)}" for agent, prompt in value.items())


def _label(record: dict[str, Any], context: Context) -> Outcome | None:
    told = next((name for name in _RIGHT if record.get(name) is not None), None)
    return outcome(record[told], told, context) if told else label(record, context)


def _metadata(record: dict[str, Any]) -> dict[str, Any]:
    given = record.get("metadata")
    own = given if isinstance(given, dict) else {}
    return {**{key: value for key, value in record.items() if key not in _USED}, **own}
