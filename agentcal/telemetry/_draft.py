"""A run that is put together from a record: the recorder's own bookkeeping, without its threads."""

from __future__ import annotations

from typing import Protocol

from agentcal.recorder import Record
from agentcal.trajectory import CallStatus, Message, Role, Step


class Listener(Protocol):
    """Who is told what happened in a run: a live :class:`agentcal.recorder.Run`, or a draft."""

    def message(self, text: str, role: Role = "user") -> object:
        """A message reached the agent after the task."""

    def replied(self, step: Step, *, key: str | None = None) -> object:
        """The model replied; ``key`` names the place in the program."""

    def returned(
        self,
        call_id: str,
        text: str,
        status: CallStatus = "ok",
        duration_s: float | None = None,
        *,
        name: str | None = None,
    ) -> object:
        """What a call returned."""


class Draft:
    """Listens, and enters what it hears into a :class:`Record`."""

    def __init__(self, record: Record) -> None:
        self.record = record

    def message(self, text: str, role: Role = "user") -> None:
        """A message reached the agent after the task."""
        self.record.inbox.append(Message(role=role, text=text))

    def replied(self, step: Step, *, key: str | None = None) -> None:
        """The model replied; a place that was seen before is run again, and replaced."""
        if key is not None:
            self.record.withdraw(key)
        self.record.add(step, key)

    def returned(
        self,
        call_id: str,
        text: str,
        status: CallStatus = "ok",
        duration_s: float | None = None,
        *,
        name: str | None = None,
    ) -> None:
        """What a call returned."""
        place = self.record.find(call_id, name)
        if place is not None:
            self.record.enter(place, text, status, duration_s)
