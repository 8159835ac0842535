"""The agent goes on, whatever happens in here."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

if TYPE_CHECKING:
    from agentcal.recorder._run import Run

P = ParamSpec("P")
R = TypeVar("R")


def guarded(
    method: Callable[Concatenate[Run, P], R | None],
) -> Callable[Concatenate[Run, P], R | None]:
    """One thread at a time, nothing once the run is closed, and never an exception."""

    @wraps(method)
    def safe(self: Run, /, *args: P.args, **kwargs: P.kwargs) -> R | None:
        with self._lock:
            if self.closed:
                return None
            try:
                self._keeper.touch(self)
                return method(self, *args, **kwargs)
            except Exception as error:
                self._note_failure(f"recording {method.__name__}", error)
                return None

    return safe
