"""LangChain messages as agentcal has them: by the reader of recorded runs, so live equals read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import Generation

from agentcal import Step, ToolDeclaration, Trajectory
from agentcal.formats import FORMATS, Context, langchain_step

_READER = next(known for known in FORMATS if known.name == "langchain")


def step_of(generation: Generation) -> Step:
    """What a model said, as a step without inputs and results.

    A model's turn it is, whatever class of message the integration returned.
    """
    message = getattr(generation, "message", None)
    if isinstance(message, BaseMessage):
        return langchain_step(_record(message))
    return langchain_step(_bare(generation.text, generation.generation_info))


def steps_of(messages: Iterable[BaseMessage]) -> Sequence[Step]:
    """The turns in a history of messages, with their inputs and results."""
    return _read([_record(message) for message in messages]).steps


def text_of(content: Any) -> str:
    """The text of a message's content; parts that are not text are left out."""
    return content if isinstance(content, str) else _read([_human(content)]).task


def declarations(tools: list[Any]) -> list[ToolDeclaration]:
    """Tools as models are given them, in any provider's shape that the reader knows."""
    found = _READER.read({"messages": [], "tools": tools}, _context())
    return [] if found is None else found.tools


def _read(records: list[Any]) -> Trajectory:
    found = _READER.read(records, _context())
    return Trajectory(run_id="live") if found is None else found


def _context() -> Context:
    return Context(Path("live"), "live")


def _human(content: Any) -> dict[str, Any]:
    return {"type": "human", "content": content}


def _bare(text: str, info: dict[str, Any] | None) -> dict[str, Any]:
    """What a completion model said. It names its log-probs as chat models do."""
    return {"content": text, "response_metadata": info or {}}


def _record(message: BaseMessage) -> dict[str, Any]:
    """The fields of a message: its own, to be read only, where they can be taken as they are."""
    fields = vars(message)
    if not isinstance(message, AIMessage):
        return fields
    changes = _changes(message)
    return {**fields, **changes} if changes else fields


def _changes(message: AIMessage) -> dict[str, Any]:
    """What is said in another way than the reader knows it."""
    changes: dict[str, Any] = {}
    if not isinstance(message.content, str):
        changes["content"] = _content(message)
    if "stated_confidence" in message.additional_kwargs:
        changes["stated_confidence"] = message.additional_kwargs["stated_confidence"]
    logprobs = message.response_metadata.get("logprobs")
    if isinstance(logprobs, list):
        plain = {"logprobs": [_plain(entry) for entry in logprobs]}
        changes["response_metadata"] = {**message.response_metadata, **plain}
    return changes


def _content(message: AIMessage) -> Any:
    """Providers write reasoning in ways of their own; LangChain knows how to tell it."""
    if "model_provider" not in message.response_metadata:
        return message.content
    try:
        return message.content_blocks
    except Exception:  # an odd block is no reason to lose the turn
        return message.content


def _plain(entry: Any) -> Any:
    """Ollama reports objects where others have dictionaries."""
    return entry.model_dump() if hasattr(entry, "model_dump") else entry
