"""Between the agent, which must not wait, and the store of pending runs, which may be slow."""

from __future__ import annotations

import threading
from collections import deque
from functools import partial

from agentcal.recorder._pending import PendingRun, PendingRuns
from agentcal.recorder._writer import Writer

_PATIENCE_S = 2.0


class _Gone:
    """Stands for "nothing waits here any more", until the store knows it too."""


class Desk:
    """Interrupted runs. What the writer has not stored yet is known here all the same.

    A run has one home at a time: ``_ahead`` until the writer begins to store it, from then on the
    store. So two recorders that share a store do not both go on with it.
    """

    def __init__(self, store: PendingRuns, writer: Writer, most: int) -> None:
        self._store, self._writer, self._most = store, writer, most
        self._stored = threading.Condition()
        self._ahead: dict[str, PendingRun | _Gone] = {}
        self._storing: PendingRun | None = None
        self._handed_out: PendingRun | None = None
        self._stranded: deque[PendingRun] = deque()

    def park(self, run: PendingRun) -> None:
        """Keep an interrupted run; the latest of a conversation wins."""
        self._lay_down(self._replace(run.conversation, run), run)
        if not self._writer.do(partial(self._put, run)):
            self._unset(run.conversation, run)
            self._lay_down(run)

    def take(self, conversation: str) -> PendingRun | None:
        """Hand out the run that waits in this conversation."""
        gone = _Gone()
        with self._stored:
            ahead = self._ahead.get(conversation)
            if ahead is not None and ahead is self._storing:
                self._stored.wait_for(lambda: self._storing is not ahead, _PATIENCE_S)
                ahead = self._ahead.get(conversation)
            if isinstance(ahead, PendingRun):
                self._ahead[conversation] = gone
                if ahead is self._storing:
                    self._handed_out = ahead
        if isinstance(ahead, PendingRun):
            self._clear_later(conversation, gone)
            return ahead
        return None if isinstance(ahead, _Gone) else self._store.take(conversation)

    def supersede(self, conversation: str) -> None:
        """A new request came in this conversation: the run that waits in it will not go on."""
        gone = _Gone()
        self._lay_down(self._replace(conversation, gone))
        self._clear_later(conversation, gone)

    def leftovers(self) -> None:
        """Write the runs that never made it to the store."""
        with self._stored:
            ahead, self._ahead = self._ahead, {}
        for run in ahead.values():
            self._lay_down(run)

    def _replace(self, conversation: str, now: PendingRun | _Gone) -> PendingRun | _Gone | None:
        """What waited here until now; not what is being stored: the job that follows finds that."""
        with self._stored:
            old = self._ahead.get(conversation)
            self._ahead[conversation] = now
            return None if old is self._storing else old

    def _unset(self, conversation: str, was: PendingRun | _Gone) -> bool:
        with self._stored:
            same = self._ahead.get(conversation) is was
            if same:
                del self._ahead[conversation]
        return same

    def _put(self, run: PendingRun) -> None:
        """In the writer thread."""
        with self._stored:
            if self._ahead.get(run.conversation) is not run:
                return
            self._storing = run
        try:
            replaced = self._store.put(run)
        except Exception:
            self._strand(run)
            raise
        self._unset(run.conversation, run)
        if self._put_down(run):
            self._store.take(run.conversation)
        for old in replaced:
            self._lay_down(old, run)

    def _put_down(self, run: PendingRun) -> bool:
        """The store has had its turn; says whether somebody could not wait and has the run."""
        with self._stored:
            handed_out = self._handed_out is run
            self._storing = self._handed_out = None
            self._stored.notify_all()
        return handed_out

    def _strand(self, run: PendingRun) -> None:
        """The store fails: this process can still go on with the run, while there is room."""
        if self._put_down(run):
            return
        with self._stored:
            here = self._ahead.get(run.conversation) is run
        if not here:
            self._lay_down(run)
            return
        self._stranded.append(run)
        if len(self._stranded) > self._most:
            oldest = self._stranded.popleft()
            if self._unset(oldest.conversation, oldest):
                self._lay_down(oldest)

    def _clear_later(self, conversation: str, gone: _Gone) -> None:
        if not self._writer.do(partial(self._clear, conversation, gone)):
            self._unset(conversation, gone)

    def _clear(self, conversation: str, gone: _Gone) -> None:
        """In the writer thread."""
        try:
            self._lay_down(self._store.take(conversation))
        finally:
            self._unset(conversation, gone)

    def _lay_down(self, old: PendingRun | _Gone | None, by: PendingRun | None = None) -> None:
        """A run that will not go on is written as it is, unless it only gave way to itself."""
        if isinstance(old, PendingRun) and (
            by is None or old.trajectory.run_id != by.trajectory.run_id
        ):
            self._writer.write(old.trajectory)
