"""Interrupted runs that wait in a SQLite file, for whichever process goes on with them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

from agentcal.errors import ConfigError
from agentcal.recorder._pending import PendingRun
from agentcal.trajectory import Trajectory

_TABLE = """
CREATE TABLE IF NOT EXISTS agentcal_pending (
    conversation TEXT PRIMARY KEY,
    trajectory TEXT NOT NULL,
    keys TEXT NOT NULL,
    interrupted_at TEXT NOT NULL
) STRICT
"""
_PUT = "INSERT OR REPLACE INTO agentcal_pending VALUES (?, ?, ?, ?)"
_GET = "SELECT * FROM agentcal_pending WHERE conversation = ?"
_DROP = "DELETE FROM agentcal_pending WHERE conversation = ?"

_Row = tuple[str, str, str, str]


class SqlitePending:
    """Keeps interrupted runs in the SQLite file ``path``, made where it does not exist.

    Processes on one machine may share it: a run is handed out once. Runs wait for as long as nobody
    takes them. The file holds what users and tools said, as plain text.

    ``busy_s`` is how long to wait for another process that writes, in seconds.
    Raises :class:`ConfigError` if the file cannot be opened as a SQLite database.
    """

    def __init__(self, path: str | Path, *, busy_s: float = 5.0) -> None:
        self._path, self._busy_s = str(path), busy_s
        try:
            with self._writing() as database:
                database.execute(_TABLE)
        except sqlite3.Error as error:
            raise ConfigError(f"{path}: not usable as a SQLite database: {error}") from error

    def put(self, run: PendingRun) -> Sequence[PendingRun]:
        """Keep ``run``; gives back the earlier one of its conversation."""
        with self._writing() as database:
            old = _read(database, run.conversation)
            database.execute(_PUT, _row(run))
        return [] if old is None else [old]

    def take(self, conversation: str) -> PendingRun | None:
        """Hand out the run of this conversation and forget it."""
        with self._connected() as database:
            if database.execute(_GET, (conversation,)).fetchone() is None:
                return None
        with self._writing() as database:
            run = _read(database, conversation)
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
    return (
        run.conversation,
        run.trajectory.model_dump_json(exclude_defaults=True),
        json.dumps(run.keys),
        run.interrupted_at.isoformat(),
    )


def _read(database: sqlite3.Connection, conversation: str) -> PendingRun | None:
    row: _Row | None = database.execute(_GET, (conversation,)).fetchone()
    if row is None:
        return None
    _, trajectory, keys, interrupted_at = row
    return PendingRun(
        conversation,
        Trajectory.model_validate_json(trajectory),
        tuple(json.loads(keys)),
        datetime.fromisoformat(interrupted_at),
    )
