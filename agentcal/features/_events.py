"""What the families see of a run: each event once, already digested, and nothing from later."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from agentcal.features._recent import Recent
from agentcal.features._text import EMPTY, Digest, digest
from agentcal.tools import ToolKind, kind_of
from agentcal.trajectory import CallStatus, Limits, Role, Step, ToolCall, ToolDeclaration

_TAG = re.compile(r"<(/?)think(?:ing)?>", re.IGNORECASE)
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
    """The text without what stands between thinking tags, or behind one that is left open."""
    # A lazy match from tag to tag would look at every character on the way, ten times slower.
    said, start, inside = [], 0, False
    for tag in _TAG.finditer(text.text):
        closes = bool(tag[1])
        if closes and inside:
            start, inside = tag.end(), False
        elif not closes and not inside:
            said.append(text.text[start : tag.start()])
            inside = True
    if not inside:
        said.append(text.text[start:])
    return digest(" ".join(said).strip())


class Arguments:
    """The arguments of a call: each value, and the words and entities of all of them."""

    __slots__ = ("bag", "entities", "values")

    def __init__(self, encoded: str) -> None:
        leaves = islice(_leaves(json.loads(encoded)), _MOST_LEAVES)
        self.values = [digest(leaf) for leaf in leaves]
        self.bag: set[str] = set().union(*(value.bag for value in self.values))
        self.entities: set[str] = set().union(*(value.entities for value in self.values))


_recent = Recent(Arguments)
_NONE = Arguments("{}")


class Call:
    """A proposed tool call: its name, kind, arguments and a key equal for equal calls."""

    __slots__ = ("arguments", "key", "kind", "malformed", "name", "text")

    def __init__(self, call: ToolCall, declared: ToolDeclaration | None) -> None:
        self.name = call.name
        self.kind: ToolKind = kind_of(call.name, declared)
        self.malformed = call.arguments is None
        if call.arguments:
            self.text = _ENCODE(call.arguments)
            self.arguments = _recent.get(self.text)
        else:
            self.text = call.raw_arguments or "" if self.malformed else "{}"
            self.arguments = _NONE
        self.key = hash((call.name, self.text))

    @property
    def values(self) -> list[Digest]:
        """Every scalar among the arguments."""
        return self.arguments.values


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

    def new(self, text: Digest) -> set[str]:
        """The tokens of a text that no observation has held."""
        return text.tokens - self.observed

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
        self.text = digest(step.text)
        self.said = self.text if "<think" not in self.text.low else _spoken(self.text)
        self.reasoning = digest(step.reasoning)
        self.calls = [Call(call, memory.tools.get(call.name)) for call in step.tool_calls]


@dataclass(slots=True)
class Result:
    """What came back for one call. ``memory`` does not hold this result yet.

    ``new``: the tokens of the result that no observation before it held.
    """

    call: Call
    text: Digest
    new: set[str]
    status: CallStatus
    duration_s: float | None
    memory: Memory


@dataclass(slots=True)
class Inbound:
    """A message that reached the agent in mid-run. ``memory`` does not hold it yet."""

    role: Role
    text: Digest
    memory: Memory
