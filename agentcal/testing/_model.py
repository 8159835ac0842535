"""A chat model that says what its script says."""

from __future__ import annotations

import asyncio
import time
import zlib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import ConfigDict, Field, SkipValidation

from agentcal.errors import ConfigError
from agentcal.testing._chunks import chunks_of
from agentcal.testing._script import Entry, Failure, Script


class ScriptedChatModel(BaseChatModel):
    """A chat model that replays a script; for tests, examples and benchmarks without a provider.

    ``script`` holds the turns that follow one human message: texts, messages made by
    :func:`~agentcal.testing.says` and :func:`~agentcal.testing.calls`, ``AIMessage`` objects,
    exceptions to raise. A function instead of a list gets the newest human message's text and gives
    the turns, so that one model can serve many tasks.

    The model keeps no place in the script: the turn is the number of ``AIMessage`` objects since
    the last human message of the history it is shown. So it may be shared by threads and tasks, and
    a node that is run again says the same again. With ``agent``, replies carry it as their ``name``
    and only messages of that name count: give it where agents with scripts of their own share one
    history. It binds tools like any chat model, streams chunk by chunk, and raises
    :class:`~agentcal.ConfigError` past the end of its script.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    script: SkipValidation[Script] = Field(repr=False)
    model_name: str = "scripted"
    agent: str | None = None
    latency_s: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    """Seconds that pass before a reply, or before its first chunk."""

    @property
    def _llm_type(self) -> str:
        return "agentcal-scripted"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model_name": self.model_name}

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Bind tools in the OpenAI format; they appear in the invocation parameters."""
        if tool_choice is not None:
            kwargs["tool_choice"] = tool_choice
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        if self.latency_s:
            time.sleep(self.latency_s)
        return self._result(messages)

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        if self.latency_s:
            await asyncio.sleep(self.latency_s)
        return self._result(messages)

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        if self.latency_s:
            time.sleep(self.latency_s)
        for chunk in chunks_of(self._reply(messages)):
            if run_manager is not None:
                run_manager.on_llm_new_token(chunk.text, chunk=chunk)
            yield chunk

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        if self.latency_s:
            await asyncio.sleep(self.latency_s)
        for chunk in chunks_of(self._reply(messages)):
            if run_manager is not None:
                await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
            yield chunk

    def _result(self, messages: list[BaseMessage]) -> ChatResult:
        reply = self._reply(messages)
        info = {k: v for k, v in reply.response_metadata.items() if k != "model_name"}
        generation = ChatGeneration(message=reply, generation_info=info)
        return ChatResult(generations=[generation], llm_output={"model_name": self.model_name})

    def _reply(self, messages: list[BaseMessage]) -> AIMessage:
        task, turn = _place(messages, self.agent)
        script = self.script(task) if callable(self.script) else self.script
        if turn >= len(script):
            raise ConfigError(
                f"{self.model_name!r} has a script of {len(script)} turns and was asked for turn "
                f"{turn + 1} after {task[:60]!r}; add a turn, or see why the agent goes on"
            )
        message = _said(script[turn])
        place = zlib.crc32(f"{self.model_name}|{self.agent}|{task}".encode())
        return self._stamped(message, f"call_{place:08x}_{len(messages)}")

    def _stamped(self, message: AIMessage, prefix: str) -> AIMessage:
        """A copy with call ids, model name and finish reason where the script gave none."""
        proposed = [*message.tool_calls, *message.invalid_tool_calls]
        named = [
            {**c, "id": f"{prefix}_{i}" if c["id"] is None else c["id"]}
            for i, c in enumerate(proposed)
        ]
        valid = len(message.tool_calls)
        stop = {"finish_reason": "tool_calls" if proposed else "stop"}
        return message.model_copy(
            update={
                "name": self.agent or message.name,
                "tool_calls": named[:valid],
                "invalid_tool_calls": named[valid:],
                "additional_kwargs": dict(message.additional_kwargs),
                "response_metadata": {
                    **stop,
                    "model_name": self.model_name,
                    **message.response_metadata,
                },
            }
        )


def _place(messages: list[BaseMessage], agent: str | None) -> tuple[str, int]:
    """The newest human message's text, and how many turns have followed it."""
    turn = 0
    for message in reversed(messages):
        if isinstance(message, HumanMessage):
            return message.text, turn
        turn += isinstance(message, AIMessage) and (agent is None or message.name == agent)
    return "", turn


def _said(entry: Entry) -> AIMessage:
    if isinstance(entry, str):
        return AIMessage(content=entry)
    if isinstance(entry, AIMessage):
        return entry
    if isinstance(entry, Failure):
        return entry.reply()
    if isinstance(entry, BaseException):
        raise entry.with_traceback(None)
    raise ConfigError(
        f"a script holds text, AIMessages, exceptions and fails(...), not {type(entry).__name__}"
    )
