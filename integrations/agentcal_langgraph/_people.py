"""What people decided about the calls that an interrupt asked them about."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from agentcal import ToolCall
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


class Decision(NamedTuple):
    """``call_id`` is empty where the answer does not tell which call it is about."""

    kind: InterventionKind
    call_id: str
    detail: str


def decisions_in(answer: Any, asked: Sequence[ToolCall]) -> list[Decision]:
    """The decisions in what a graph was resumed with, about the calls that wait.

    Read are the answers of ``HumanInTheLoopMiddleware`` and of the Agent Inbox; what other programs
    mean by theirs is not known here. Decisions come in the order of the calls: if there are as many
    as calls, they tell which is which.
    """
    found = [*_decisions(answer)]
    ids = [call.id for call in asked] if len(found) == len(asked) else [""] * len(found)
    return [
        Decision(_KINDS[entry["type"]], call_id, _detail(entry))
        for entry, call_id in zip(found, ids, strict=True)
    ]


def _decisions(answer: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(answer, (list, tuple)):
        for entry in answer:
            yield from _decisions(entry)
    elif isinstance(answer, Mapping):
        if isinstance(answer.get("type"), str):
            if answer["type"] in _KINDS:
                yield answer
        elif isinstance(answer.get("decisions"), (list, tuple)):
            yield from _decisions(answer["decisions"])
        elif all(isinstance(k, str) and _INTERRUPT_ID.fullmatch(k) for k in answer):
            yield from _decisions(list(answer.values()))


def _detail(entry: Mapping[str, Any]) -> str:
    message = entry.get("message")
    return message if isinstance(message, str) else ""
