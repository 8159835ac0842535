"""One pass over a text, shared by every family, so that an event costs what its own size costs."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

from agentcal.features._recent import Recent

LIMIT = 16_384
"""Characters of a text that are looked at: the first three quarters and the last quarter."""

_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?")
_NOT_INSIDE = re.compile(rb"'(?:(?![a-z])|(?<=[^a-z]')|(?<=\A'))")
_TWO_INSIDE = re.compile(rb"'[a-z]+'[a-z]")
_EDGE = ".:-/_#$%&+~\\£€¥'"
# Byte tables: bytes.translate and str.split run at C speed, about three times faster than a regex.
_LETTERS = bytes(c if 97 <= c <= 122 or c == 39 else 32 for c in range(256))
_DIGITS = bytes(c if 48 <= c <= 57 else 32 for c in range(256))
_BREAKS = bytes.maketrans(b',;()[]{}"`<>=|*!?', b" " * 17)


def clip(text: str) -> str:
    """The text itself up to :data:`LIMIT` characters, else its head and its tail."""
    if len(text) <= LIMIT:
        return text
    head = LIMIT * 3 // 4
    return text[:head] + "\n" + text[-(LIMIT - head) :]


def _words(low: str, raw: bytes) -> list[str]:
    if not low.isascii():
        raw = low.replace("’", "'").encode("utf-8", "replace")
    if b"'" not in raw:
        return raw.translate(_LETTERS).decode("ascii").split()
    if _TWO_INSIDE.search(raw):
        return _WORD.findall(raw.decode("latin-1"))
    return _NOT_INSIDE.sub(b" ", raw).translate(_LETTERS).decode("ascii").split()


def canonical(token: str) -> str:
    """A token without edge punctuation; ``98.70`` and ``98.7`` are the same number."""
    token = token.strip(_EDGE)
    if "." in token and token.replace(".", "", 1).isdigit():
        return token.rstrip("0").rstrip(".")
    return token


T = TypeVar("T")


class _lazy(Generic[T]):  # noqa: N801 - a decorator
    """``functools.cached_property`` without its lock, which costs more than a small text."""

    def __init__(self, make: Callable[[Any], T]) -> None:
        self._make = make
        self._name = make.__name__
        self.__doc__ = make.__doc__

    @overload
    def __get__(self, instance: None, owner: Any) -> _lazy[T]: ...
    @overload
    def __get__(self, instance: object, owner: Any) -> T: ...
    def __get__(self, instance: object | None, owner: Any) -> T | _lazy[T]:
        if instance is None:
            return self
        value = instance.__dict__[self._name] = self._make(instance)
        return value


class Digest:
    """A text with its words, tokens and entities, each computed at most once.

    ``words`` are runs of ASCII letters in order. ``tokens`` are all distinct canonical tokens, so
    that a date, an address or an account number is one of them. ``entities`` are the tokens that
    are not plain words: numbers, dates, addresses, identifiers, file names. None of the sets may be
    changed by those who read it. ``memo`` keeps what a reader found in the text, by reader: only
    what the text alone decides.
    """

    def __init__(self, text: str) -> None:
        self.size = len(text)
        self.text = clip(text)
        self.low = self.text.lower()
        self.memo: dict[Any, Any] = {}

    @_lazy
    def _bytes(self) -> bytes:
        return self.low.encode("utf-8", "surrogatepass")

    @_lazy
    def words(self) -> list[str]:
        """Lower-case words in order, with repeats; ``don't`` is one word."""
        return _words(self.low, self._bytes)

    def holds(self, characters: bytes) -> int:
        """How many characters of the text are among these ASCII characters."""
        return len(self._bytes) - len(self._bytes.translate(None, characters))

    @_lazy
    def bag(self) -> set[str]:
        """Distinct words."""
        plain, rest, _ = self._split
        left = " ".join(rest)
        return plain.union(_words(left, left.encode("utf-8", "surrogatepass")))

    @_lazy
    def flat(self) -> str:
        """All words joined by single blanks, one at each end: phrases match across punctuation."""
        return f" {' '.join(self.words)} "

    @_lazy
    def _split(self) -> tuple[set[str], set[str], set[str]]:
        """What stands between breaks: words, the rest as it stands, the rest as tokens."""
        raw = set(self._bytes.translate(_BREAKS).decode("utf-8", "surrogatepass").split())
        plain = set(filter(str.isalpha, raw))
        if not self.low.isascii():
            plain = set(filter(str.isascii, plain))
        rest = raw - plain
        odd = {token.strip(_EDGE) for token in rest}
        for token in [token for token in odd if "." in token or "'" in token]:
            odd.discard(token)
            odd.update(map(canonical, token.split("'")))
        odd.discard("")
        return plain, rest, odd

    @_lazy
    def tokens(self) -> set[str]:
        """Distinct canonical lower-case tokens."""
        plain, _, odd = self._split
        return plain | odd

    @_lazy
    def entities(self) -> set[str]:
        """Distinct tokens that hold something other than letters, single characters left out."""
        return {token for token in self._split[2] if len(token) > 1 and not token.isalpha()}

    @_lazy
    def digits(self) -> set[str]:
        """Distinct runs of digits without leading zeros: ``2024-05-09`` holds 2024, 5 and 9."""
        runs = set(self._bytes.translate(_DIGITS).decode("ascii").split())
        return {run.lstrip("0") or "0" for run in runs}


EMPTY = Digest("")

_recent = Recent(Digest)


def digest(text: str) -> Digest:
    """The digest of a text, the same one as before where the text came up not long ago.

    Tools give the same answers to many runs, and models the same arguments to many calls.
    """
    if not text:
        return EMPTY
    return _recent.get(text) if len(text) <= LIMIT else Digest(text)
