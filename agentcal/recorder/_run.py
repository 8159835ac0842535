"""The live handle of one run."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, get_args

from agentcal.features import DecisionPoint
from agentcal.recorder._calls import Place
from agentcal.recorder._guard import guarded
from agentcal.recorder._info import RunInfo
from agentcal.recorder._keeper import Keeper
from agentcal.recorder._pending import PendingRun
from agentcal.recorder._record import Record
from agentcal.recorder._scorer import Scorer
from agentcal.recorder._shared import Event, Shared
from agentcal.trajectory import (
    CallStatus,
    EndReason,
    Intervention,
    Limits,
    Message,
    Role,
    Step,
    ToolDeclaration,
    Trajectory,
)

if TYPE_CHECKING:
    from agentcal.calibration import Confidence

InterventionKind = Literal[
    "approved", "edited", "rejected", "responded", "verified", "aborted", "resumed"
]


class Run:
    """One request to an agent, while it is going on. Made by :meth:`Recorder.start`.

    Every method may be called from any thread and never raises: an error is logged once a kind and
    counted, the confidence is unavailable from then on, and the record says so in its ``gaps``.
    Once ``closed``, methods do nothing.
    """

    def __init__(self, record: Record, shared: Shared, keeper: Keeper) -> None:
        self.run_id = record.head.run_id
        self.conversation = record.head.conversation
        self.closed = False
        self._record, self._shared, self._keeper = record, shared, keeper
        self._scorer = Scorer(record, shared)
        # Observers may ask for the trajectory or the decision point when they are told something.
        self._lock = threading.RLock()
        self._info: RunInfo | None = None

    @property
    def confidence(self) -> Confidence | None:
        """The newest one; None before the first turn, without a calibrator and after an error."""
        return self._scorer.confidence

    @guarded
    def describe(
        self,
        *,
        task: str | None = None,
        system: str | None = None,
        tools: Iterable[ToolDeclaration] | None = None,
        agent: str | None = None,
        model: str | None = None,
        limits: Limits | None = None,
    ) -> None:
        """Facts that become known late; what is known already stays as it is."""
        given = {
            "task": task,
            "system": system,
            "tools": None if tools is None else list(tools),
            "agent": agent,
            "model": model,
            "limits": limits,
        }
        if self._record.describe({name: value for name, value in given.items() if value}):
            self._scorer.refold()
        self._info = None

    @guarded
    def message(self, text: str, role: Role = "user") -> None:
        """A message reached the agent after the task."""
        self._record.inbox.append(Message(role=role, text=text))

    @guarded
    def replied(self, step: Step, *, key: str | None = None) -> Confidence | None:
        """The model replied; gives the confidence in the run as it stands now.

        The calls of ``step`` carry no results yet; messages that wait become its inputs. ``step``
        itself is not changed.

        ``key`` names the place in the program that asked the model. Where it was seen before, the
        place is run again (a retry, a resume): the new turn comes last, and the old one goes, with
        its results. Of keys of the form ``place#ordinal``, later turns of the same place go too.
        """
        if key and self._record.withdraw(key):
            self._scorer.refold()
        mine = self._record.add(step, key)
        try:
            self._scorer.score()
        except Exception as error:
            self._failed("scoring", error)
        self._tell("replied", len(self._record.steps), mine, self.confidence)
        return self.confidence

    @guarded
    def called(self, call_id: str, *, name: str | None = None) -> None:
        """A tool starts to run: the same call that :meth:`returned` would find."""
        place = self._record.begin(call_id, name)
        if place is not None:
            self._tell_call("called", place)

    @guarded
    def returned(
        self,
        call_id: str,
        text: str,
        status: CallStatus = "ok",
        duration_s: float | None = None,
        *,
        name: str | None = None,
    ) -> None:
        """What a call returned, and after how many seconds.

        It belongs to the newest turn that proposed ``call_id`` and has no result yet; without an
        id, or with one that no turn proposed, to the oldest open call of ``name``. A second result
        takes the place of the first.
        """
        place = self._record.find(call_id, name)
        if place is None:
            self._record.notes["a result for a call that no turn proposed"] += 1
            return
        if self._record.enter(place, text, status, duration_s):
            self._scorer.refold()
        self._tell_call("returned", place)

    @guarded
    def intervened(
        self,
        kind: InterventionKind,
        *,
        call_id: str | None = None,
        by: str = "",
        detail: str = "",
    ) -> None:
        """Somebody stepped in: on the turn that proposed ``call_id``, else on the newest one."""
        place = self._record.find(call_id, None) if call_id else None
        step = len(self._record.steps) - 1 if place is None else place.step
        if step < 0:
            self._record.notes["an intervention before the first turn"] += 1
            return
        entry = Intervention(step=step, kind=kind, by=by, detail=detail)
        self._record.interventions.append(entry)

    @guarded
    def interrupted(self, detail: str = "") -> None:
        """The run waits for somebody: it leaves memory until :meth:`Recorder.resume`.

        This handle is closed. Without a conversation nobody could resume the run, and it ends.
        """
        if detail:
            self._record.head.metadata["interrupted"] = str(detail)
        if self.conversation is None:
            self._finish("interrupted")
            return
        whole = self._close("interrupted")
        keys, now = tuple(self._record.keys), datetime.now(UTC)
        self._keeper.park(self, PendingRun(self.conversation, whole, keys, now))
        self._tell("interrupted")

    @guarded
    def ended(self, reason: EndReason = "answered", *, error: str = "") -> Trajectory | None:
        """The run is over: it goes to the sinks and leaves memory. None if it was closed before.

        ``error`` is kept in the metadata. Sinks and observers are given the same object.
        """
        if error:
            self._record.head.metadata["error"] = str(error)
        return self._finish(reason)

    def trajectory(self) -> Trajectory:
        """A copy of the run as it stands now, or as it was when it was closed."""
        with self._lock:
            try:
                return self._record.copy()
            except Exception as error:
                self._failed("copying the trajectory", error)
                return Trajectory(run_id=self.run_id, gaps=["the record could not be copied"])

    @guarded
    def decision(self) -> DecisionPoint | None:
        """The newest decision point; None before the first turn and after an error."""
        return self._scorer.point()

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
            self._info = _info(self._record.head)
        self._shared.tell(event, self._info, *what)

    def _tell_call(self, event: Event, place: Place) -> None:
        self._tell(event, place.step + 1, place.position, self._record.call(place))

    def _failed(self, doing: str, error: Exception) -> None:
        self._scorer.give_up()
        self._record.notes[f"{type(error).__name__} while {doing}, no score from there on"] += 1
        self._shared.faults.note(doing, error)

    def _after_fork(self) -> None:
        """In a child process this run is the parent's, and its lock may be held by nobody."""
        self._lock = threading.RLock()
        self.closed = True


def _info(head: Trajectory) -> RunInfo:
    return RunInfo(head.run_id, head.conversation, head.agent, head.model, head.task, head.system)
