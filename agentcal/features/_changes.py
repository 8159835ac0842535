"""Changes asked for against changes made."""

from __future__ import annotations

import math
from typing import ClassVar

from agentcal.features._events import Result, Turn
from agentcal.features._feature import Feature, count, flag, real, share
from agentcal.features._request import Request, tool_words

_NO_WRITE = "the request asks for no change"


class Changes:
    """Requests for a change, and the action calls that may answer them.

    An action may make a change that was asked for when the verb in the tool's name may mean the
    same kind of change (send, create, change, remove, pay, share) as the verb of the request.
    """

    features: ClassVar[tuple[Feature, ...]] = (
        count("actions_done", "action calls that came back without error"),
        share("writes_proposed", "share of the changes asked that some call may make", _NO_WRITE),
        share(
            "writes_done",
            "share of the changes asked that some action without error may have made",
            _NO_WRITE,
        ),
        count("writes_open", "changes asked that no action without error may have made"),
        real("actions_minus_writes", "action calls proposed - changes asked"),
        flag("writes_untouched", "1 if a change is asked and no action was proposed"),
        flag("reads_only", "1 if no change is asked"),
        count("actions_unasked", "action calls for a kind of change that nobody asked for"),
        real("calls_per_request", "calls / max(1, changes + information asked)", low=0.0),
        real("calls_minus_requests", "calls - max(1, changes + information asked)"),
    )

    def __init__(self, request: Request) -> None:
        self._request = request
        self._calls = self._actions = self._done = self._unasked = 0
        self._proposed_mask = self._done_mask = 0

    def turn(self, event: Turn) -> None:
        """Note what changes the turn's calls may make."""
        self._calls += len(event.calls)
        for call in event.calls:
            if call.kind == "action":
                _, mask = tool_words(call.name)
                self._actions += 1
                self._proposed_mask |= mask
                self._unasked += bool(mask) and not mask & self._request.mask

    def result(self, event: Result) -> None:
        """Note which of them were made."""
        if event.call.kind == "action" and event.status == "ok":
            self._done += 1
            self._done_mask |= tool_words(event.call.name)[1]

    def values(self) -> tuple[float, ...]:
        """See :attr:`features`."""
        request, calls, actions = self._request, self._calls, self._actions
        asked = request.asked
        proposed = done = 0
        if self._proposed_mask:
            for mask, n in request.writes.items():
                proposed += n if mask & self._proposed_mask else 0
                done += n if mask & self._done_mask else 0
        requests = asked + request.reads or 1
        return (
            self._done,
            proposed / asked if asked else math.nan,
            done / asked if asked else math.nan,
            asked - done,
            actions - asked,
            asked > 0 and not actions,
            not asked,
            self._unasked,
            calls / requests,
            calls - requests,
        )
