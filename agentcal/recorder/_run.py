"""The live handle of one run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from agentcal._by_gate import by_gate
from agentcal.features import DecisionPoint
from agentcal.recorder._guard import guarded
from agentcal.recorder._handle import Handle
from agentcal.recorder._pending import PendingRun
from agentcal.recorder._review import Review
from agentcal.recorder._stepped_in import acted, by_people
from agentcal.trajectory import (
    WAITING,
    CallStatus,
    EndReason,
    Intervention,
    InterventionKind,
    Limits,
    Message,
    Role,
    Step,
    ToolDeclaration,
    Trajectory,
)

if TYPE_CHECKING:
    from agentcal.calibration import Confidence
    from agentcal.policy import TurnDecision


class Run(Handle):
    """One request to an agent, while it is going on. Made by :meth:`Recorder.start`.

    Every method may be called from any thread and never raises: an error is logged once a kind and
    counted, the confidence is unavailable from then on, and the record says so in its ``gaps``.
    Once ``closed``, methods do nothing.
    """

    @property
    def confidence(self) -> Confidence | None:
        """That of the newest turn; None where there is none.

        So it is before the first turn, without a calibrator, after an error, and when turns were
        withdrawn and none has followed.
        """
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
        always: bool = False,
    ) -> None:
        """Facts that become known late; what is known already stays as it is.

        Earlier turns were scored without them, and stay so (``Trajectory.known_after``), unless
        they were there ``always`` and only the recorder hears of them now.

        ``tools`` with new names join those that are known: several agents may work in one run. Of
        two with one name, the later one fills in what the earlier one does not say; what a tool is
        (its kind and its hints) comes whole from one of them.
        """
        given = {
            "task": task,
            "system": system,
            "tools": None if tools is None else list(tools),
            "agent": agent,
            "model": model,
            "limits": limits,
        }
        told = {name: value for name, value in given.items() if value}
        if self._record.describe(told, always=always):
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
        The new turn has the inputs of the old one, unless ``step`` brings inputs of its own.
        """
        if key and self._record.withdraw(key):
            self._scorer.refold()
        mine = self._record.add(step, key)
        self._record.head.metadata.pop(WAITING, None)
        try:
            self._scorer.score()
        except Exception as error:
            self._note_failure("scoring", error)
        if self._scorer.took_s is not None:
            self._info = None
        self._tell("replied", len(self._record.steps), mine, self.confidence)
        return self.confidence

    @guarded
    def again(self, place: str) -> Sequence[Step]:
        """This place of the program starts again: what it did before is void.

        Gives back the turns that go, with their results: those whose key is ``place``, or goes on
        from there with ``#``, ``/``, ``:`` or ``!``, as ``tools/expert#0`` lies under ``tools``.
        Where a key comes back, the messages that had reached its turn reach it again.
        """
        gone = self._record.again(place)
        if gone:
            self._scorer.refold()
            self._scorer.confidence = None
        return gone

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
        self._record.step_in(Intervention(step=max(step, 0), kind=kind, by=by, detail=detail))

    @guarded
    def decided(self, decision: TurnDecision) -> None:
        """A policy decided about a turn. Tell it once, when it was decided, not when it is read.

        What the gate does by itself is an intervention by "agentcal": "verified", or "aborted"
        where the verdict is to abstain; in mode "shadow" there is none. What a human answers to an
        escalation comes with :meth:`reviewed`.
        """
        verdicts = acted(decision)
        if 0 < decision.turn <= len(self._record.steps):
            self._record.steps[decision.turn - 1].decided = True
        if (entry := by_gate(decision.turn, verdicts)) is not None:
            self._record.step_in(entry)
        if "escalate" in verdicts and "abstain" not in verdicts:
            self._record.head.metadata[WAITING] = decision.turn
        self._tell("decided", decision)

    @guarded
    def reviewed(self, review: Review) -> None:
        """Somebody answered to an escalated decision, which may be one of an earlier process."""
        self._record.head.metadata.pop(WAITING, None)
        self._record.step_in(by_people(review))
        self._tell("reviewed", review)

    @guarded
    def gap(self, text: str) -> None:
        """The record lacks something: say what, in words and without quoting anybody."""
        self._record.notes[str(text)] += 1

    @guarded
    def failed(self, doing: str, error: BaseException) -> None:
        """Whoever tells of this run could not, for an error came up while ``doing`` something.

        It is counted, logged once a kind (without what ``error`` says), and noted as a gap; the
        confidence is unavailable from here on. The agent goes on, and so does the record.
        """
        self._note_failure(doing, error)

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
                self._note_failure("copying the trajectory", error)
                return Trajectory(run_id=self.run_id, gaps=["the record could not be copied"])

    @guarded
    def decision(self) -> DecisionPoint | None:
        """The newest decision point; None before the first turn and after an error."""
        return self._scorer.point()
