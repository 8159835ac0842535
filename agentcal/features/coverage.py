"""Coverage: how much of what was asked appears in the calls, in the results and in the answer."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import ClassVar, NamedTuple

from agentcal.features._changes import Changes
from agentcal.features._events import Call, Inbound, Memory, Result, Turn
from agentcal.features._feature import Feature, count, share
from agentcal.features._lexicon import DEMANDS
from agentcal.features._request import Request, asked_in, tool_words
from agentcal.features._text import Digest

_NO_WORDS = "the request has no content words"
_NO_ENTITIES = "the request has no entities"
_NO_TEXT = "the newest turn has neither words nor entities"
_TIME = re.compile(r"\d[:/-]\d|\d(?:st|nd|rd|th)\b|\d ?[ap]m\b")
_DAYS = (
    "january february march april june july august september october november december monday "
    "tuesday wednesday thursday friday saturday sunday"
)
_DATES = frozenset(_DAYS.split())


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else math.nan


def _kinds(text: Digest) -> set[str]:
    """Which of the kinds of thing that a request may name the text holds; found once a text."""
    found: set[str] | None = text.memo.get(_kinds)
    if found is None:
        found = text.memo[_kinds] = _kinds_in(text)
    return found


def _kinds_in(text: Digest) -> set[str]:
    kinds = set()
    if text.holds(b"0123456789"):
        kinds.add("number")
        if _TIME.search(text.low):
            kinds.add("time")
    if not _DATES.isdisjoint(text.bag):
        kinds.add("time")
    if "@" in text.low:
        kinds.add("mail")
    if "www." in text.low or "http" in text.low:
        kinds.add("link")
    return kinds


class Coverage:
    """What the request names, what of it was touched, and changes asked against changes made.

    The request is the task and what users said in mid-run. Content words (three letters or more,
    no function words) compare by their stems. Entities are tokens with more than letters.
    """

    name: ClassVar[str] = "coverage"
    features: ClassVar[tuple[Feature, ...]] = (
        count("requests_write", "verbs in the request that ask for a change"),
        count("requests_read", "words in the request that ask for information"),
        count("request_sentences", "ends of sentences and of lines in the request"),
        count("request_words", "distinct content words of the request"),
        count("request_entities", "distinct numbers, dates, addresses, identifiers in the request"),
        *(count(f"request_{name}", f"words of {name} in the request") for name in DEMANDS.names),
        share(
            "request_words_in_calls",
            "share of the request's content words in names or arguments of calls",
            _NO_WORDS,
        ),
        share(
            "request_words_in_text",
            "share of the request's content words in the newest text",
            f"{_NO_TEXT}, or {_NO_WORDS}",
        ),
        share(
            "request_words_in_results",
            "share of the request's content words in tool results",
            _NO_WORDS,
        ),
        share(
            "request_words_anywhere",
            "share of the request's content words in calls, results or the newest text",
            _NO_WORDS,
        ),
        share(
            "request_entities_in_calls",
            "share of the request's entities in arguments of calls",
            _NO_ENTITIES,
        ),
        share(
            "request_entities_in_text",
            "share of the request's entities in the newest text",
            f"{_NO_TEXT}, or {_NO_ENTITIES}",
        ),
        share(
            "request_entities_nowhere",
            "share of the request's entities in no argument, no result and not the newest text",
            _NO_ENTITIES,
        ),
        count(
            "request_entities_unseen",
            "entities of the request in no argument, no result and not the newest text",
        ),
        share(
            "request_kinds_in_text",
            "share of what the request names (time, number, mail, link) that the newest text holds",
            f"{_NO_TEXT}, or the request names none of these",
        ),
        *Changes.features,
        count(
            "request_words_new",
            "content words of the request that calls of the newest turn touch first",
        ),
        share(
            "call_words_asked",
            "share of the words of the newest turn's calls that the request holds",
            "no words in calls of the newest turn",
        ),
        share(
            "tool_words_asked",
            "share of the words of the called tools' names that the request holds",
            "no call yet",
        ),
        share(
            "reply_overlap",
            "share of the content words of the user's newest message that the reply to it holds",
            f"no message with content words yet, or {_NO_TEXT}",
        ),
    )

    def __init__(self, memory: Memory) -> None:
        self._request = Request(memory.task)
        self._unseen = self._request.entities
        self._in_calls: set[str] = set()
        self._in_results: set[str] = set()
        self._touched: set[str] = set()
        self._entities_in_calls: set[str] = set()
        self._tools: set[str] = set()
        self._changes = Changes(self._request)
        self._new = 0
        self._call_share = self._tools_share = self._reply = math.nan
        self._message: list[str] = []
        self._text = _NO_TEXT_YET
        self._asked = self._describe()

    def _describe(self) -> tuple[float, ...]:
        request = self._request
        return (
            request.asked,
            request.reads,
            request.sentences,
            request.words,
            len(request.entities),
            *request.demands,
        )

    def message(self, event: Inbound) -> None:
        """What a user says in mid-run belongs to the request."""
        if event.role == "user":
            self._unseen = self._unseen | self._request.add(event.text)
            self._message = asked_in(event.text).content
            self._asked = self._describe()
            self._tools_share = self._asked_tools()

    def turn(self, event: Turn) -> None:
        """See what of the request the calls and the text touch."""
        self._new = words = asked = 0
        for call in event.calls:
            found, of = self._touch(call)
            asked += found
            words += of
        self._changes.turn(event)
        self._call_share = asked / words if words else math.nan
        said = event.said
        self._text = self._read(said) if said.size else _NO_TEXT_YET
        self._reply = math.nan
        if self._message and said.size and (said.bag or said.entities):
            self._reply = sum(map(said.bag.__contains__, self._message)) / len(self._message)

    def _touch(self, call: Call) -> tuple[int, int]:
        parts = tool_words(call.name)[0]
        if not self._tools.issuperset(parts):
            self._tools |= parts
            self._tools_share = self._asked_tools()
        words = call.arguments.bag | parts
        entities = call.arguments.entities
        if entities:
            self._entities_in_calls |= entities & self._request.entities
            self._unseen = self._unseen - entities
        found = self._request.named_in(words)
        if found:
            self._new += len(found - self._in_calls)
            self._in_calls |= found
            self._touched |= found
        return len(found), len(words)

    def _asked_tools(self) -> float:
        return _ratio(len(self._request.named_in(self._tools)), len(self._tools))

    def result(self, event: Result) -> None:
        """See what of the request the result holds, and whether a change was made."""
        found = self._request.named_in(event.text.bag)
        self._in_results |= found
        self._touched |= found
        if self._unseen:
            self._unseen = self._unseen - event.text.entities
        self._changes.result(event)

    def values(self) -> Iterable[float]:
        """See :attr:`features`."""
        return (
            *self._asked,
            *self._covered(),
            *self._changes.values(),
            self._new,
            self._call_share,
            self._tools_share,
            self._reply,
        )

    def _read(self, said: Digest) -> _Text:
        """What of the request the newest text holds."""
        if not (said.bag or said.entities):
            return _NO_TEXT_YET
        request = self._request
        named = request.named_in(said.bag)
        known = said.entities & request.entities
        return _Text(
            named,
            known,
            _ratio(len(named), request.words),
            _ratio(len(known), len(request.entities)),
            _ratio(len(request.kinds & _kinds(said)), len(request.kinds)),
        )

    def _covered(self) -> tuple[float, ...]:
        text, unseen = self._text, self._unseen
        words, entities = self._request.words, len(self._request.entities)
        anywhere, left = len(self._touched), len(unseen)
        if text.words:
            anywhere += len(text.words - self._touched)
        if left and text.entities:
            left -= len(text.entities & unseen)
        return (
            len(self._in_calls) / words if words else math.nan,
            text.words_share,
            len(self._in_results) / words if words else math.nan,
            anywhere / words if words else math.nan,
            len(self._entities_in_calls) / entities if entities else math.nan,
            text.entities_share,
            left / entities if entities else math.nan,
            left,
            text.kinds_share,
        )


class _Text(NamedTuple):
    """The request's words and entities in the newest text, and what share of the request's."""

    words: set[str]
    entities: set[str]
    words_share: float
    entities_share: float
    kinds_share: float


_NO_TEXT_YET = _Text(set(), set(), math.nan, math.nan, math.nan)
