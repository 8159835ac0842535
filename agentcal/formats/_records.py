"""From the lines of a file to decoded JSON values: JSONL, a JSON list, or one document."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from agentcal._json import NotJSON, decode, may_hold_surrogates, scrub, to_text
from agentcal.formats._document import Known, Part, parts
from agentcal.formats._shapes import is_message
from agentcal.formats._stream import Stream

Numbered: TypeAlias = tuple[int, bytes]

_OPEN_ENDS = (b"[", b"{", b",", b":")
_TALKS = ("run_id", "session_id", "thread_id", "conversation_id", "trace_id")
_FRAME = (b"", b"[", b"]", b"],")
_LEFT_OVER = (b",", b"]")


@dataclass(slots=True)
class Raw:
    """A decoded value, or the ``problem`` that kept it from being decoded, and its place."""

    value: Any = None
    line: int | None = None
    item: int | None = None
    problem: str = ""
    repaired: bool = False


def records(stream: Stream, known: Known) -> Iterator[Raw]:
    """Every record of a file. JSONL is read line by line; a JSON list or document as a whole.

    Messages that stand on lines of their own, one after the other, are one record: a run. Where
    they name the run, session, thread or conversation that they belong to, it ends with that.
    ``known`` says whether a value is a record of a known format: in a damaged JSON list it finds
    the next whole record.
    """
    run: Raw | None = None
    for raw in _values(stream, known):
        if raw.item is None and is_message(raw.value):
            if run is not None and _talk(run.value[0]) != _talk(raw.value):
                yield run
                run = None
            run = run or Raw([], raw.line)
            run.value.append(raw.value)
            run.repaired = run.repaired or raw.repaired
        elif raw.problem and run is not None:
            yield raw
        else:
            if run is not None:
                yield run
                run = None
            yield raw
    if run is not None:
        yield run


def _talk(message: dict[str, Any]) -> list[Any]:
    return [message.get(name) for name in _TALKS]


def _values(stream: Stream, known: Known) -> Iterator[Raw]:
    lines = enumerate(stream.lines(), 1)
    first = next((line for line in lines if line[1].strip()), None)
    if first is None:
        return
    try:
        value, repaired = decode(first[1])
    except NotJSON:
        together = itertools.chain([first], lines)
        if _may_open_document(first[1]):
            yield from _document(together, stream, known)
        else:
            yield from _jsonl(together, stream, known)
        return
    yield from _spread(Raw(value, first[0], repaired=repaired), known)
    yield from _jsonl(lines, stream, known)


def _may_open_document(line: bytes) -> bool:
    text = line.strip()
    return text.startswith(b"[") or (text.startswith(b"{") and text.endswith(_OPEN_ENDS))


def _jsonl(lines: Iterator[Numbered], stream: Stream | None, known: Known) -> Iterator[Raw]:
    for number, line in lines:
        if line.strip() in _FRAME:
            continue
        try:
            value, repaired = _decode_line(line)
        except NotJSON as error:
            if line.lstrip().startswith(_LEFT_OVER):
                yield from _left_over(number, line, known)
            # The last line of a damaged file is told once, as the damage.
            elif stream is None or stream.damage is None:
                yield Raw(line=number, problem=str(error))
            continue
        yield from _spread(Raw(value, number, repaired=repaired), known)


def _left_over(number: int, line: bytes, known: Known) -> Iterator[Raw]:
    """What follows a list that a stray bracket has closed: records, and what is told as damage."""
    text, repaired = to_text(line)
    check = may_hold_surrogates(text)
    for part in parts(text, known):
        yield from _spread(_finished(part, number, repaired, check), known)


def _decode_line(line: bytes) -> tuple[Any, bool]:
    """A line's value; the comma between the items of a list of one item a line does no harm."""
    try:
        return decode(line)
    except NotJSON:
        text = line.rstrip()
        if not text.endswith(b","):
            raise
        return decode(text[:-1])


def _spread(raw: Raw, known: Known, depth: int = 2) -> Iterator[Raw]:
    """The items of a list of records; anything else, an empty list among it, as it is."""
    value = raw.value
    if depth == 0 or not isinstance(value, list) or not value:
        yield raw
    elif is_message(value[0]):
        yield from _without_strays(raw, known)
    else:
        for item, inner in enumerate(value, 1):
            one = Raw(inner, raw.line, item, repaired=raw.repaired)
            yield from _spread(one, known, depth - 1)


def _without_strays(raw: Raw, known: Known) -> Iterator[Raw]:
    """The messages, then the runs that lie among them since a bracket between them was lost."""
    strays = [value for value in raw.value if not is_message(value) and known(value)]
    if strays:
        raw.value = [value for value in raw.value if not any(value is s for s in strays)]
    yield raw
    for value in strays:
        yield Raw(value, raw.line, raw.item, repaired=raw.repaired)


def _document(lines: Iterator[Numbered], stream: Stream, known: Known) -> Iterator[Raw]:
    """A JSON list or document over many lines or, if it turns out to be none, lines after all."""
    held = list(lines)
    start = held[0][0]
    text, repaired = to_text(b"\n".join(line for _, line in held))
    found = parts(text, known)
    head = next(found, None)
    if head is not None and head.problem and _has_records(held[1:], known):
        yield from _jsonl(iter(held), None, known)
        return
    check = may_hold_surrogates(text)
    for part in itertools.chain([head] if head else [], found):
        if part.problem and part.last and stream.damage is not None:
            return
        yield from _spread(_finished(part, start, repaired, check), known)


def _finished(part: Part, start: int, repaired: bool, check: bool) -> Raw:
    line = start + part.lines_before
    if not check:
        return Raw(part.value, line, part.item, part.problem, repaired)
    try:
        value = scrub(part.value)
    except NotJSON as error:
        return Raw(None, line, part.item, str(error))
    return Raw(value, line, part.item, part.problem, repaired or value != part.value)


def _has_records(lines: list[Numbered], known: Known) -> bool:
    """Whether a line is a record by itself, so that the file is one of lines and not a document."""
    for _, line in lines:
        try:
            value, _ = _decode_line(line)
        except NotJSON:
            continue
        if known(value):
            return True
    return False
