"""Which run ids came before, in nearly constant memory."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_PLACES = 10_000
_LOOSE = 8_192


class Seen:
    """The places of the first 10,000 ids, and eight bytes for each of the rest.

    Two of a million ids share their 64 bits with a chance of about one in forty million.
    """

    def __init__(self) -> None:
        self._places: dict[str, str] = {}
        self._loose: set[int] = set()
        self._packed: NDArray[np.int64] = np.empty(0, dtype=np.int64)

    def before(self, run_id: str, here: str) -> str | None:
        """Where a run with this id came first, or None and it is noted that it came ``here``."""
        if run_id in self._places:
            return self._places[run_id]
        if len(self._places) < _PLACES:
            self._places[run_id] = here
            return None
        key = hash(run_id)
        if key in self._loose or self._is_packed(key):
            return "an earlier line or file"
        self._loose.add(key)
        if len(self._loose) == _LOOSE:
            self._pack()
        return None

    def _is_packed(self, key: int) -> bool:
        at = int(self._packed.searchsorted(key))
        return at < len(self._packed) and int(self._packed[at]) == key

    def _pack(self) -> None:
        loose = np.fromiter(self._loose, np.int64, len(self._loose))
        self._packed = np.sort(np.concatenate([self._packed, loose]))
        self._loose.clear()
