"""What a run needs besides its events: one lock, observers, errors, and an end."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Literal, get_args

from agentcal.recorder._calls import Place
from agentcal.recorder._info import RunInfo
from agentcal.recorder._record import Record
from agentcal.recorder._scorer import Scorer
from agentcal.recorder._shared import Event, Shared
from agentcal.trajectory import EndReason, Trajectory

if TYPE_CHECKING:
    from agentcal.recorder._keeper import Keeper


class Handle:
    """The part of a :class:`Run` that is the recorder's own. ``_lock`` guards all of it."""

    def __init__(self, record: Record, shared: Shared, keeper: Keeper) -> None:
        self.run_id = record.head.run_id
        self.conversation = record.head.conversation
        self.closed = False
        self._record, self._shared, self._keeper = record, shared, keeper
        self._scorer = Scorer(record, shared)
        # Observers may ask for the trajectory or the decision point when they are told something.
        self._lock = threading.RLock()
        self._info: RunInfo | None = None

    def _begin(self, event: Literal["started", "resumed"]) -> None:
        with self._lock:
            self._tell(event)

    def _abandon(self, why: str, wait_s: float = 0) -> bool:
        """Close it for the recorder's own reasons; says whether nobody was busy with it."""
        if not self._lock.acquire(timeout=wait_s):
            return False
        try:
            if not self.closed:
                self._record.notes[why] += 1
                self._finish("unknown", expired=True)
        finally:
            self._lock.release()
        return True

    def _finish(self, reason: EndReason, *, expired: bool = False) -> Trajectory:
        whole = self._close(reason)
        self._keeper.finish(self, whole, expired=expired)
        self._tell("ended", whole)
        return whole

    def _close(self, reason: EndReason) -> Trajectory:
        self._record.head.end_reason = reason if reason in get_args(EndReason) else "unknown"
        self.closed = True
        self._scorer.refold()
        return self._record.whole()

    def _tell(self, event: Event, *what: object) -> None:
        if not self._shared.observers:
            return
        if self._info is None:
            self._info = self._known()
        self._shared.tell(event, self._info, *what)

    def _tell_call(self, event: Event, place: Place) -> None:
        self._tell(event, place.step + 1, place.position, self._record.call(place))

    def _known(self) -> RunInfo:
        head, calibrated = self._record.head, self._shared.calibrator is not None
        return RunInfo(
            head.run_id,
            head.conversation,
            head.agent,
            head.model,
            head.task,
            head.system,
            calibrated,
            self._scorer.took_s,
        )

    def _note_failure(self, doing: str, error: BaseException) -> None:
        self._scorer.give_up()
        self._record.notes[f"{type(error).__name__} while {doing}, no score from there on"] += 1
        self._shared.faults.note(doing, error)

    def _after_fork(self) -> None:
        """In a child process this run is the parent's, and its lock may be held by nobody."""
        self._lock = threading.RLock()
        self.closed = True
