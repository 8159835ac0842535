"""The fold of a run that is still going on."""

from __future__ import annotations

from contextlib import suppress

from agentcal.features import DecisionPoint, Fold
from agentcal.recorder._record import Record


class LiveFold:
    """Follows a record. Gives the rows that ``decision_points`` gives for the recorded run.

    Results are folded when the next turn comes, in the order in which ``decision_points`` meets
    them: those of the newest turn first, then the late ones, whichever was quicker.
    """

    def __init__(self, record: Record) -> None:
        head = record.head
        self._record = record
        self._fold = Fold(head.task, head.system, head.tools, head.limits)

    def point(self) -> DecisionPoint | None:
        """The newest decision point; None before the first turn. Costs what is new."""
        while self._fold.turns < len(self._record.steps):
            self._advance(self._fold.turns)
        return self._fold.point() if self._record.steps else None

    def _advance(self, turn: int) -> None:
        if turn:
            self._results(turn - 1)
        step = self._record.steps[turn]
        for message in step.inputs:
            self._fold.message(message.text, message.role)
        self._fold.turn(step)

    def _results(self, newest: int) -> None:
        for place in sorted(self._record.arrived[newest], key=lambda p: (p.step != newest, p)):
            call, turn = self._record.call(place), place.step + 1
            said = call.result or ""
            with suppress(IndexError):  # so late that a fold no longer remembers the turn
                self._fold.result(place.position, said, call.status, call.duration_s, turn=turn)
