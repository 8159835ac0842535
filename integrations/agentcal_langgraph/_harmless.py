"""Errors of ours that must not reach the agent."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any, TypeVar, cast

_LOG = logging.getLogger("agentcal")
_logged: set[tuple[str, str]] = set()

Event = TypeVar("Event", bound=Callable[..., None])


def harmless(event: Event) -> Event:
    """Whatever goes wrong in here, the agent goes on; the first error of each kind is logged."""

    @functools.wraps(event)
    def safe(*args: Any, **kwargs: Any) -> None:
        try:
            event(*args, **kwargs)
        except Exception as error:
            _log_once(event.__name__, error)

    return cast("Event", safe)


def _log_once(where: str, error: Exception) -> None:
    """Not what the error says, for it may quote a user; at level DEBUG, all of it."""
    kind = (where, type(error).__name__)
    if kind not in _logged:
        _logged.add(kind)
        _LOG.error(
            "%s in %s of agentcal_langgraph; the agent goes on, and the record of its run lacks "
            "what happened there (said once for each kind of error)",
            kind[1],
            where,
            exc_info=_LOG.isEnabledFor(logging.DEBUG),
        )
