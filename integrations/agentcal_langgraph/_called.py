"""Calling what the user has handed in."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.config import set_config_context
from langchain_core.runnables.utils import coro_with_context

from agentcal_langgraph._drive import Do


def called(config: RunnableConfig, function: Any, *args: Any) -> Do:
    """Call a function, a coroutine function, or a runnable (with the first argument).

    It runs as a part of this node: models that it asks are recorded there.
    """

    def now() -> Any:
        if isinstance(function, Runnable):
            return function.invoke(args[0], config)
        with set_config_context(config) as context:
            return context.run(function, *args)

    async def later() -> Any:
        if isinstance(function, Runnable):
            return await function.ainvoke(args[0], config)
        with set_config_context(config) as context:
            if inspect.iscoroutinefunction(function):
                return await coro_with_context(function(*args), context)
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(None, context.run, function, *args)

    return Do(now, later)
