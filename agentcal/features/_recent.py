"""What was made from recent texts, kept in bounded space."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

_ROOM = 200_000
_EACH = 100

V = TypeVar("V")


class Recent(Generic[V]):
    """Values by the text that they are made from; those of texts not asked for lately are dropped.

    Two generations: when the young one is full it becomes the old one, and whatever is found there
    is young again. A hit is one lookup, and two threads at once can at worst make a value twice.
    Each generation holds 200,000 characters, every text counted with 100 more. Both
    generations of digests stay under 35 MB even where no word comes twice (a test holds it).
    """

    __slots__ = ("_left", "_make", "_old", "_young")

    def __init__(self, make: Callable[[str], V]) -> None:
        self._make = make
        self._young: dict[str, V] = {}
        self._old: dict[str, V] = {}
        self._left = _ROOM

    def get(self, text: str) -> V:
        """The value for a text, made now if need be."""
        value = self._young.get(text)
        if value is None:
            value = self._old.get(text)
            if value is None:
                value = self._make(text)
            self._left -= len(text) + _EACH
            if self._left < 0:
                self._old, self._young, self._left = self._young, {}, _ROOM
            self._young[text] = value
        return value
