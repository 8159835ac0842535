"""Errors of ours that must not reach the agent."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import ParamSpec, TypeVar

_LOG = logging.getLogger("agentcal")
_logged: set[tuple[str, str]] = set()

P = ParamSpec("P")
R = TypeVar("R")


def harmless(method: Callable[P, R]) -> Callable[P, R | None]:
    """Whatever goes wrong in here gives ``None``; the first error of each kind is logged."""

    @functools.wraps(method)
    def safe(*args: P.args, **kwargs: P.kwargs) -> R | None:
        try:
            return method(*args, **kwargs)
        except Exception as error:
            _log_once(method.__qualname__, error)
            return None

    return safe


def _log_once(where: str, error: Exception) -> None:
    """Not what the error says, for it may quote a user; at level DEBUG, all of it."""
    kind = (where, type(error).__name__)
    if kind not in _logged:
        _logged.add(kind)
        _LOG.error(
            "%s in %s of agentcal_langchain; the agent goes on without a confidence there "
            "(said once for each kind of error)",
            kind[1],
            where,
            exc_info=_LOG.isEnabledFor(logging.DEBUG),
        )
