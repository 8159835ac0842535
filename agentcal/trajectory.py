"""The data model of a run: what happened, step by step, as plain JSON.

A :class:`Trajectory` is one request to an agent: the task, the model turns (:class:`Step`) with the
tool calls they proposed, what came back, why the run ended and, when the world has answered, its
:class:`Outcome`. Unfinished runs, interrupted runs and runs without any model turn are valid.
"""

from __future__ import annotations

import math
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NamedTuple, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, model_validator

SCHEMA_VERSION: Literal[1] = 1

CallStatus = Literal["ok", "error", "missing", "rejected", "edited"]
"""``missing``: no result was seen. ``rejected`` and ``edited``: a person or a gate stepped in."""

EndReason = Literal[
    "answered", "max_steps", "error", "interrupted", "cancelled", "abstained", "unknown"
]
"""Why the run ended. ``abstained``: a gate ended it, so nobody knows how it would have gone on.
``unknown``: the log does not say, or the run is still going on."""

Role = Literal["user", "system", "agent"]

InterventionKind = Literal[
    "approved", "edited", "rejected", "responded", "verified", "aborted", "resumed"
]


WAITING: Final = "agentcal.waiting"
"""In the metadata of a run while a gate waits for an answer in it: the turn that it asked about."""


def _finite_or_none(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


FiniteOrNone = Annotated[float | None, BeforeValidator(_finite_or_none)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", ser_json_inf_nan="null")


class Usage(_Model):
    """Tokens that a model turn consumed and produced, as the provider counted them."""

    input_tokens: int | None = Field(default=None, ge=0)
    output_tokens: int | None = Field(default=None, ge=0)
    reasoning_tokens: int | None = Field(default=None, ge=0)


class TokenLogprobs(_Model):
    """Log-probabilities (nats, <= 0) of one model turn: parallel lists, one entry a token.

    ``top`` holds, for each token, the log-probabilities of the most likely alternatives in falling
    order, the chosen token among them where the provider lists it. Values that are not finite are
    kept as ``None``: missing, never zero.
    """

    tokens: list[str] = Field(default_factory=list)
    logprobs: list[FiniteOrNone] = Field(default_factory=list)
    top: list[list[FiniteOrNone]] = Field(default_factory=list)

    @model_validator(mode="after")
    def _same_length(self) -> Self:
        for name, other in (("tokens", self.tokens), ("top", self.top)):
            if other and len(other) != len(self.logprobs):
                raise ValueError(
                    f"{name} has {len(other)} entries, logprobs has {len(self.logprobs)}; "
                    "give one entry a token or leave the list empty"
                )
        return self


class ToolDeclaration(_Model):
    """A tool as it was offered to the model; hints as in the MCP tool annotations."""

    name: str
    description: str = ""
    parameters: dict[str, JsonValue] = Field(default_factory=dict)
    kind: Literal["evidence", "verification", "action", "other"] | None = None
    read_only: bool | None = None
    destructive: bool | None = None
    idempotent: bool | None = None
    open_world: bool | None = None


class ToolCall(_Model):
    """One proposed tool call and, once known, what came back.

    ``arguments`` is ``None`` when the model's text did not parse; ``raw_arguments`` keeps it.
    ``returned_after`` is the index of the newest step when the result came, given only where that
    is a later step than the call's own: agents at work side by side.
    """

    id: str = ""
    name: str
    arguments: dict[str, JsonValue] | None = Field(default_factory=dict)
    raw_arguments: str | None = None
    result: str | None = None
    status: CallStatus = "missing"
    duration_s: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    returned_after: int | None = Field(default=None, ge=0)


class Message(_Model):
    """A message that reached the agent in mid-run: a user's reply, a reminder, another agent."""

    role: Role
    text: str


class Step(_Model):
    """One model turn: what it was told before (``inputs``), what it said and proposed to do.

    A step with tool calls is a ``tool_turn``; one without is an ``answer_turn``.
    ``stated_confidence`` is what the model itself claimed in this turn, in [0, 1]. ``decided``: a
    gate has decided about it, in shadow mode too.
    """

    inputs: list[Message] = Field(default_factory=list)
    text: str = ""
    reasoning: str = ""
    tool_calls: list[ToolCall] = Field(default_factory=list)
    logprobs: TokenLogprobs | None = None
    usage: Usage | None = None
    latency_s: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    stated_confidence: float | None = Field(default=None, ge=0, le=1)
    agent: str | None = None
    model: str | None = None
    decided: bool = False


class Intervention(_Model):
    """Somebody or something other than the agent stepped in on turn ``step`` (counted from 0).

    It happened after that turn was proposed, so the decision at that turn has not seen it.
    ``waited_s``: how long the agent waited for the answer, in seconds; ``None`` where not known.
    """

    step: int = Field(ge=0)
    kind: InterventionKind
    by: str = ""
    detail: str = ""
    waited_s: float | None = Field(default=None, ge=0, allow_inf_nan=False)


class Outcome(_Model):
    """How the run turned out: ``value`` in [0, 1], who said so, and when."""

    value: float = Field(ge=0, le=1)
    source: str = ""
    at: datetime | None = None


class Limits(_Model):
    """What the agent was allowed to use up before somebody would stop it."""

    steps: int | None = Field(default=None, gt=0)
    tokens: int | None = Field(default=None, gt=0)
    seconds: float | None = Field(default=None, gt=0, allow_inf_nan=False)


class Briefing(NamedTuple):
    """What an agent had been told when it took a step."""

    task: str
    system: str
    tools: list[ToolDeclaration]
    limits: Limits | None


class Trajectory(_Model):
    """One request to an agent and what it did about it.

    ``group`` is the task, ``family`` the kind of task ("refunds"). ``conversation`` joins the
    requests of one thread or session. ``gaps`` say what the record is known to lack, in words ("2
    spans without a parent"); none were noticed where it is empty. ``metadata`` is carried along.
    None of these ever becomes a feature.

    ``known_after`` is about ``task``, ``system``, ``limits`` and each tool (as ``tools/NAME``):
    those that were not there from the start, as where a second agent brings tools of its own, with
    the index of the newest step when they became known.
    """

    schema_version: Literal[1] = SCHEMA_VERSION
    run_id: str = Field(min_length=1)
    conversation: str | None = None
    group: str | None = None
    family: str | None = None
    agent: str | None = None
    model: str | None = None
    task: str = ""
    system: str = ""
    limits: Limits | None = None
    tools: list[ToolDeclaration] = Field(default_factory=list)
    known_after: dict[str, Annotated[int, Field(ge=0)]] = Field(default_factory=dict)
    steps: list[Step] = Field(default_factory=list)
    trailing_inputs: list[Message] = Field(default_factory=list)
    interventions: list[Intervention] = Field(default_factory=list)
    end_reason: EndReason = "unknown"
    outcome: Outcome | None = None
    started_at: datetime | None = None
    gaps: list[str] = Field(default_factory=list)
    metadata: dict[str, JsonValue] = Field(default_factory=dict)

    @property
    def stated_confidence(self) -> float | None:
        """The last confidence that the model stated, in [0, 1], or ``None``."""
        stated = (s.stated_confidence for s in reversed(self.steps))
        return next((value for value in stated if value is not None), None)

    @property
    def briefed_at(self) -> set[int]:
        """The indices of the steps before which more became known than was before."""
        return {after + 1 for after in self.known_after.values()}

    def briefing(self, step: int) -> Briefing:
        """What was known before the step of that index: nothing that was only told later."""
        after = self.known_after
        if not after:
            return Briefing(self.task, self.system, self.tools, self.limits)

        def known(fact: str) -> bool:
            return fact not in after or after[fact] < step

        return Briefing(
            self.task if known("task") else "",
            self.system if known("system") else "",
            [tool for tool in self.tools if known(tool_fact(tool))],
            self.limits if known("limits") else None,
        )

    def prefix(self, steps: int) -> Trajectory:
        """This run as it stood when turn ``steps`` (counted from 1) had just been proposed.

        The last turn's calls carry no results, and nothing that came later is left: no late result
        of an earlier call, no end reason, no outcome, no intervention after that turn.
        """
        kept = [step.model_copy(deep=True) for step in self.steps[:steps]]
        for index, step in enumerate(kept):
            for call in step.tool_calls:
                if max(index, call.returned_after or 0) >= len(kept) - 1:
                    call.result, call.status, call.duration_s = None, "missing", None
                    call.returned_after = None
        last = len(kept) - 1
        if kept:
            kept[last].decided = False
        return self.model_copy(
            update={
                **self.briefing(last)._asdict(),
                "known_after": {fact: at for fact, at in self.known_after.items() if at < last},
                "steps": kept,
                "trailing_inputs": [],
                "interventions": [i for i in self.interventions if i.step < last],
                "end_reason": "unknown",
                "outcome": None,
                "gaps": [],
                "metadata": {k: v for k, v in self.metadata.items() if k != WAITING},
            }
        )

    def save(self, path: str | Path) -> None:
        """Write this run as one JSON document (UTF-8)."""
        Path(path).write_text(self.model_dump_json(exclude_defaults=True) + "\n", encoding="utf-8")


def tool_fact(tool: ToolDeclaration) -> str:
    """The name of a tool in ``Trajectory.known_after``."""
    return f"tools/{tool.name}"
