"""A stronger model in the place of the agent's own, for one turn."""

from __future__ import annotations

from typing import Any

from langchain_core.callbacks import (
    AsyncCallbackManager,
    AsyncCallbackManagerForLLMRun,
    CallbackManager,
    CallbackManagerForLLMRun,
)
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables.config import ensure_config, patch_config
from pydantic import Field

from agentcal.policy import GatedTurn
from agentcal_langgraph.building import EscalateTo, Steps, adrive, called, drive


def stronger(escalate_to: EscalateTo, turn: GatedTurn) -> BaseChatModel | None:
    """The model to ask about ``turn``; None: people are asked.

    A chat model is asked as the agent's own would be, with the agent's tools.
    """
    if isinstance(escalate_to, str):
        return None
    if isinstance(escalate_to, BaseChatModel):
        return escalate_to
    return _Function(ask=escalate_to, turn=turn, cache=False)


class _Function(BaseChatModel):
    """A function as a chat model, so that the agent reads its reply as it reads any model's.

    Models that the function calls run below this one: a recorder sees one turn.
    """

    ask: Any = Field(repr=False)
    turn: Any = Field(repr=False)

    @property
    def _llm_type(self) -> str:
        return "agentcal-escalation"

    def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
        """The function knows its tools."""
        return self

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return drive(self._asked(messages, run_manager))

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return await adrive(self._asked(messages, run_manager))

    def _asked(self, messages: list[BaseMessage], run_manager: Any) -> Steps[ChatResult]:
        config = patch_config(ensure_config(), callbacks=_below(run_manager))
        message = yield called(config, self.ask, messages, self.turn)
        if not isinstance(message, AIMessage):
            raise TypeError(f"escalate_to gave {type(message).__name__}, not an AIMessage")
        return ChatResult(generations=[ChatGeneration(message=message)])


def _below(run_manager: Any) -> CallbackManager | AsyncCallbackManager | None:
    """LangChain gives chains and tools a way to have children, and models none."""
    if run_manager is None:
        return None
    is_async = isinstance(run_manager, AsyncCallbackManagerForLLMRun)
    kind = AsyncCallbackManager if is_async else CallbackManager
    manager = kind(handlers=[], parent_run_id=run_manager.run_id)
    manager.set_handlers(run_manager.inheritable_handlers)
    return manager
