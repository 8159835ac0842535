"""What a task and a user's messages ask for: changes, information, and how demanding it is."""

from __future__ import annotations

import re
from functools import lru_cache

from agentcal.features._lexicon import DEMANDS
from agentcal.features._text import Digest

_LOOKED_AT = 4_096
_MOST_WORDS = 5_000
_CHANGES = (
    "send email mail message reply respond forward post notify write dm contact text",
    "create add make schedule book reserve register append insert upload save write setup generate"
    " plan rent open post set",
    "change update modify reschedule edit adjust move rename set replace correct upgrade downgrade"
    " switch convert extend append reset add exchange swap put mark fix",
    "delete remove cancel clear drop erase revoke withdraw unsubscribe kick close terminate",
    "pay transfer refund purchase buy order send wire exchange compensate reimburse issue",
    "share invite grant add assign join attach",
)
_READ_WORDS = (
    "tell show find list summarize summarise recommend suggest check give provide get look read "
    "search explain describe calculate compute compare count retrieve visit see know what which "
    "who where when how why what's where's who's"
)
_FUNCTIONS = (
    "a about above after again all also am an and any are aren't as at be because been before "
    "being below between both but by can can't cannot could couldn't did didn't do does doesn't "
    "doing don't down during each else few for from further get give go had has have having he "
    "hello help her here hers hey hi him his how i i'd i'll i'm i've if in into is isn't it it's "
    "its just know let let's like make me more most my myself need no not now of off on once one "
    "only or other our ours out over own please same see she should so some such sure tell thank "
    "thanks than that that's the their them then there these they this those through to too under "
    "until up us use using very want was we were what what's when where which while who whom why "
    "will with would yes you your yours"
)
# A verb asks for something where it leads: at the start of a clause or after one of these words.
_LEADS = "please to and then also you or just kindly want not could can need i'd"
_CLAUSE = re.compile(r"[.!?:;,]+(?:\s|$)|[()\[\]\n\"]")
_SENTENCE_END = re.compile(r"[.?!](?:\s|$)|\n")
_NAME_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_SUFFIXES = ("ing", "ied", "ies", "ed", "es", "s", "e", "y")
_KINDS = {
    "time": "when time date deadline day hours",
    "number": "price prices cost costs total amount rating ratings score scores spend spending"
    " number many much id ids code",
    "mail": "email mail addresses",
    "link": "link url website webpage",
}
_READS = frozenset(_READ_WORDS.split())
_FUNCTION_WORDS = frozenset(_FUNCTIONS.split())
_LEADERS = frozenset(_LEADS.split())
_KIND_OF_WORD = {word: kind for kind, words in _KINDS.items() for word in words.split()}


def _changes() -> dict[str, int]:
    masks: dict[str, int] = {}
    for bit, verbs in enumerate(_CHANGES):
        for verb in verbs.split():
            masks[verb] = masks.get(verb, 0) | 1 << bit
    return masks


_MASKS = _changes()


@lru_cache(maxsize=4096)
def tool_words(name: str) -> tuple[frozenset[str], int]:
    """The words of a tool's name, and the mask of the first verb for a change among them, or 0."""
    parts = [part.lower() for part in _NAME_PARTS.findall(name)]
    return frozenset(parts), next((_MASKS[part] for part in parts if part in _MASKS), 0)


def inflections(word: str) -> list[str]:
    """The word and others that share its stem, by rule: ``invited`` gives ``invite`` too."""
    stem = word
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= 3:
            stem = word[: -len(suffix)]
            break
    return [word, stem, *(stem + suffix for suffix in (*_SUFFIXES, "d"))]


def content_words(text: Digest) -> list[str]:
    """Distinct words of three letters or more that are not function words, in order."""
    words = dict.fromkeys(text.words)
    return [word for word in words if len(word) > 2 and word not in _FUNCTION_WORDS]


def _leading(low: str) -> list[str]:
    """Words that may ask for something; ``make sure`` asks for nothing of its own."""
    found: list[str] = []
    for clause in _CLAUSE.split(low):
        words = clause.split()
        found += [
            word
            for before, word, after in zip(("and", *words), words, (*words[1:], ""), strict=False)
            if before in _LEADERS and after != "sure"
        ]
    return found


class Asked:
    """What one text asks for; found once a text, and never changed.

    ``writes``: how many requests for a change have which mask, the kinds of change that the verb
    may mean (a tool can do it where the masks share a bit). ``reads``: requests for information.
    ``demands``: entries of each category of ``DEMANDS``. ``content``: its content words, in order.
    ``forms``: every inflection of a content word, to that word; ``stems``: the inflections alone.
    ``kinds``: those of time, number, mail and link that the text names.
    """

    __slots__ = (
        "content", "demands", "entities", "forms", "kinds", "reads", "sentences", "stems", "words",
        "writes",
    )  # fmt: skip

    def __init__(self, text: Digest) -> None:
        low = text.low[:_LOOKED_AT]
        self.reads, self.writes = 0, dict[int, int]()
        for word in _leading(low):
            self.reads += word in _READS
            if word in _MASKS:
                mask = _MASKS[word]
                self.writes[mask] = self.writes.get(mask, 0) + 1
        self.sentences = len(_SENTENCE_END.findall(low))
        self.demands = DEMANDS.count(text)
        self.entities = text.entities
        self.kinds = {_KIND_OF_WORD[word] for word in _KIND_OF_WORD.keys() & text.bag}
        self.content = content_words(text)
        self.forms, self.words = _inflected({}, self.content, 0)
        self.stems = set(self.forms)


def _inflected(known: dict[str, str], words: list[str], count: int) -> tuple[dict[str, str], int]:
    forms = dict(known)
    for word in words:
        if word not in forms and count < _MOST_WORDS:
            count += 1
            for form in inflections(word):
                forms.setdefault(form, word)
    return forms, count


def asked_in(text: Digest) -> Asked:
    """What a text asks for."""
    found: Asked | None = text.memo.get(Asked)
    if found is None:
        found = text.memo[Asked] = Asked(text)
    return found


class Request:
    """All that was asked so far, from the task and from the user's messages.

    The fields are those of :class:`Asked`, over all texts; ``mask`` is the union of the masks in
    ``writes``, and ``asked`` their sum of counts. What a single text holds is shared with it, so
    nothing here is ever changed in place.
    """

    __slots__ = (
        "_texts", "asked", "demands", "entities", "forms", "kinds", "mask", "reads", "sentences",
        "stems", "words", "writes",
    )  # fmt: skip

    def __init__(self, text: Digest) -> None:
        first = asked_in(text)
        self._texts = {hash(text.low.strip())}
        self.demands, self.entities, self.kinds = first.demands, first.entities, first.kinds
        self.forms, self.stems, self.words = first.forms, first.stems, first.words
        self.reads, self.sentences, self.writes = first.reads, first.sentences, first.writes
        self._sum_up()

    def _sum_up(self) -> None:
        self.asked, self.mask = sum(self.writes.values()), 0
        for mask in self.writes:
            self.mask |= mask

    def add(self, text: Digest) -> set[str]:
        """Take in one more text, give its new entities; one seen before asks for nothing new."""
        key = hash(text.low.strip())
        if key in self._texts:
            return set()
        self._texts.add(key)
        more = asked_in(text)
        self.reads += more.reads
        self.sentences += more.sentences
        self.demands = tuple(a + b for a, b in zip(self.demands, more.demands, strict=True))
        self.kinds = self.kinds | more.kinds
        masks = self.writes.keys() | more.writes.keys()
        self.writes = {m: self.writes.get(m, 0) + more.writes.get(m, 0) for m in masks}
        self._sum_up()
        if not self.stems.issuperset(more.content):
            self.forms, self.words = _inflected(self.forms, more.content, self.words)
            self.stems = set(self.forms)
        fresh = more.entities - self.entities
        self.entities = self.entities | fresh
        return fresh

    def named_in(self, words: set[str]) -> set[str]:
        """The content words of the request that occur, in some inflection, among ``words``."""
        return set(map(self.forms.__getitem__, self.stems & words))
