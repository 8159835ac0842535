"""Values of JSON that others wrote, as what they are taken for; nothing raises."""

from __future__ import annotations

import json
import math
from typing import Any

_YES = frozenset({"success", "succeeded", "pass", "passed", "true", "yes", "correct", "resolved"})
_NO = frozenset({"failure", "failed", "fail", "false", "no", "incorrect", "unresolved"})


def as_text(value: Any) -> str:
    """The value as text: as it is, empty for nothing, JSON for anything that is not text."""
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def name_of(value: Any) -> str | None:
    """A name or id as text, ``None`` for nothing. Numbers become their digits."""
    return None if value is None or value == "" else as_text(value)


def number(value: Any) -> float | None:
    """A finite number, or ``None`` for anything else; truth values are no numbers."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def not_negative(value: Any) -> float | None:
    """A finite number of at least 0, or ``None``."""
    found = number(value)
    return found if found is not None and found >= 0 else None


def share(value: Any) -> float | None:
    """A number in [0, 1], also from a truth value or a word such as "passed"; else ``None``."""
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, str):
        word = value.strip().lower()
        if word in _YES or word in _NO:
            return float(word in _YES)
        try:
            value = float(word)
        except ValueError:
            return None
    found = number(value)
    return found if found is not None and 0 <= found <= 1 else None
