"""Asking people about calls, in the words that reviewing tools know, and reading what they say.

The request is the ``HITLRequest`` of LangChain's ``HumanInTheLoopMiddleware`` (batched): one entry
for each call that waits. The answer has one decision for each, in the same order.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, cast, get_args

from langchain_core.messages import ToolCall

from agentcal import AgentcalError
from agentcal.policy import Decision

AnswerType = Literal["approve", "edit", "reject", "respond"]

ANSWER = "answer"
"""What an answer to the user is called where a reviewer is asked about it; its text is ``text``."""

_OF_CALLS: tuple[AnswerType, ...] = get_args(AnswerType)
_AS_IT_IS: tuple[AnswerType, ...] = ("approve", "reject", "respond")
_LOST = (
    "This call may have run: it was begun, and the process ended before its result was kept. "
    "See whether it took effect. Approve runs it again; respond tells the agent what it gave."
)
_INBOX = {"accept": "approve", "ignore": "reject", "response": "respond"}


class ReviewError(AgentcalError):
    """What somebody answered cannot be read as decisions about what they were asked."""


class Answer(NamedTuple):
    """What a reviewer decided about one call.

    ``name`` and ``args`` are what is to run: as proposed, or as edited. ``message`` is what the
    reviewer said; for "respond" it stands in place of the result.
    """

    type: AnswerType
    name: str
    args: dict[str, Any]
    message: str


Pending = tuple[ToolCall, Decision]
"""A call that waits, and why. For an answer to the user, see :func:`as_call`."""


def as_call(text: str) -> ToolCall:
    """An answer to the user in the form of a call, to ask somebody about it."""
    return ToolCall(name=ANSWER, args={"text": text}, id=None, type="tool_call")


def review_request(
    pending: Sequence[Pending], *, problem: str = "", lost: bool = False
) -> dict[str, Any]:
    """A ``HITLRequest`` about all of them, as plain JSON.

    The score and the reason are in ``description``; so is ``problem``: what was wrong with the
    answer before, if it is asked again. ``lost``: these are calls that were begun, and nobody knows
    whether they have run.
    """
    return {
        "action_requests": [
            {
                "name": call["name"],
                "args": call["args"],
                "description": _words(decision, problem, lost),
            }
            for call, decision in pending
        ],
        "review_configs": [
            {"action_name": call["name"], "allowed_decisions": list(_allowed(decision, lost))}
            for call, decision in pending
        ],
    }


def answers_in(answer: Any, pending: Sequence[Pending], *, lost: bool = False) -> list[Answer]:
    """The decisions in what a graph was resumed with, one for each that waits, in their order.

    Read are ``{"decisions": [...]}`` as ``HumanInTheLoopMiddleware`` takes it, and the list of
    ``HumanResponse`` of the Agent Inbox. Raises :class:`ReviewError`, which says what is wrong and
    what was expected: nothing is guessed.
    """
    given = answer.get("decisions") if isinstance(answer, Mapping) else answer
    if not isinstance(given, (list, tuple)):
        raise ReviewError(
            'the answer has no decisions; resume with {"decisions": [{"type": "approve"}, ...]}'
        )
    if len(given) != len(pending):
        raise ReviewError(
            f"{len(given)} decisions for {len(pending)} requests; "
            "give one for each, in the order of the requests"
        )
    return [
        _answer(number, entry, call, _allowed(decision, lost))
        for number, (entry, (call, decision)) in enumerate(zip(given, pending, strict=True), 1)
    ]


def _allowed(decision: Decision, lost: bool) -> tuple[AnswerType, ...]:
    return _AS_IT_IS if lost or decision.tool is None else _OF_CALLS


def _words(decision: Decision, problem: str, lost: bool) -> str:
    if lost:
        return "\n".join([_again(problem), _LOST] if problem else [_LOST])
    scored = decision.confidence
    lines = [
        _again(problem) if problem else "",
        f"{scored}." if scored is not None else "No confidence is available.",
        f"Asked because: {decision.reason}.",
    ]
    return "\n".join(line for line in lines if line)


def _again(problem: str) -> str:
    return f"The last answer could not be used: {problem}."


def _answer(number: int, entry: Any, call: ToolCall, allowed: Sequence[AnswerType]) -> Answer:
    kind = entry.get("type") if isinstance(entry, Mapping) else None
    kind = _INBOX.get(kind, kind) if isinstance(kind, str) else None
    if kind not in allowed:
        raise ReviewError(f"decision {number} has no known type; give one of {', '.join(allowed)}")
    known = cast("AnswerType", kind)
    message = _message(number, known, entry)
    name, args = _edited(number, entry) if known == "edit" else (call["name"], call["args"])
    return Answer(known, name, args, message)


def _message(number: int, kind: AnswerType, entry: Mapping[str, Any]) -> str:
    said = entry.get("message")
    if said is None and isinstance(entry.get("args"), str):
        said = entry["args"]
    if said is None and kind != "respond":
        return ""
    if not isinstance(said, str):
        raise ReviewError(f'decision {number} ({kind}): "message" has to be text')
    return said


def _edited(number: int, entry: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    action = entry.get("edited_action", entry.get("args"))
    named = action if isinstance(action, Mapping) else {}
    name, args = named.get("name", named.get("action")), named.get("args")
    if not (isinstance(name, str) and name and isinstance(args, Mapping) and _is_json(args)):
        raise ReviewError(
            f"decision {number} (edit) does not say what to run; "
            'give "edited_action": {"name": ..., "args": {...}}'
        )
    return name, dict(args)


def _is_json(args: Mapping[Any, Any]) -> bool:
    """Whether it can be frozen, and is what a model could have proposed."""
    try:
        json.dumps(args, allow_nan=False)
    except (TypeError, ValueError):
        return False
    return all(isinstance(name, str) for name in args)
