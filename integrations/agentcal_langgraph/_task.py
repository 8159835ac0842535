"""A part of a graph's task that is written once, for threads and for event loops."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Sequence
from functools import partial
from typing import Any

from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.config import get_executor_for_config

from agentcal_langgraph._drive import Do, Steps, adrive, drive


class Part(Runnable[Any, Any]):
    """Does its ``_steps`` in the task of a node. It is no step of its own in a trace."""

    @abstractmethod
    def _steps(self, value: Any, config: RunnableConfig) -> Steps[Any]:
        """What is done with ``value``; gives the output."""

    def invoke(
        self,
        input: Any,  # noqa: A002 - the base class's name
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> Any:
        """Run the part."""
        return drive(self._steps(input, config or {}))

    async def ainvoke(
        self,
        input: Any,  # noqa: A002 - the base class's name
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> Any:
        """Run the part without blocking the event loop."""
        return await adrive(self._steps(input, config or {}))


def side_by_side(routines: Sequence[Steps[Any]], config: RunnableConfig) -> Do:
    """Run them at the same time; gives their results in order.

    All come to their end, also where one raises: else it would go on behind the back of the next
    attempt at the task.
    """
    return Do(partial(_in_threads, routines, config), partial(_in_loop, routines))


def _in_threads(routines: Sequence[Steps[Any]], config: RunnableConfig) -> list[Any]:
    if len(routines) == 1:
        return [drive(routines[0])]
    with get_executor_for_config(config) as pool:
        running = [pool.submit(drive, routine) for routine in routines]
    return [done.result() for done in running]


async def _in_loop(routines: Sequence[Steps[Any]]) -> list[Any]:
    done = await asyncio.gather(*map(adrive, routines), return_exceptions=True)
    failed = (result for result in done if isinstance(result, BaseException))
    if (error := next(failed, None)) is not None:
        raise error
    return done
