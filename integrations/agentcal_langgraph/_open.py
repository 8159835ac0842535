"""What runs at this moment: graphs, and the parts of them, by the ids of their callbacks."""

from __future__ import annotations

import weakref
from uuid import UUID

from agentcal.recorder import Recorder
from agentcal_langgraph._opening import Invocation
from agentcal_langgraph._place import Place, Scope
from agentcal_langgraph._turn import Turn
from agentcal_langgraph._watch import Watch

_SWEEP = 1024
_WATCHED: weakref.WeakKeyDictionary[Recorder, set[UUID]] = weakref.WeakKeyDictionary()
_OPEN: weakref.WeakKeyDictionary[Recorder, weakref.WeakSet[Open]] = weakref.WeakKeyDictionary()


class Open:
    """Graphs, places and turns that have begun and not ended. Safe from any thread."""

    def __init__(self) -> None:
        self.places: dict[UUID, Place] = {}
        self.turns: dict[UUID, Turn] = {}
        self.watches: dict[UUID, Watch] = {}
        self._sweep_at = _SWEEP

    def begin(self, recorder: Recorder, root: UUID, invocation: Invocation) -> None:
        """A graph is invoked; nothing if another handler of this recorder has seen to it."""
        watched = _WATCHED.setdefault(recorder, set())
        if root in watched:
            return
        self._sweep()
        watch = Watch(recorder, root, invocation)
        watched.add(root)
        _OPEN.setdefault(recorder, weakref.WeakSet()).add(self)
        self.watches[root] = watch
        self.places[root] = Place(watch, Scope(""), "", invocation.agent_name)

    def watch_of(self, run_id: UUID, parent: UUID | None = None) -> Watch | None:
        """The watch of this chain, tool or model, or else of the one that it runs in."""
        known = self.places.get(run_id) or self.turns.get(run_id)
        if known is None and parent is not None:
            known = self.places.get(parent) or self.turns.get(parent)
        return None if known is None else known.watch

    def enter(self, run_id: UUID, place: Place) -> None:
        """A part of a graph begins."""
        self.places[run_id] = place
        place.watch.ids.add(run_id)

    def leave(self, run_id: UUID) -> Place | None:
        """It has ended."""
        place = self.places.pop(run_id, None)
        if place is not None:
            place.watch.ids.discard(run_id)
        return place

    def ask(self, run_id: UUID, turn: Turn) -> None:
        """A model is asked."""
        self.turns[run_id] = turn
        turn.watch.ids.add(run_id)

    def hear(self, run_id: UUID) -> Turn | None:
        """It has replied, or will not."""
        turn = self.turns.pop(run_id, None)
        if turn is not None:
            turn.watch.ids.discard(run_id)
        return turn

    def forget(self, watch: Watch) -> None:
        """The graph has ended: what still runs in it, in a thread, counts no more."""
        self.watches.pop(watch.root, None)
        _WATCHED.get(watch.recorder, set()).discard(watch.root)
        for run_id in list(watch.ids):
            self.places.pop(run_id, None)
            self.turns.pop(run_id, None)

    def _sweep(self) -> None:
        """Forget graphs that never ended, such as a stream that nobody has read to its end."""
        if len(self.watches) >= self._sweep_at:
            for watch in list(self.watches.values()):
                if watch.abandoned:
                    self.forget(watch)
            self._sweep_at = max(_SWEEP, 2 * len(self.watches))


def watches_at(run_id: UUID) -> list[Watch]:
    """What the handlers of all recorders tell of the graph in which this chain runs."""
    every = [one for known in list(_OPEN.values()) for one in list(known)]
    return [watch for one in every if (watch := one.watch_of(run_id)) is not None]


def is_watched(recorder: Recorder, run_id: UUID) -> bool:
    """Whether any handler of this recorder watches the graph in which this chain runs."""
    return any(one.watch_of(run_id) for one in list(_OPEN.get(recorder, ())))
