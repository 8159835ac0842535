"""The records of a JSON document that is held in memory, salvaged where it is damaged."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from agentcal._json import NotJSON, decode_at
from agentcal.formats._shapes import is_message

Known: TypeAlias = Callable[[Any], bool]

_GAP = re.compile(r"[\s,]*")
_NEXT_OBJECT = re.compile(r"[,\n]\s*(?=\{)")


@dataclass(slots=True)
class Part:
    """A value of the document, or the problem in its place; ``last``: nothing follows it."""

    value: Any = None
    item: int | None = None
    problem: str = ""
    lines_before: int = 0
    last: bool = False


def parts(text: str, known: Known) -> Iterator[Part]:
    """The values that follow each other in the text, and of each list its items.

    A damaged value is told, and reading goes on at the next whole record that is ``known``.
    """
    at: int | None = _skip(text, 0)
    while at is not None and at < len(text):
        if text.startswith("[", at):
            at = yield from _items(text, at + 1, known)
        else:
            at = yield from _value(text, at, known)
        at = None if at is None else _skip(text, at)


def _skip(text: str, position: int) -> int:
    gap = _GAP.match(text, position)
    return gap.end() if gap else position


def _value(text: str, at: int, known: Known) -> Generator[Part, None, int | None]:
    before = text.count("\n", 0, at)
    try:
        value, end = decode_at(text, at)
    except NotJSON as error:
        resume = _resume(text, at, known)
        yield Part(problem=str(error), lines_before=before, last=resume is None)
        return resume
    yield Part(value, lines_before=before)
    # Behind a stray quotation mark, what looks like text goes on into the next record.
    hidden = _resume(text, at, known, end) if isinstance(value, str) else None
    return end if hidden is None else hidden


def _items(text: str, at: int, known: Known) -> Generator[Part, None, int | None]:
    """The items of a list up to its end, which is returned, or to damage without anything after.

    A list that is not closed behind a whole item is one that is still being written.
    """
    item, lines, counted = 0, text.count("\n", 0, at), at
    messages: list[Any] = []
    while True:
        at = _skip(text, at)
        lines, counted = lines + text.count("\n", counted, at), at
        if at == len(text) or text.startswith("]", at):
            break
        item += 1
        try:
            value, at = _item(text, at, messages=bool(messages))
        except NotJSON as error:
            resume = None if messages else _resume(text, at, known)
            yield Part(None, item, str(error), lines, last=resume is None)
            if resume is None:
                return None
            at = resume
            continue
        if messages or (item == 1 and is_message(value)):
            messages.append(value)
        else:
            yield Part(value, item, lines_before=lines)
    if messages:
        yield Part(messages)
    return at + 1


def _item(text: str, at: int, *, messages: bool) -> tuple[Any, int]:
    """One item. Messages that no comma parts are lines, and text between records is damage."""
    if messages and "," not in text[text.rindex("}", 0, at) : at]:
        raise NotJSON("a comma or the end of the list is missing")
    value, end = decode_at(text, at)
    if not isinstance(value, (dict, list)):
        raise NotJSON("an object should stand here")
    return value, end


def _resume(text: str, at: int, known: Known, before: int = sys.maxsize) -> int | None:
    """Where the next whole record of a known format begins after a damaged one, and ``before``."""
    for gap in _NEXT_OBJECT.finditer(text, at, before):
        try:
            value, _ = decode_at(text, gap.end())
        except NotJSON:
            continue
        if known(value):
            return gap.end()
    return None
