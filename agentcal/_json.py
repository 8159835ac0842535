"""JSON that may carry broken unicode, in and out, without losing the rest of it."""

from __future__ import annotations

import json
from typing import Any

from pydantic_core import PydanticSerializationError, from_json, to_json

from agentcal.trajectory import Trajectory

_DECODER = json.JSONDecoder()
_TOO_DEEP = "nested too deeply"


class NotJSON(ValueError):  # noqa: N818 - reads as the finding that it is
    """The text is not one JSON value; the message says where it stops being one."""


def clean(text: str) -> str:
    """The text with lone surrogates replaced by U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def scrub(value: Any) -> Any:
    """The JSON value with :func:`clean` applied to every key and text in it.

    Raises :class:`NotJSON` for a value that is nested beyond Python's recursion limit.
    """
    try:
        return _scrubbed(value)
    except RecursionError:
        raise NotJSON(_TOO_DEEP) from None


def _scrubbed(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [_scrubbed(item) for item in value]
    if isinstance(value, dict):
        return {clean(key): _scrubbed(item) for key, item in value.items()}
    return value


def to_text(raw: bytes) -> tuple[str, bool]:
    """UTF-8 as text, and whether bytes that are not UTF-8 had to be replaced by U+FFFD."""
    try:
        return raw.decode("utf-8"), False
    except UnicodeDecodeError:
        return raw.decode("utf-8", "replace"), True


def may_hold_surrogates(text: str) -> bool:
    """Whether the JSON text has escapes that could decode to a lone surrogate."""
    return "\\ud" in text or "\\uD" in text


def decode_at(text: str, position: int) -> tuple[Any, int]:
    """The JSON value that begins at ``position``, and where it ends. Raises :class:`NotJSON`."""
    try:
        return _DECODER.raw_decode(text, position)
    except json.JSONDecodeError as error:
        line = f"line {error.lineno} " if error.lineno > 1 else ""
        what = error.msg.removesuffix(" at")
        raise NotJSON(f"{what} at {line}column {error.colno}") from None
    except RecursionError:
        raise NotJSON(_TOO_DEEP) from None


def decode(raw: bytes | str) -> tuple[Any, bool]:
    """One JSON value, and whether its unicode had to be repaired. Raises :class:`NotJSON`."""
    try:
        return from_json(raw), False
    except ValueError:
        return _decode_slowly(raw)


def _decode_slowly(raw: bytes | str) -> tuple[Any, bool]:
    text, repaired = to_text(raw) if isinstance(raw, bytes) else (raw, False)
    text = text.strip()
    value, end = decode_at(text, 0)
    if end != len(text):
        raise NotJSON(f"a second value follows at column {end + 1}")
    if not may_hold_surrogates(text):
        return value, repaired
    scrubbed = scrub(value)
    return scrubbed, repaired or scrubbed != value


def as_json(run: Trajectory) -> bytes:
    """One JSON document without line breaks; lone surrogates become U+FFFD."""
    # the version is a default and would be left out, but it is what marks the format
    head = f'{{"schema_version":{run.schema_version},'.encode()
    try:
        body = run.model_dump_json(exclude_defaults=True).encode()
    except PydanticSerializationError:
        body = encoded(run.model_dump(exclude_defaults=True))
    return head + body[1:]


def encoded(value: Any, *, indent: int | None = None) -> bytes:
    """The value as JSON; lone surrogates become U+FFFD, numbers that are not finite ``null``."""
    try:
        return to_json(value, inf_nan_mode="null", indent=indent)
    except PydanticSerializationError:
        return to_json(scrub(value), inf_nan_mode="null", indent=indent)
