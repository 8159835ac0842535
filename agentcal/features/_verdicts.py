"""What the text of a tool result says about itself: that it failed, that it found nothing.

Many logs carry no status: an error is then only a text that begins like one.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from agentcal.features._text import Digest
from agentcal.trajectory import CallStatus

_HEAD = 160
_SHORT = 200
_WRAPPING = " \t\r\n<>[](){}\"'`.,:;!-*#_"

_FAILED = re.compile(
    r"[\W_]{0,8}(?:"
    r"[\w.]{0,60}(?:error|exception)\b(?!-)|traceback\b|fatal\b|fail(?:ed|ure)\b|"
    r"unknown (?:tool|function|command|name)\b|no such\b|command not found|"
    r"(?:permission|access) denied|(?:request |operation )?timed? ?out\b|"
    r"unable to\b|could ?n[o']t\b|can ?not\b|can't\b|"
    r"(?:http )?(?:status )?[45]\d\d\b[\s:,-]*(?:not found|internal server|service unavail|"
    r"bad (?:request|gateway)|unauthori|forbidden|too many requests|client error|server error)"
    r")"
)
_FAILED_FIELD = re.compile(
    r"[\"'](?:errors?|exception|error_message)[\"']\s*:\s*+(?!null|none|false|0\b|\"\"|''|\[\]|\{\})"
    r"|[\"'](?:ok|success|succeeded)[\"']\s*:\s*false"
    r"|[\"']is_?error[\"']\s*:\s*true"
    r"|[\"'](?:status|state|type)[\"']\s*:\s*[\"'](?:error|fail)"
)
_JSON = ("{", "[{", '["', "['")
# Plain substring tests come first: a regular expression costs ten times as much on a long text.
_TROUBLE: tuple[str, ...] = ("error", "fail", "not found", "unable", "invalid", "denied")
_TROUBLE += ("timed out", "timeout", "unavailable", "forbidden", "unauthori", "could not")
_TROUBLE += ("not exist", "no such")
_SIGNS: tuple[str, ...] = (
    *_TROUBLE,
    "exception",
    "fatal",
    "traceback",
    "time out",
    "too many requests",
    "bad ",
)
_SIGNS += ("can", "couldn't", "unknown ", "false")
_BLANK = frozenset(("", "none", "null", "nil", "undefined", "n/a", "nan", "empty", "nothing"))
_ABSENCE = ("no ", "not ", "nothing ", "0 ", "n't ", "omitted", "redacted", "withheld", "blocked")
_NONE_FOUND = re.compile(
    r"\bno\b[^.\n]{0,80}?\b(?:found|match\w*|available|results?|records?|entries|data|hits)\b"
    r"|\b(?:not|nothing) found\b|(?<![\d.])0 (?:results?|records?|rows?|matches|items|hits)\b"
    r"|\b(?:does|do|did) ?n[o']t (?:exist|match)|\b(?:omitted|redacted|withheld|blocked)\b"
)
_EMPTY_FIELD = re.compile(
    r"\{\s*[\"']\w{1,40}[\"']\s*:\s*(?:\[\s*\]|\{\s*\}|\"\"|''|null|none)\s*\}"
)


class Verdict(NamedTuple):
    """``failed``: reported as an error, or worded like one from its first word on.

    ``empty``: blank, an empty container, or a short text that says that nothing was found or that
    a guard withheld it.
    ``trouble``: not failed, and yet words like "failed" or "invalid" stand near its beginning.
    """

    failed: bool
    empty: bool
    trouble: bool


def judge(text: Digest, status: CallStatus) -> Verdict:
    """Read one result. A person's rejection is no failure of the tool."""
    verdict: Verdict | None = text.memo.get(status)
    if verdict is None:
        verdict = text.memo[status] = _judge(text, status)
    return verdict


def _judge(text: Digest, status: CallStatus) -> Verdict:
    head = text.low[:_HEAD]
    failed = status == "error"
    trouble = False
    if status in ("ok", "edited") and _has(head, _SIGNS):
        failed = _looks_failed(head)
        trouble = not failed and _has(head, _TROUBLE)
    return Verdict(failed, text.size <= _SHORT and _looks_empty(text.low), trouble)


def _has(text: str, words: tuple[str, ...]) -> bool:
    for word in words:  # noqa: SIM110 - any() over a generator takes twice as long
        if word in text:
            return True
    return False


def _looks_failed(head: str) -> bool:
    if head.startswith(_JSON):
        return _FAILED_FIELD.search(head) is not None
    return _FAILED.match(head) is not None


def _looks_empty(low: str) -> bool:
    if low.strip(_WRAPPING) in _BLANK:
        return True
    if low[:1] == "{" and _EMPTY_FIELD.fullmatch(low):
        return True
    return _has(low, _ABSENCE) and _NONE_FOUND.search(low) is not None
