"""Runs of a small local model with the log-probability of every token (`local_llm` files)."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from agentcal._fields import as_text, name_of, number, share
from agentcal._json import NotJSON, decode
from agentcal.errors import FormatError
from agentcal.formats._chat import Conversation, checked
from agentcal.formats._fields import outcome
from agentcal.formats._format import Context, Record
from agentcal.formats._local_tokens import token_logprobs
from agentcal.formats._message import to_step
from agentcal.trajectory import EndReason, Step, ToolCall, ToolDeclaration, Trajectory

MALFORMED = "__parse__"

_ELSEWHERE = frozenset(
    {"id", "model", "family", "question", "answer", "verbalized_confidence", "stop", "success"}
    | {"messages"}
)
_VERSION = re.compile(r"-(v\d+)$")
_TOOL = re.compile(r"^- (\w+)\(([^)]*)\): (.*)$", re.MULTILINE)
_CALL_KEYS = frozenset({"tool", "args", "confidence"})
_ANSWER_KEYS = frozenset({"answer", "confidence"})


class LocalLLM:
    """One run a line. The model speaks JSON: that envelope is taken off, calls and answer are kept.

    The group is ``seed``, the agent the version in the file's name, else the model. ``gold``,
    ``difficulty``, ``family``, ``seed`` and ``temperature`` are metadata and nothing else.
    """

    name: ClassVar[str] = "local_llm"
    about: ClassVar[str] = 'local_llm: {"id", "seed", "verbalized_confidence", "stop", "messages"}'

    def sniff(self, record: Record) -> bool:
        """A stated confidence and a reason to stop beside the messages."""
        wanted = ("verbalized_confidence", "stop", "messages")
        return isinstance(record, dict) and all(key in record for key in wanted)

    def read(self, record: Record, context: Context) -> Trajectory:
        """Read one run."""
        if not isinstance(record, dict):
            raise FormatError("not an object")
        chat = Conversation(_with_malformed_calls(record["messages"]), context, step=_step)
        _state(chat.steps, record.get("verbalized_confidence"), context)
        version = _VERSION.search(context.stem)
        model = name_of(record.get("model"))
        return Trajectory(
            run_id=name_of(record.get("id")) or context.fallback_id,
            group=name_of(record.get("seed")),
            family=name_of(record.get("family")),
            agent=version.group(1) if version else model,
            model=model,
            task=chat.task,
            system=chat.system,
            tools=_tools(chat.system),
            steps=chat.steps,
            trailing_inputs=chat.trailing_inputs,
            end_reason=_end(as_text(record["stop"])),
            outcome=outcome(record.get("success"), "grader", context),
            metadata={key: value for key, value in record.items() if key not in _ELSEWHERE},
        )


def _end(stop: str) -> EndReason:
    if stop.startswith("error"):
        return "error"
    return "answered" if stop == "answered" else "max_steps" if stop == "max_steps" else "unknown"


def _state(steps: list[Step], percent: Any, context: Context) -> None:
    """The confidence that the run ended with belongs to its last step."""
    if percent is None or not steps:
        return
    value = number(percent)
    steps[-1].stated_confidence = None if value is None else share(value / 100)
    if steps[-1].stated_confidence is None:
        why = f"verbalized_confidence is {as_text(percent)[:80]}"
        context.note("stated confidence is not in [0, 100]", why, "It was left out.")


def _with_malformed_calls(messages: Any) -> list[dict[str, Any]]:
    """A reply that the agent could not parse becomes a call named ``__parse__``."""
    found = list(checked(messages))
    for at, message in enumerate(found[1:], 1):
        before = found[at - 1]
        if message.get("name") == MALFORMED and not before.get("tool_call"):
            found[at - 1] = {**before, "tool_call": {"name": MALFORMED}}
    return found


def _step(message: dict[str, Any], context: Context) -> Step:
    plain: dict[str, Any] = {key: message[key] for key in ("usage", "latency_s") if key in message}
    step = to_step(plain, context)
    content, call = as_text(message.get("content")), message.get("tool_call")
    step.logprobs = token_logprobs(message.get("logprobs"), context)
    step.text = _said(content, isinstance(call, dict))
    if isinstance(call, dict):
        step.tool_calls = [_call(call, content, context)]
    return step


def _call(call: dict[str, Any], content: str, context: Context) -> ToolCall:
    name, arguments = as_text(call.get("name")), call.get("args")
    if name == MALFORMED:
        return ToolCall(name=name, arguments=None, raw_arguments=content)
    if not name:
        context.note("tool call without a name", fix="Its name is kept as empty text.")
    if isinstance(arguments, dict):
        return ToolCall(name=name, arguments=arguments)
    return ToolCall(name=name, arguments=None, raw_arguments=as_text(arguments))


def _said(content: str, calls: bool) -> str:
    """What the model said inside the envelope: the answer, or nothing beside a plain call."""
    try:
        envelope, _ = decode(content)
    except NotJSON:
        return content
    if not isinstance(envelope, dict):
        return content
    if calls:
        return "" if "tool" in envelope and envelope.keys() <= _CALL_KEYS else content
    bare = "answer" in envelope and envelope.keys() <= _ANSWER_KEYS
    return as_text(envelope["answer"]) if bare else content


def _tools(system: str) -> list[ToolDeclaration]:
    """The tools are declared in the prompt: ``- name(parameter, ...): description``."""
    return [
        ToolDeclaration(
            name=name,
            description=about,
            parameters={"type": "object", "properties": _properties(parameters)},
        )
        for name, parameters, about in _TOOL.findall(system)
    ]


def _properties(parameters: str) -> dict[str, Any]:
    return {name.strip(): {} for name in parameters.split(",") if name.strip()}
