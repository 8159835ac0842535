"""What is new in the messages that a model was shown: those after the newest turn that is known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from agentcal._fields import as_text
from agentcal.formats import Context
from agentcal.formats.parts import spoken, to_step
from agentcal.telemetry._calls import Calls
from agentcal.telemetry._span import Chat
from agentcal.trajectory import Message, Role, Step

_Said = tuple[str, tuple[str, ...]]


class News(NamedTuple):
    """``earlier``: what was shown before, of which tool results may still be news; ``new`` then.

    ``follows``: the new part follows a turn of the agent or the request. Where it follows nothing,
    it is a prompt that the program wrote for this one model turn.
    """

    earlier: Sequence[Chat]
    new: Sequence[Chat]
    follows: bool


class Heard:
    """Remembers what the user asked for and what agents said, to know it again in histories."""

    def __init__(self, calls: Calls, context: Context) -> None:
        self._calls, self._context = calls, context
        self._task: set[str] = set()
        self._said: set[_Said] = set()

    def asked(self, task: str) -> None:
        """What the user asked for, in one message or several."""
        self._task |= {task, *task.split("\n\n")} - {""}

    def said(self, step: Step) -> None:
        """What an agent said."""
        self._said.add(_key(step))

    def news(self, messages: Sequence[Chat], *, blank: bool = False) -> News:
        """Read backwards to the newest turn that is known, or to the request.

        A turn that is not known, and proposed calls, is news itself: its span is lost. Any other is
        taken for one that was known before the request came; with ``blank``, for the one of which
        nothing was recorded.
        """
        unknown = None
        for at in range(len(messages) - 1, -1, -1):
            message = messages[at]
            if message["role"] == "assistant":
                if self._knows(message):
                    return News(messages[: at + 1], messages[at + 1 :], follows=True)
                if not blank and not message.get("tool_calls"):
                    break
                unknown = at if unknown is None else unknown
            elif message["role"] == "user" and self._text(message) in self._task:
                return News(messages[: at + 1], messages[at + 1 :], follows=True)
        else:
            at = -1
        begin = at if unknown is None else unknown
        return News(messages[: begin + 1], messages[begin + 1 :], follows=begin >= 0)

    def told(self, message: Chat, *, follows: bool) -> Message | None:
        """How a trajectory keeps a message; ``None`` for the system prompt."""
        if message["role"] == "system":
            role: Role = "system"
            if not follows:
                return None
        else:
            role = "user" if follows and message["role"] == "user" else "agent"
        return Message(role=role, text=self._text(message))

    def _text(self, message: Chat) -> str:
        return spoken(message.get("content"), self._context)[0]

    def _knows(self, message: Chat) -> bool:
        ids = (as_text(call.get("id")) for call in message.get("tool_calls") or ())
        if any(self._calls.knows(call_id) for call_id in ids if call_id):
            return True
        return self.knows(to_step(message, self._context))

    def knows(self, step: Step) -> bool:
        """Whether an agent has said this."""
        return _key(step) in self._said


def _key(step: Step) -> _Said:
    return step.text.strip(), tuple(call.name for call in step.tool_calls)


def newest_request(messages: Sequence[Chat]) -> list[Chat]:
    """The user's newest messages, as many as stand together."""
    found: list[Chat] = []
    for message in reversed(messages):
        if message["role"] == "user":
            found.append(message)
        elif found:
            break
    return found[::-1]


def task_in(asked: Iterable[Chat], context: Context) -> str:
    """A request as one text."""
    return "\n\n".join(spoken(message.get("content"), context)[0] for message in asked)


def since_request(messages: Sequence[Chat]) -> Sequence[Chat]:
    """The history after the user's newest messages."""
    asked = [at for at, message in enumerate(messages) if message["role"] == "user"]
    return messages[asked[-1] + 1 :] if asked else messages


def leading_system(messages: Iterable[Chat], context: Context) -> str:
    """The system prompt: system messages before anything else."""
    texts: list[str] = []
    for message in messages:
        if message["role"] != "system":
            break
        texts.append(spoken(message.get("content"), context)[0])
    return "\n\n".join(texts)
