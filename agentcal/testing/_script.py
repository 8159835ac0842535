"""The turns of a script: what a scripted model says, calls, garbles or fails with."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from langchain_core.messages import AIMessage, InvalidToolCall, ToolCall
from langchain_core.messages.ai import OutputTokenDetails, UsageMetadata
from langchain_core.messages.tool import invalid_tool_call, tool_call

from agentcal.errors import ConfigError
from agentcal.trajectory import TokenLogprobs, Usage


class Failure:
    """A turn that raises: every time, or the first ``times`` times before ``then`` is said."""

    def __init__(self, error: BaseException, times: int | None, then: AIMessage | None) -> None:
        self.error, self.times, self.then = error, times, then
        self._seen = 0
        self._lock = threading.Lock()

    def reply(self) -> AIMessage:
        """Raise, or the reply once the failures are used up."""
        with self._lock:
            self._seen += 1
            raises = self.times is None or self._seen <= self.times
        if raises or self.then is None:
            raise self.error.with_traceback(None)
        return self.then


Entry = str | AIMessage | BaseException | Failure
Script = Sequence[Entry] | Callable[[str], Sequence[Entry]]
"""The turns, or a function from the newest human message's text to the turns."""


def says(
    text: str,
    *,
    logprobs: TokenLogprobs | Sequence[float] | None = None,
    usage: Usage | None = None,
    reasoning: str = "",
) -> AIMessage:
    """A turn that replies. See :func:`calls` for the keywords."""
    return calls(text=text, logprobs=logprobs, usage=usage, reasoning=reasoning)


def calls(
    *proposed: ToolCall | InvalidToolCall,
    text: str = "",
    logprobs: TokenLogprobs | Sequence[float] | None = None,
    usage: Usage | None = None,
    reasoning: str = "",
) -> AIMessage:
    """A turn that proposes tool calls, made by :func:`call` and :func:`broken_call`.

    ``logprobs`` (nats, <= 0) are replayed as OpenAI Chat has them, in
    ``response_metadata["logprobs"]["content"]``; bare numbers are spread over the text.
    ``reasoning`` goes to ``additional_kwargs["reasoning_content"]``.
    """
    metadata = {} if logprobs is None else {"logprobs": _openai_shape(text, logprobs)}
    return AIMessage(
        content=text,
        tool_calls=[c for c in proposed if c["type"] == "tool_call"],
        invalid_tool_calls=[c for c in proposed if c["type"] == "invalid_tool_call"],
        usage_metadata=None if usage is None else _usage_metadata(usage),
        response_metadata=metadata,
        additional_kwargs={"reasoning_content": reasoning} if reasoning else {},
    )


def call(
    name: str, arguments: Mapping[str, Any] | None = None, *, call_id: str | None = None
) -> ToolCall:
    """A tool call. Without ``call_id`` the model makes one that is the same on re-execution."""
    return tool_call(name=name, args=dict(arguments or {}), id=call_id)


def broken_call(name: str, raw_arguments: str, *, call_id: str | None = None) -> InvalidToolCall:
    """A tool call whose arguments do not parse, as ``AIMessage.invalid_tool_calls`` holds it.

    Streamed, LangChain parses arguments leniently: text that is a beginning of a JSON object comes
    out as a valid call with the part that could be read, here as with real providers.
    """
    return invalid_tool_call(name=name, args=raw_arguments, id=call_id, error=None)


def fails(
    error: BaseException, *, times: int | None = None, then: str | AIMessage | None = None
) -> Failure:
    """A turn that raises ``error``; with ``times``, ``then`` is said after so many failures.

    The count is shared by all runs of the script: the only thing that a scripted model remembers.
    Raises :class:`~agentcal.ConfigError` when only one of ``times`` and ``then`` is given.
    """
    if (times is None) != (then is None):
        raise ConfigError("fails() takes times=... and then=... together, or neither: always fail")
    return Failure(error, times, says(then) if isinstance(then, str) else then)


def _usage_metadata(usage: Usage) -> UsageMetadata:
    came, went = usage.input_tokens or 0, usage.output_tokens or 0
    counted = UsageMetadata(input_tokens=came, output_tokens=went, total_tokens=came + went)
    if usage.reasoning_tokens is not None:
        counted["output_token_details"] = OutputTokenDetails(reasoning=usage.reasoning_tokens)
    return counted


def _openai_shape(text: str, given: TokenLogprobs | Sequence[float]) -> dict[str, Any]:
    if isinstance(given, TokenLogprobs):
        values, tops = given.logprobs, given.top
        tokens = given.tokens or _cut(text, len(values))
    else:
        values, tops, tokens = list(given), [], _cut(text, len(given))
    entries: list[dict[str, Any]] = [
        {"token": token, "bytes": list(token.encode()), "logprob": value, "top_logprobs": []}
        for token, value in zip(tokens, values, strict=True)
    ]
    for entry, top in zip(entries, tops, strict=False):
        # The alternatives' names are not recorded; a provider always sends some.
        entry["top_logprobs"] = [{"token": "", "bytes": [], "logprob": value} for value in top]
    return {"content": entries, "refusal": None}


def _cut(text: str, parts: int) -> list[str]:
    """The text in ``parts`` pieces of nearly equal length."""
    edges = [len(text) * i // max(parts, 1) for i in range(parts + 1)]
    return [text[a:b] for a, b in itertools.pairwise(edges)]
