"""Which tools a run has used so far, by name: what a reference is asked about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

_MOST_TOOLS = 256


class ToolUse(NamedTuple):
    """The tools of a run as they stand, the newest turn included.

    ``declared`` and ``called``, which stops growing at 256, are shared from turn to turn, so that a
    decision point costs no copy. ``calls``: proposed so far. ``last``: the tool that the turn
    before the newest called last, "" where it called none. ``proposed``: the calls of the newest
    turn, None before the first turn.
    """

    declared: frozenset[str] = frozenset()
    called: frozenset[str] = frozenset()
    calls: int = 0
    last: str = ""
    proposed: tuple[str, ...] | None = None

    def then(self, names: Sequence[str]) -> ToolUse:
        """After one more turn, which calls the tools in ``names``."""
        called, before = self.called, self.proposed
        if not called.issuperset(names) and len(called) < _MOST_TOOLS:
            called = called.union(names)
        last = before[-1] if before else ""
        return ToolUse(self.declared, called, self.calls + len(names), last, tuple(names))
