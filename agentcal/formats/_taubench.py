"""tau-bench results: a JSON list of runs. https://github.com/sierra-research/tau-bench"""

from __future__ import annotations

from typing import Any, ClassVar

from agentcal._fields import as_text
from agentcal.errors import FormatError
from agentcal.formats._chat import Conversation
from agentcal.formats._fields import outcome
from agentcal.formats._format import Context, Record
from agentcal.formats._message import to_result
from agentcal.formats._results import ToolResult
from agentcal.trajectory import Trajectory

_FAILED = "Error:"
_STOP = "###STOP###"


class TauBench:
    """The label is ``reward``, the group ``task_id``. ``info`` holds the gold actions: left behind.

    A tool says that it failed by a text that begins with "Error:"; the simulated user ends a run
    with "###STOP###".
    """

    name: ClassVar[str] = "taubench"
    about: ClassVar[str] = 'tau-bench: [{"task_id": ..., "reward": ..., "traj": [...]}, ...]'

    def sniff(self, record: Record) -> bool:
        """A task id beside a trajectory."""
        return isinstance(record, dict) and "traj" in record and "task_id" in record

    def read(self, record: Record, context: Context) -> Trajectory:
        """Read one run."""
        if not isinstance(record, dict):
            raise FormatError("not an object")
        task, trial = as_text(record["task_id"]), record.get("trial", 0)
        chat = Conversation(record["traj"], context, result=_result)
        stopped = any(_STOP in message.text for message in chat.trailing_inputs)
        return Trajectory(
            run_id=f"{context.stem}/{task}/{as_text(trial)}",
            group=task,
            agent=context.stem,
            task=chat.task,
            system=chat.system,
            steps=chat.steps,
            trailing_inputs=chat.trailing_inputs,
            end_reason="answered" if stopped else chat.end_reason,
            outcome=outcome(record.get("reward"), "tau-bench reward", context),
            metadata={"task_id": record["task_id"], "trial": trial},
        )


def _result(message: dict[str, Any], context: Context) -> ToolResult:
    found = to_result(message, context)
    found.failed = found.failed or found.text.startswith(_FAILED)
    return found
