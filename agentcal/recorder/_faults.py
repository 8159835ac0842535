"""Errors that must not reach the agent."""

from __future__ import annotations

import logging
import traceback
from contextlib import suppress

from agentcal.recorder._stats import Counters

_LOG = logging.getLogger("agentcal")
_MOST_KINDS = 1000


class Faults:
    """Counts every error and logs the first of each kind: where it was and its type.

    What an exception says is not logged, for it may quote what an agent or a user said.
    """

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._seen: set[tuple[str, str]] = set()

    def note(self, doing: str, error: BaseException) -> None:
        """Take note of ``error``, which came up while ``doing`` something."""
        self._counters.add("errors")
        kind = (doing, type(error).__name__)
        if kind in self._seen or len(self._seen) >= _MOST_KINDS:
            return
        self._seen.add(kind)
        with suppress(Exception):  # a log handler may be anybody's
            _log(doing, error)


def _log(doing: str, error: BaseException) -> None:
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "an unknown place"
    _LOG.error(
        "%s while %s, at %s; the agent goes on, further errors of this kind are only counted",
        type(error).__name__,
        doing,
        where,
    )
