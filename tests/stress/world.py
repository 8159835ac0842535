"""What really happened, written down outside the agent; and the deaths of processes."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import threading
from collections import Counter
from pathlib import Path
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS effects (token TEXT, value TEXT, pid INTEGER);
CREATE TABLE IF NOT EXISTS told (token TEXT, kind TEXT, doubt INTEGER);
CREATE TABLE IF NOT EXISTS frozen (key TEXT PRIMARY KEY, body TEXT);
CREATE TABLE IF NOT EXISTS changed (key TEXT, was TEXT, became TEXT);
"""


class World:
    """Effects of tools, answers of the reviewer and decisions seen, in a file that outlives all.

    ``tick`` is called at every step of the process; at number ``dies_at`` the process is killed.
    """

    def __init__(self, path: Path, dies_at: int | None = None) -> None:
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.executescript(_SCHEMA)
        self._lock = threading.Lock()
        self._left = dies_at

    def tick(self) -> None:
        """One more step of this process; perhaps the last."""
        with self._lock:
            if self._left is None:
                return
            self._left -= 1
            if self._left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def effect(self, token: str, value: str) -> None:
        """A tool has changed the world."""
        self._do("INSERT INTO effects VALUES (?, ?, ?)", token, value, os.getpid())

    def told(self, token: str, kind: str, *, doubt: bool) -> None:
        """The reviewer has answered; ``doubt``: about a call that may have run."""
        self._do("INSERT INTO told VALUES (?, ?, ?)", token, kind, int(doubt))

    def saw(self, decisions: dict[str, Any]) -> None:
        """Decisions as the state of the graph has them now."""
        for key, decision in decisions.items():
            body = json.dumps(decision, sort_keys=True)
            self._do("INSERT OR IGNORE INTO frozen VALUES (?, ?)", key, body)
            ((was,),) = self._do("SELECT body FROM frozen WHERE key = ?", key)
            if was != body:
                self._do("INSERT INTO changed VALUES (?, ?, ?)", key, was, body)

    def effects(self) -> dict[str, list[str]]:
        """The values that each token was carried out with."""
        found: dict[str, list[str]] = {}
        for token, value in self._do("SELECT token, value FROM effects"):
            found.setdefault(token, []).append(value)
        return found

    def answers(self, *, doubt: bool) -> dict[str, list[str]]:
        """What the reviewer said about each token."""
        found: dict[str, list[str]] = {}
        rows = self._do("SELECT token, kind FROM told WHERE doubt = ?", int(doubt))
        for token, kind in rows:
            found.setdefault(token, []).append(kind)
        return found

    def changed(self) -> list[tuple[str, str, str]]:
        """Decisions that were one thing and then another."""
        return [(key, was, became) for key, was, became in self._do("SELECT * FROM changed")]

    def frozen(self) -> dict[str, Any]:
        """All decisions that were ever seen, by key."""
        return {k: json.loads(body) for k, body in self._do("SELECT key, body FROM frozen")}

    def processes(self) -> Counter[int]:
        """Effects by process."""
        return Counter(pid for (pid,) in self._do("SELECT pid FROM effects"))

    def _do(self, query: str, *values: Any) -> list[Any]:
        with self._lock:
            return self._db.execute(query, values).fetchall()
