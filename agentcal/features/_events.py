"""What the families see of a run: each event once, already digested, and nothing from later."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from agentcal.features._text import EMPTY, Digest
from agentcal.tools import ToolKind, kind_of
from agentcal.trajectory import CallStatus, Limits, Role, Step, ToolCall, ToolDeclaration

_THOUGHT = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.DOTALL | re.IGNORECASE)
# Made once: json.dumps with settings of one's own makes an encoder at every call.
_ENCODE = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode
_MOST_LEAVES = 200
_MOST_TOKENS = 200_000


def _leaves(value: Any) -> Iterator[str]:
    """Every scalar inside a JSON value as text, keys left out."""
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)
        elif isinstance(item, bool) or item is None:
            continue
        else:
            yield str(item)


def _spoken(text: Digest) -> Digest:
    return Digest(_THOUGHT.sub(" ", text.text).strip())


class Call:
    """A proposed tool call: its name, kind, argument values and a key equal for equal calls."""

    __slots__ = ("key", "kind", "malformed", "name", "text", "values")

    def __init__(self, call: ToolCall, declared: ToolDeclaration | None) -> None:
        self.name = call.name
        self.kind: ToolKind = kind_of(call.name, declared)
        self.malformed = call.arguments is None
        arguments = call.arguments or {}
        self.text = call.raw_arguments or "" if self.malformed else _ENCODE(arguments)
        self.key = hash((call.name, self.text))
        self.values = [Digest(leaf) for leaf in islice(_leaves(arguments), _MOST_LEAVES)]


@dataclass(slots=True)
class Memory:
    """What the agent could know so far: the task, the system prompt, and what tools and users said.

    ``observed`` holds the tokens of tool results and mid-run messages. It stops growing at 200,000
    tokens, far beyond what a context window holds.
    """

    task: Digest = EMPTY
    system: Digest = EMPTY
    tools: dict[str, ToolDeclaration] = field(default_factory=dict)
    limits: Limits | None = None
    observed: set[str] = field(default_factory=set)

    def observe(self, tokens: set[str]) -> None:
        """Add the tokens of something that the agent has now seen."""
        if len(self.observed) < _MOST_TOKENS:
            self.observed |= tokens

    def knows(self, token: str) -> bool:
        """Whether the task, the system prompt or an observation holds this token."""
        return token in self.observed or token in self.task.tokens or token in self.system.tokens


class Turn:
    """A model turn as the families see it: proposed calls without what came of them.

    ``number`` counts from 1. ``said`` is the text without what stands between thinking tags.
    ``memory`` is what was known before this turn.
    """

    __slots__ = ("calls", "memory", "number", "reasoning", "said", "step", "text")

    def __init__(self, step: Step, number: int, memory: Memory) -> None:
        self.step = step
        self.number = number
        self.memory = memory
        self.text = Digest(step.text)
        self.said = self.text if "<think" not in self.text.low else _spoken(self.text)
        self.reasoning = Digest(step.reasoning) if step.reasoning else EMPTY
        self.calls = [Call(call, memory.tools.get(call.name)) for call in step.tool_calls]


@dataclass(slots=True)
class Result:
    """What came back for one call of the last turn. ``memory`` does not hold this result yet."""

    call: Call
    text: Digest
    status: CallStatus
    duration_s: float | None
    memory: Memory


@dataclass(slots=True)
class Inbound:
    """A message that reached the agent in mid-run. ``memory`` does not hold it yet."""

    role: Role
    text: Digest
    memory: Memory
