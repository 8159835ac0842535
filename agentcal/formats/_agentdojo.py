"""AgentDojo exports: a line of summary, then one run a line. https://github.com/ethz-spylab/agentdojo"""

from __future__ import annotations

from itertools import chain
from typing import Any, ClassVar

from agentcal._fields import as_text
from agentcal.errors import FormatError
from agentcal.formats._chat import Conversation
from agentcal.formats._fields import outcome
from agentcal.formats._format import Context, Record
from agentcal.trajectory import Trajectory


class AgentDojo:
    """The label is ``metadata.success`` (the user's task was done); the group is suite and task.

    The rest of ``metadata`` is carried as metadata and nowhere else: ``security``, ``attack_type``
    and ``injection_task_id`` say what the benchmark tried, not what the agent could see.
    """

    name: ClassVar[str] = "agentdojo"
    about: ClassVar[str] = 'AgentDojo: {"messages": [...], "metadata": {"suite_name": ...}}'

    def sniff(self, record: Record) -> bool:
        """A suite in the metadata, or the summary that opens a file."""
        details = record.get("metadata") if isinstance(record, dict) else None
        if not isinstance(record, dict) or not isinstance(details, dict):
            return False
        return _is_summary(record) or ("messages" in record and "suite_name" in details)

    def read(self, record: Record, context: Context) -> Trajectory | None:
        """Read one run; the summary is none."""
        if not isinstance(record, dict) or _is_summary(record):
            return None
        details = record["metadata"]
        task = f"{details['suite_name']}/{_task(details)}"
        chat = Conversation(record["messages"], context)
        _name_the_harness(chat)
        return Trajectory(
            run_id=f"{context.stem}/{task}/{_variant(details)}",
            group=task,
            family=as_text(details["suite_name"]),
            agent=context.stem,
            model=as_text(details.get("model")) or None,
            task=chat.task,
            system=chat.system,
            steps=chat.steps,
            trailing_inputs=chat.trailing_inputs,
            end_reason=chat.end_reason,
            outcome=outcome(details.get("success"), "AgentDojo utility", context),
            metadata={key: value for key, value in details.items() if key != "success"},
        )


def _is_summary(record: dict[str, Any]) -> bool:
    return record.keys() == {"metadata"} and record["metadata"].get("benchmark") == "agent-dojo"


def _name_the_harness(chat: Conversation) -> None:
    """The user speaks once, to give the task; what else stands under "user" is a defence's.

    ``tool_filter`` asks for the tools to keep, ``repeat_user_prompt`` says the task again after the
    results. Features would take either for a message of the user's.
    """
    for message in chain(chat.trailing_inputs, *(step.inputs for step in chat.steps)):
        if message.role == "user":
            message.role = "system"


def _task(details: dict[str, Any]) -> str:
    if details.get("user_task_id") is None:
        raise FormatError("metadata has no user_task_id, so that the run has no task to belong to")
    return as_text(details["user_task_id"])


def _variant(details: dict[str, Any]) -> str:
    """``clean``, or the injection and the attack that carried it."""
    if details.get("injection_task_id") is None:
        return "clean"
    attack = details.get("attack_type")
    return as_text(details["injection_task_id"]) + (f"@{attack}" if attack else "")
