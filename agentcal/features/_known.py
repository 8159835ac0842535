"""Words and numbers that the agent has seen, to recognise what is put together from them."""

from __future__ import annotations

import re

from agentcal.features._text import Digest

MOST_KNOWN = 200_000
"""Entries after which nothing more is learned, far beyond what a context window holds."""

_MOST_WAITING = 32

_MONTHS = "january february march april may june july august september october november december"
_SMALL = "one two three four five six seven eight nine ten eleven twelve"
_NUMBERS = {
    word: str(number)
    for words in (_MONTHS, _SMALL)
    for number, whole in enumerate(words.split(), 1)
    for word in (whole, *([whole[:3]] if words is _MONTHS else []))
}
_SPELLED = frozenset(_NUMBERS)
_PART = re.compile(r"[0-9]+|[a-z]{3,}")
_SCHEMES = frozenset(("http", "https", "www"))


class Known:
    """Words and runs of digits seen in task, system prompt, results and messages.

    A text is only taken apart when something is looked up: most runs never ask.
    """

    __slots__ = ("_digits", "_waiting", "_words")

    def __init__(self) -> None:
        self._words: set[str] = set()
        self._digits: set[str] = set()
        self._waiting: list[Digest] = []

    def add(self, text: Digest) -> None:
        """Learn a text; months and small numbers in words count as their digits too."""
        self._waiting.append(text)
        if len(self._waiting) > _MOST_WAITING:
            self._learn()

    def _learn(self) -> None:
        for text in self._waiting:
            if len(self._words) + len(self._digits) > MOST_KNOWN:
                break
            self._words |= text.bag
            self._digits |= text.digits
            self._digits |= {_NUMBERS[word] for word in _SPELLED & text.bag}
        self._waiting.clear()

    def holds_parts(self, token: str) -> bool:
        """Whether every run of digits and of three or more letters in the token was seen."""
        if self._waiting:
            self._learn()
        for part in _PART.findall(token):
            if part[0].isdigit():
                if (part.lstrip("0") or "0") not in self._digits:
                    return False
            elif part not in self._words and part not in _SCHEMES:
                return False
        return True

    def holds_number(self, number: str) -> bool:
        """Whether this run of digits was seen."""
        if self._waiting:
            self._learn()
        return number.lstrip("0") in self._digits
