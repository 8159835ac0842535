"""What Harbor keeps beside the trajectory of a trial: ``TRIAL/result.json``.

https://github.com/harbor-framework/harbor
"""

from __future__ import annotations

from typing import Any

from agentcal._fields import name_of
from agentcal._json import NotJSON, decode
from agentcal.formats._fields import outcome
from agentcal.formats._format import Context
from agentcal.trajectory import EndReason, Outcome

_LARGEST = 10_000_000
_STOPPED = ("Timeout", "Cancelled")


class Trial:
    """Task, reward and end of the trial that ``TRIAL/agent/trajectory.json`` belongs to.

    Everything is ``None`` for a file that lies elsewhere, or beside no readable ``result.json``.
    """

    def __init__(self, context: Context) -> None:
        result = _result(context)
        self.task: str | None = name_of(result.get("task_name"))
        self.outcome: Outcome | None = _reward(result, context)
        self.end_reason: EndReason | None = _end(result.get("exception_info"))


def _result(context: Context) -> dict[str, Any]:
    path = context.path
    if path.parent.name != "agent" or path.name != "trajectory.json":
        return {}
    place = path.parent.parent / "result.json"
    try:
        raw = place.read_bytes() if place.stat().st_size < _LARGEST else b""
        found, _ = decode(raw)
    except (OSError, NotJSON):
        return {}
    return found if isinstance(found, dict) else {}


def _reward(result: dict[str, Any], context: Context) -> Outcome | None:
    verified = result.get("verifier_result")
    rewards = verified.get("rewards") if isinstance(verified, dict) else None
    if not isinstance(rewards, dict) or not rewards:
        return None
    only = next(iter(rewards.values())) if len(rewards) == 1 else None
    return outcome(rewards.get("reward", only), "Harbor reward", context)


def _end(failure: Any) -> EndReason | None:
    if not isinstance(failure, dict):
        return None
    kind = str(failure.get("exception_type"))
    return "interrupted" if any(word in kind for word in _STOPPED) else "error"
