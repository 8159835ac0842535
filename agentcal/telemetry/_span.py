"""What a span says of an agent's run, in no dialect."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypeAlias

from agentcal.trajectory import (
    CallStatus,
    EndReason,
    Intervention,
    InterventionKind,
    TokenLogprobs,
    Usage,
)

Kind = Literal["agent", "model", "tool", "chain", "other"]
"""``chain``: a part of the program that is neither of the others. ``other``: not of the agent."""

Chat: TypeAlias = dict[str, Any]
"""A message in OpenAI shape; the roles are system, user, assistant and tool."""


HELD_UP = frozenset({"verify", "escalate", "abstain"})
"""The verdicts of a gate that hold an agent up."""


class GateEvent(NamedTuple):
    """A verdict that held an agent up, or what somebody answered; ``turn`` from 1."""

    at_ns: int
    turn: int
    position: int
    word: str
    reason: str = ""
    by: str = ""
    waited_s: float | None = None


@dataclass(slots=True)
class Told:
    """What only agentcal's own spans say, word for word."""

    run_id: str
    turn: int | None = None
    position: int | None = None
    status: CallStatus | None = None
    stated_confidence: float | None = None
    end_reason: EndReason | None = None
    group: str | None = None
    family: str | None = None
    gaps: list[str] = field(default_factory=list)
    known_after: dict[str, int] = field(default_factory=dict)
    interventions: list[Intervention] = field(default_factory=list)


@dataclass(slots=True)
class SpanFacts:
    """One span. What it does not say is ``None`` or empty; ``messages`` is ``None`` if unrecorded.

    ``messages`` went into a model or an agent, ``reply`` came out; ``passed_on`` are the messages
    that a chain put out. ``model`` is the one that replied, ``asked`` the one that was
    asked. ``place`` is where in the program it happened, the same when that place
    is run again. ``fault`` is the type of the error, ``fault_text`` what it said. ``cut_off``
    counts contents that were cut by a limit and are lost. ``resumes``: it goes on with a run that
    was interrupted, after people had taken these ``decisions``. ``gate``: agentcal's own events
    on it, of decisions and reviews; ``decided``: the turns (from 1) that any decision is about.
    """

    trace_id: str
    span_id: str
    parent_id: str | None
    start_ns: int
    end_ns: int
    dialect: str = ""
    kind: Kind = "other"
    name: str = ""
    remote: bool = False
    service: str | None = None
    conversation: str | None = None
    agent: str | None = None
    model: str | None = None
    asked: str | None = None
    place: str | None = None
    resumes: bool = False
    decisions: list[tuple[InterventionKind, str]] = field(default_factory=list)
    fault: str = ""
    fault_text: str = ""
    cut_off: int = 0
    messages: list[Chat] | None = None
    reply: Chat | None = None
    passed_on: list[Chat] = field(default_factory=list)
    system: str = ""
    tools: list[Any] = field(default_factory=list)
    usage: Usage | None = None
    logprobs: TokenLogprobs | None = None
    call_id: str = ""
    arguments: dict[str, Any] | None = None
    argument: str | None = None
    result: str | None = None
    failed: bool = False
    told: Told | None = None
    gate: list[GateEvent] = field(default_factory=list)
    decided: set[int] = field(default_factory=set)

    @property
    def given(self) -> dict[str, Any] | str | None:
        """What a tool was called with: its arguments, or the text of the only one."""
        return self.argument if self.arguments is None else self.arguments

    @property
    def answers(self) -> list[Chat]:
        """What a part of the program says that tools answered, after the last word of a model."""
        found: list[Chat] = []
        for message in self.passed_on if self.kind == "chain" else []:
            if message["role"] == "assistant":
                found = []
            elif message["role"] == "tool":
                found.append(message)
        return found

    @property
    def duration_s(self) -> float:
        """How long it took, in seconds."""
        return max(self.end_ns - self.start_ns, 0) * 1e-9
