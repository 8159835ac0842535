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
        self._record = record
        self._more = sorted(record.head.briefed_at)
        self._fold = Fold(*record.head.briefing(0))

    def point(self) -> DecisionPoint | None:
        """The newest decision point; None before the first turn. Costs what is new.

        Where more became known before the newest turn, the run is folded from its start again.
        """
        newest = len(self._record.steps) - 1
        while self._more and self._more[0] <= newest:
            self._fold = Fold(*self._record.head.briefing(self._more.pop(0)))
        while self._fold.turns <= newest:
            self._advance(self._fold.turns)
        return self._fold.point() if newest >= 0 else None

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
