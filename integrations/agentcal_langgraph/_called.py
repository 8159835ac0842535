"""Calling what the user has handed in."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context
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
            found = context.run(function, *args)
            return _waited_for(found, context) if inspect.isawaitable(found) else found

    async def later() -> Any:
        if isinstance(function, Runnable):
            return await function.ainvoke(args[0], config)
        with set_config_context(config) as context:
            if inspect.iscoroutinefunction(function):
                found = function(*args)
            else:
                loop = asyncio.get_running_loop()
                found = await loop.run_in_executor(None, context.run, function, *args)
            if inspect.isawaitable(found):
                return await coro_with_context(_waiting(found), context)
            return found

    return Do(now, later)


def _waited_for(awaitable: Awaitable[Any], context: Context) -> Any:
    """In a thread of its own: in this one, an event loop may be running already."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(context.run, asyncio.run, _waiting(awaitable)).result()


async def _waiting(awaitable: Awaitable[Any]) -> Any:
    return await awaitable
