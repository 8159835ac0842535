"""Confidence that a text states in numbers: "confidence: 85%", "I'm 90% sure", "8/10 confident"."""

from __future__ import annotations

import re

from agentcal.features._text import Digest

_NUMBER = r"(?<![\d.])(\d{1,3}(?:\.\d{1,6})?)(?![\d.]*\d)\s?"
_SCALE = r"(%|percent\b|/\s?\d{1,3}\b(?!/)|out of \d{1,3}\b)"
_FILLER = (
    r"(?:[\s:=~*_\"'|>\[\]-]|level|score|rating|estimate|in (?:this|my|the) "
    r"(?:answer|result|response|solution)|is|of|at|about|around|roughly|approximately){0,16}"
)
# What follows "confidence (1-10)" is on that scale. A confidence interval is another matter.
_AFTER = re.compile(
    r"\bconfiden(?:ce|t)\b(?! interval)"
    r"(?:\s?\((?:out of|[01]\s?(?:-|–|to))\s?(1|5|10|100)\s?%?\))?"
    rf"{_FILLER}{_NUMBER}{_SCALE}?"
)
_BEFORE = re.compile(
    rf"(?<!not )(?<!n't )(?<!to be ){_NUMBER}{_SCALE}[\s-]{{0,2}}"
    r"(?:sure|certain|confident|confidence(?! interval))\b"
)
_BARE_PERCENT = 10


def stated_in(text: Digest) -> float | None:
    """The confidence in [0, 1] that the text states last, ``None`` where it states none.

    A number without a scale is a percentage above 10 and a share with a decimal point up to 1; a
    whole number up to 10 may be either and is not read.
    """
    low = text.low
    stated: float | None = None
    if "confiden" in low:
        for match in _AFTER.finditer(low):
            bound, number, scale = match.groups()
            value = _value(number, scale or bound or "")
            stated = stated if value is None else value
    if stated is None and _hints(low):
        for match in _BEFORE.finditer(low):
            value = _value(*match.groups())
            stated = stated if value is None else value
    return stated


def _hints(low: str) -> bool:
    scaled = "%" in low or "/10" in low or " out of " in low or " percent" in low
    return scaled and ("sure" in low or "certain" in low or "confiden" in low)


def _value(number: str, scale: str) -> float | None:
    value = float(number)
    if scale[:1] in ("%", "p"):
        top = 100.0
    elif scale:
        top = float(scale.rpartition(" ")[2].strip("/ "))
    elif value > _BARE_PERCENT:
        top = 100.0
    else:
        top = 1.0 if "." in number else 0.0
    return value / top if top and value <= top else None
