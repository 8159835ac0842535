"""Interrupted runs that wait in a SQLite file, for whichever process goes on with them."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from agentcal._json import as_json
from agentcal.errors import ConfigError
from agentcal.recorder._pending import PendingRun
from agentcal.trajectory import Trajectory

_LOG = logging.getLogger("agentcal")

_TABLE = """
CREATE TABLE IF NOT EXISTS agentcal_pending (
    conversation TEXT PRIMARY KEY,
    trajectory TEXT NOT NULL,
    keys TEXT NOT NULL,
    interrupted_at REAL NOT NULL
)
"""
_INDEX = "CREATE INDEX IF NOT EXISTS agentcal_pending_at ON agentcal_pending (interrupted_at)"
_PUT = "INSERT OR REPLACE INTO agentcal_pending VALUES (?, ?, ?, ?)"
_FIND = "SELECT * FROM agentcal_pending WHERE conversation = ?"
_FIND_OLD = "SELECT * FROM agentcal_pending WHERE interrupted_at < ?"
_DROP = "DELETE FROM agentcal_pending WHERE conversation = ?"
_DROP_OLD = "DELETE FROM agentcal_pending WHERE interrupted_at < ?"

_DAY_S = 86_400.0
_Row = tuple[str, str, str, float]


class SqlitePending:
    """Keeps interrupted runs in the SQLite file ``path``, made where it does not exist.

    Processes on one machine may share it: a run is handed out once. The file holds what users and
    tools said, as plain text.

    ``keep_s``: who has not answered after so many seconds will not; the run is given up when the
    next one is interrupted. ``busy_s``: how long to wait for another process that writes, in
    seconds. Raises :class:`ConfigError` if the file cannot be opened as a SQLite database.
    """

    def __init__(
        self, path: str | Path, *, keep_s: float = 30 * _DAY_S, busy_s: float = 5.0
    ) -> None:
        if str(path) == ":memory:":
            raise ConfigError("a SQLite database in memory is nobody else's; use MemoryPending()")
        self._path, self._keep_s, self._busy_s = str(path), keep_s, busy_s
        try:
            with self._writing() as database:
                database.execute(_TABLE)
                database.execute(_INDEX)
        except sqlite3.Error as error:
            raise ConfigError(f"{path}: not usable as a SQLite database: {error}") from error

    def put(self, run: PendingRun) -> Sequence[PendingRun]:
        """Keep ``run``; gives back the earlier one of its conversation, and those too old."""
        oldest = run.interrupted_at.timestamp() - self._keep_s
        with self._writing() as database:
            rows = database.execute(_FIND, (run.conversation,)).fetchall()
            database.execute(_PUT, _row(run))
            rows += database.execute(_FIND_OLD, (oldest,)).fetchall()
            database.execute(_DROP_OLD, (oldest,))
        return [old for row in rows if (old := _read(row)) is not None]

    def take(self, conversation: str) -> PendingRun | None:
        """Hand out the run of this conversation and forget it."""
        with self._connected() as database:
            if database.execute(_FIND, (conversation,)).fetchone() is None:
                return None
        with self._writing() as database:
            row = database.execute(_FIND, (conversation,)).fetchone()
            run = None if row is None else _read(row)
            if run is not None:
                database.execute(_DROP, (conversation,))
        return run

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        """A connection for this one purpose: it survives forks and belongs to no thread."""
        connect = sqlite3.connect(self._path, timeout=self._busy_s, isolation_level=None)
        with closing(connect) as database:
            yield database

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._connected() as database:
            database.execute("BEGIN IMMEDIATE")
            try:
                yield database
            except BaseException:
                database.rollback()
                raise
            database.commit()


def _row(run: PendingRun) -> _Row:
    trajectory = as_json(run.trajectory).decode()
    return run.conversation, trajectory, json.dumps(run.keys), run.interrupted_at.timestamp()


def _read(row: _Row) -> PendingRun | None:
    """The run; None, with a complaint, for one that this agentcal does not understand."""
    conversation, trajectory, keys, at = row
    try:
        run = Trajectory.model_validate_json(trajectory)
        return PendingRun(
            conversation, run, tuple(json.loads(keys)), datetime.fromtimestamp(at, UTC)
        )
    except ValueError as error:
        _LOG.error(
            "a pending run was written by another agentcal, or damaged: %s", type(error).__name__
        )
        return None
