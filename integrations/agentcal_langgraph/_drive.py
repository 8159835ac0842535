"""One text for what is done in threads and what is done in an event loop.

A routine is a generator that yields :class:`Do` wherever it has to wait for something, and gets the
result back; :func:`drive` and :func:`adrive` run it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Do:
    """Something to wait for. Without ``later``, ``now`` is called in a thread of its own there."""

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
    except BaseException as error:
        raised = error
        return lambda: steps.throw(raised)
    return lambda: steps.send(result)


async def _later(steps: Steps[Any], do: Do) -> Callable[[], Do]:
    try:
        result = await (asyncio.to_thread(do.now) if do.later is None else do.later())
    except BaseException as error:
        raised = error
        return lambda: steps.throw(raised)
    return lambda: steps.send(result)
