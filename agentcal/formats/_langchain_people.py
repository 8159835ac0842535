"""What people answered when a graph asked them: LangChain's middleware, the Agent Inbox."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from agentcal.trajectory import InterventionKind

_KINDS: Mapping[str, InterventionKind] = {
    "approve": "approved",
    "accept": "approved",
    "edit": "edited",
    "reject": "rejected",
    "ignore": "rejected",
    "respond": "responded",
    "response": "responded",
}
_INTERRUPT_ID = re.compile(r"[0-9a-f]{32}")


def langchain_decisions(answer: Any) -> list[tuple[InterventionKind, str]]:
    """The decisions in what a graph was resumed with, in order, and what was said with each.

    Read are the answers of ``HumanInTheLoopMiddleware`` and of the Agent Inbox, also by the id of
    an interrupt; what other programs mean by theirs is not known here.
    """
    if isinstance(answer, (list, tuple)):
        return [decision for entry in answer for decision in langchain_decisions(entry)]
    if not isinstance(answer, Mapping):
        return []
    if isinstance(answer.get("type"), str):
        kind, said = _KINDS.get(answer["type"]), answer.get("message")
        return [(kind, said if isinstance(said, str) else "")] if kind else []
    if isinstance(answer.get("decisions"), (list, tuple)):
        return langchain_decisions(answer["decisions"])
    if all(isinstance(key, str) and _INTERRUPT_ID.fullmatch(key) for key in answer):
        return langchain_decisions(list(answer.values()))
    return []
