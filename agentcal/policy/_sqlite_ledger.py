"""Questions counted in a SQLite file, for all processes on one machine together."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from agentcal.errors import ConfigError
from agentcal.policy._bucket import QUESTION, kept, least, settle
from agentcal.policy._budget import ReviewBudget
from agentcal.policy._ledger import Request

_TABLES = (
    "CREATE TABLE IF NOT EXISTS agentcal_tokens (one INTEGER PRIMARY KEY, tokens INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS agentcal_steps "
    "(place INTEGER PRIMARY KEY, key BLOB UNIQUE NOT NULL, value REAL, granted INTEGER NOT NULL)",
)
_START = "INSERT OR IGNORE INTO agentcal_tokens VALUES (1, ?)"
_TOKENS = "SELECT tokens FROM agentcal_tokens"
_SPEND = "UPDATE agentcal_tokens SET tokens = ?"
_ANSWER = "SELECT granted FROM agentcal_steps WHERE key = ?"
_PLACE = "SELECT coalesce(max(place), 0) FROM agentcal_steps"
_BELOW = "SELECT coalesce(total(value < ?) / count(value), 0) FROM agentcal_steps WHERE place > ?"
_COUNT = "INSERT INTO agentcal_steps VALUES (?, ?, ?, 0)"
_GRANT = "UPDATE agentcal_steps SET granted = 1 WHERE key = ?"
_PRUNE = "DELETE FROM agentcal_steps WHERE place <= ?"


class _Open(NamedTuple):
    """A connection of one process to one file. After a fork, and for another file, a new one."""

    process: int
    file: tuple[int, int]
    lock: threading.Lock
    database: sqlite3.Connection
    before: _Open | None
    """Kept, because closing what was inherited could harm the process that opened it."""


class SqliteLedger:
    """A :class:`BudgetLedger` in the SQLite file ``path``, made where it does not exist.

    Threads and processes on one machine may share it and keep one cap together; one file is one
    budget. It holds digests of decision keys and the confidences of the last steps, no content.

    ``busy_s``: how long to wait for another process that writes, in seconds; the thread that asks
    waits, a fraction of a millisecond as a rule. Raises :class:`ConfigError` if the file cannot be
    opened as a SQLite database. Where it has become unusable later, ``grant`` raises
    ``sqlite3.Error``, and the :class:`Gate` asks nobody.
    """

    def __init__(self, path: str | Path, *, busy_s: float = 5.0) -> None:
        if str(path) == ":memory:":
            raise ConfigError("a SQLite database in memory is nobody else's; use MemoryLedger()")
        self._path, self._busy_s = Path(path), busy_s
        try:
            self._held = self._opened(None)
        except (sqlite3.Error, OSError) as error:
            raise ConfigError(f"{path}: not usable as a SQLite database: {error}") from error

    def grant(self, budget: ReviewBudget, requests: Sequence[Request]) -> list[bool]:
        """See :class:`BudgetLedger`. Raises ``sqlite3.Error``."""
        with self._writing() as database:
            return _grant(database, budget, requests)

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        held = self._held
        if held.process != os.getpid() or held.file != _identity(self._path):
            held = self._held = self._opened(held)
        with held.lock, _transaction(held.database) as database:
            yield database

    def _opened(self, before: _Open | None) -> _Open:
        database = sqlite3.connect(
            self._path, timeout=self._busy_s, isolation_level=None, check_same_thread=False
        )
        database.execute("PRAGMA journal_mode = WAL")
        # A crash of the machine may forget the last steps; fsync at every step would cost 20 ms.
        database.execute("PRAGMA synchronous = NORMAL")
        with _transaction(database):
            for statement in _TABLES:
                database.execute(statement)
            database.execute(_START, (QUESTION,))
        return _Open(os.getpid(), _identity(self._path), threading.Lock(), database, before)


@contextmanager
def _transaction(database: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    database.execute("BEGIN IMMEDIATE")
    try:
        yield database
    except BaseException:
        database.rollback()
        raise
    database.commit()


def _identity(path: Path) -> tuple[int, int]:
    """Which file it is; a new one may have taken the place of one that was deleted."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return 0, 0
    return found.st_dev, found.st_ino


def _grant(
    database: sqlite3.Connection, budget: ReviewBudget, requests: Sequence[Request]
) -> list[bool]:
    keys = [_digest(request.key) for request in requests]
    known = {key: _answer(database, key) for key in keys}
    new = {k: r for k, r in zip(keys, requests, strict=True) if known[k] is None}
    place = int(_first(database, _PLACE))
    rows = enumerate(new.items(), place + 1)
    database.executemany(_COUNT, [(at, key, request.value) for at, (key, request) in rows])
    place += len(new)
    value = least([*new.values()])
    below = 0.0 if value is None else _first(database, _BELOW, value, place - budget.window)
    tokens, granted = settle(budget, int(_first(database, _TOKENS)), [*new.values()], below)
    database.execute(_SPEND, (tokens,))
    if granted:
        database.executemany(_GRANT, [(key,) for key, request in new.items() if request.ask])
    database.execute(_PRUNE, (place - kept(budget),))
    return [known[k] or (k in new and granted and new[k].ask) for k in keys]


def _answer(database: sqlite3.Connection, key: bytes) -> bool | None:
    row = database.execute(_ANSWER, (key,)).fetchone()
    return None if row is None else bool(row[0])


def _first(database: sqlite3.Connection, query: str, *values: float) -> float:
    return float(database.execute(query, values).fetchone()[0])


def _digest(key: str) -> bytes:
    return hashlib.blake2b(key.encode(errors="surrogatepass"), digest_size=16).digest()
