"""Which proposed call a result belongs to."""

from __future__ import annotations

from collections.abc import Container
from typing import NamedTuple

from agentcal.trajectory import ToolCall


class Place(NamedTuple):
    """A call: index of its step, and its position there, both from 0."""

    step: int
    position: int


class Calls:
    """The calls that were proposed, oldest first; ``open`` are those without a result."""

    def __init__(self) -> None:
        self._names: dict[Place, str] = {}
        self._by_id: dict[str, list[Place]] = {}
        self._open: dict[Place, None] = {}
        self._begun: set[Place] = set()

    def propose(self, place: Place, call: ToolCall) -> None:
        """A turn proposed ``call``."""
        self._names[place] = call.name
        if call.id:
            self._by_id.setdefault(call.id, []).append(place)
        if call.status == "missing":
            self._open[place] = None

    def close(self, place: Place) -> None:
        """There is a result."""
        self._open.pop(place, None)
        self._begun.discard(place)

    def begin(self, call_id: str, name: str | None) -> Place | None:
        """The call that starts to run. Without ids, equal names start in the order proposed."""
        place = self._by(call_id, name) or self._oldest(call_id, name, self._begun)
        if place is not None:
            self._begun.add(place)
        return place

    def find(self, call_id: str, name: str | None) -> Place | None:
        """The call that a result with this id belongs to, or, failing that, one with this name."""
        return self._by(call_id, name) or self._oldest(call_id, name, ())

    def _by(self, call_id: str, name: str | None) -> Place | None:
        """Providers use ids again: open calls go first, of these the named ones, then new ones."""
        places = self._by_id.get(call_id, ())
        named = [place for place in places if name is None or self._names[place] == name] or places
        fresh = next((place for place in reversed(named) if place in self._open), None)
        return fresh or (named[-1] if named else None)

    def _oldest(self, call_id: str, name: str | None, besides: Container[Place]) -> Place | None:
        """With neither an id nor a name, any open call will do; with an unknown id alone, none."""
        if call_id and name is None:
            return None
        fitting = (p for p in self._open if name is None or self._names[p] == name)
        return next((place for place in fitting if place not in besides), None)
