"""One text for what is done in threads and what is done in an event loop.

A routine is a generator that yields :class:`Do` wherever it has to wait for something, and gets the
result back; :func:`drive` and :func:`adrive` run it.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Do:
    """Something to wait for. Without ``later``, ``now`` is called in a thread of its own there.

    ``now`` may give an awaitable: functions of the user's are either.
    """

    now: Callable[[], Any]
    later: Callable[[], Awaitable[Any]] | None = None


Steps = Generator[Do, Any, T]


def drive(steps: Steps[T]) -> T:
    """Run a routine to its end."""
    act: Callable[[], Do] = lambda: next(steps)  # noqa: E731 - it is replaced in the loop
    while True:
        try:
            do = act()
        except StopIteration as stop:
            value: T = stop.value
            return value
        act = _outcome(steps, do)


async def adrive(steps: Steps[T]) -> T:
    """The same, without blocking the event loop."""
    act: Callable[[], Do] = lambda: next(steps)  # noqa: E731 - it is replaced in the loop
    while True:
        try:
            do = act()
        except StopIteration as stop:
            value: T = stop.value
            return value
        act = await _later(steps, do)


def _outcome(steps: Steps[Any], do: Do) -> Callable[[], Do]:
    try:
        result = do.now()
        if inspect.isawaitable(result):
            result = _waited_for(result)
    except BaseException as error:
        raised = error
        return lambda: steps.throw(raised)
    return lambda: steps.send(result)


async def _later(steps: Steps[Any], do: Do) -> Callable[[], Do]:
    try:
        result = await (asyncio.to_thread(do.now) if do.later is None else do.later())
        if inspect.isawaitable(result):
            result = await result
    except BaseException as error:
        raised = error
        return lambda: steps.throw(raised)
    return lambda: steps.send(result)


def _waited_for(awaitable: Awaitable[Any]) -> Any:
    """In a thread of its own: in this one, an event loop may be running already."""

    async def wait() -> Any:
        return await awaitable

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(copy_context().run, asyncio.run, wait()).result()
