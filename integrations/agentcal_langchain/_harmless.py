"""Errors of ours that must not reach the agent."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Concatenate, ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class Noting(Protocol):
    """Knows whom to tell that something was lost."""

    def _broke(self, doing: str, error: Exception) -> None:
        """An error came up while ``doing`` something."""


N = TypeVar("N", bound=Noting)


def harmless(
    method: Callable[Concatenate[N, P], R],
) -> Callable[Concatenate[N, P], R | None]:
    """Whatever goes wrong in here gives ``None``; who records the run is told."""

    @functools.wraps(method)
    def safe(self: N, /, *args: P.args, **kwargs: P.kwargs) -> R | None:
        try:
            return method(self, *args, **kwargs)
        except Exception as error:
            self._broke(f"handling {method.__qualname__}", error)
            return None

    return safe
