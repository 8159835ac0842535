"""The live handle of one run."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, Literal, ParamSpec, TypeVar

from agentcal.features import DecisionPoint
from agentcal.recorder._info import RunInfo
from agentcal.recorder._keeper import Keeper
from agentcal.recorder._live import LiveFold
from agentcal.recorder._pending import PendingRun
from agentcal.recorder._record import Place, Record
from agentcal.recorder._shared import Shared
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

P = ParamSpec("P")
R = TypeVar("R")


def _guarded(
    method: Callable[Concatenate[Run, P], R | None],
) -> Callable[Concatenate[Run, P], R | None]:
    """One thread at a time, nothing once the run is closed, and never an exception."""

    @wraps(method)
    def safe(self: Run, /, *args: P.args, **kwargs: P.kwargs) -> R | None:
        try:
            with self._lock:
                if self.closed:
                    return None
                self._keeper.touch(self)
                return method(self, *args, **kwargs)
        except Exception as error:
            self._failed(f"recording {method.__name__}", error)
            return None

    return safe


class Run:
    """One request to an agent, while it is going on. Made by :meth:`Recorder.start`.

    Every method may be called from any thread and never raises: an error is logged once a kind and
    counted, the confidence is unavailable from then on, and the record says so in its ``gaps``.
    """

    def __init__(self, record: Record, shared: Shared, keeper: Keeper) -> None:
        self.run_id = record.head.run_id
        self.conversation = record.head.conversation
        self.closed = False
        self.confidence: Confidence | None = None
        self._record, self._shared, self._keeper = record, shared, keeper
        self._lock = threading.RLock()
        self._live: LiveFold | None = None
        self._info: RunInfo | None = None
        self._sound = True

    @_guarded
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
        head = self._record.head
        news = {name: value for name, value in given.items() if value and not getattr(head, name)}
        if news:
            self._record.head = head.model_copy(update=news)
            self._live = self._info = None

    @_guarded
    def message(self, text: str, role: Role = "user") -> None:
        """A message reached the agent after the task."""
        self._record.inbox.append(Message(role=role, text=text))

    @_guarded
    def replied(self, step: Step, *, key: str | None = None) -> Confidence | None:
        """The model replied; gives the confidence in the run as it stands now.

        The calls of ``step`` carry no results yet; messages that wait become its inputs. ``key``
        names the place in the program that asked the model: where it was seen before, the place is
        run again (a retry, a resume), and the new turn takes the place of the old one and its
        results. In a key ``place#ordinal`` the later turns of the same place go with it.
        """
        if key is not None and self._record.replace(key):
            self._live = None
        mine = self._record.add(step, key)
        turn, confidence = len(self._record.steps), self._score()
        self.confidence = confidence
        info = self._information()
        self._shared.tell("replied", lambda to: to.replied(info, turn, mine, confidence))
        return confidence

    @_guarded
    def called(self, call_id: str, *, name: str | None = None) -> None:
        """A tool starts to run."""
        place = self._record.begin(call_id, name)
        if place is not None:
            info, call = self._information(), self._record.call(place)
            turn, position = place.step + 1, place.position
            self._shared.tell("called", lambda to: to.called(info, turn, position, call))

    @_guarded
    def returned(
        self,
        call_id: str,
        text: str,
        status: CallStatus = "ok",
        duration_s: float | None = None,
        *,
        name: str | None = None,
    ) -> None:
        """What a call returned: of the newest turn that proposed ``call_id`` and has no result yet.

        Without an id, or with one that no turn proposed, it is the oldest open call of ``name``. A
        second result takes the place of the first. ``duration_s`` in seconds.
        """
        place = self._record.find(call_id, name)
        if place is None:
            self._record.notes["a result for a call that no turn proposed"] += 1
            return
        if self._record.result(place, text, status, duration_s):
            self._live = None
        info, call = self._information(), self._record.call(place)
        turn, position = place.step + 1, place.position
        self._shared.tell("returned", lambda to: to.returned(info, turn, position, call))

    @_guarded
    def intervened(
        self,
        kind: InterventionKind,
        *,
        call_id: str | None = None,
        by: str = "",
        detail: str = "",
    ) -> None:
        """Somebody stepped in: on the turn that proposed ``call_id``, else on the newest one."""
        place: Place | None = self._record.find(call_id, None) if call_id else None
        step = len(self._record.steps) - 1 if place is None else place.step
        if step < 0:
            self._record.notes["an intervention before the first turn"] += 1
            return
        entry = Intervention(step=step, kind=kind, by=by, detail=detail)
        self._record.interventions.append(entry)

    @_guarded
    def interrupted(self, detail: str = "") -> None:
        """The run waits for somebody: it leaves memory until :meth:`Recorder.resume`.

        Without a conversation nothing could ever resume it, and it ends here. This handle is closed
        in any case.
        """
        if self.conversation is None:
            self._finish("interrupted")
            return
        run = self._record.whole()
        run.end_reason = "interrupted"
        if detail:
            run.metadata["interrupted"] = detail
        self._close()
        info = self._information()
        keys, now = tuple(self._record.keys), datetime.now(UTC)
        self._keeper.park(self, PendingRun(self.conversation, run, keys, now))
        self._shared.tell("interrupted", lambda to: to.interrupted(info))

    @_guarded
    def ended(self, reason: EndReason = "answered", *, error: str = "") -> Trajectory | None:
        """The run is over: it goes to the sinks and leaves memory. None if it was closed before.

        ``error`` is kept in the metadata. Sinks and observers are given the same object.
        """
        if error:
            self._record.head.metadata["error"] = error
        return self._finish(reason)

    def trajectory(self) -> Trajectory:
        """A copy of the run as it stands now."""
        try:
            with self._lock:
                return self._record.snapshot()
        except Exception as error:
            self._failed("copying the trajectory", error)
            return Trajectory(run_id=self.run_id, gaps=["the record could not be copied"])

    @_guarded
    def decision(self) -> DecisionPoint | None:
        """The newest decision point; None before the first turn and where it is unavailable."""
        return self._point() if self._sound else None

    def _point(self) -> DecisionPoint | None:
        self._live = self._live or LiveFold(self._record)
        return self._live.point()

    def _score(self) -> Confidence | None:
        calibrator = self._shared.calibrator
        if calibrator is None:
            return None
        try:
            point = self._point() if self._sound else None
            if point is not None:
                head = self._record.head
                confidence = calibrator.predict(point, agent=head.agent, model=head.model)
                self._shared.counters.add("scores")
                return confidence
        except Exception as error:
            self._failed("scoring", error)
        self._shared.counters.add("unavailable")
        return None

    def _information(self) -> RunInfo:
        if self._info is None:
            head = self._record.head
            self._info = RunInfo(
                self.run_id, self.conversation, head.agent, head.model, head.task, head.system
            )
        return self._info

    def _begin(self, *, resumed: bool) -> None:
        """Tell the observers that the run is there."""
        info = self._information()
        if resumed:
            self._shared.tell("resumed", lambda to: to.resumed(info))
        else:
            self._shared.tell("started", lambda to: to.started(info))

    def _abandon(self, why: str, wait_s: float = 0) -> bool:
        """Close it for the recorder's own reasons; says whether nobody was busy with it."""
        if not self._lock.acquire(timeout=wait_s):
            return False
        try:
            if not self.closed:
                self._record.notes[why] += 1
                self._finish("unknown", expired=True)
            return True
        finally:
            self._lock.release()

    def _finish(self, reason: EndReason, *, expired: bool = False) -> Trajectory:
        run = self._record.whole()
        run.end_reason = reason
        self._close()
        info = self._information()
        self._keeper.finish(self, run, expired=expired)
        self._shared.tell("ended", lambda to: to.ended(info, run))
        return run

    def _close(self) -> None:
        self.closed, self._live = True, None

    def _after_fork(self) -> None:
        """In a child process this run is the parent's."""
        self._lock = threading.RLock()
        self._close()

    def _failed(self, doing: str, error: Exception) -> None:
        self._sound, self.confidence, self._live = False, None, None
        self._record.notes[f"{type(error).__name__} while {doing}; no score from there on"] += 1
        self._shared.faults.note(doing, error)
