"""Wording: how the model speaks of its work, and how the user answers."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import ClassVar, NamedTuple

from agentcal.features._events import Inbound, Memory, Result, Turn
from agentcal.features._feature import Feature, count, flag, real, share
from agentcal.features._speech import SPEECH, USER
from agentcal.features._text import Digest

_NO_TURN = "no model turn yet"
_NO_WORDS = "the newest turn has no words"
_NO_MESSAGE = "no message from the user since the task"
_SPEAKER = "i i'm i've i'll i'd me my mine myself"
_HEARER = "you you're you've you'll you'd your yours yourself"
_FIRST, _SECOND = frozenset(_SPEAKER.split()), frozenset(_HEARER.split())
_LASTING = (
    "hedges",
    "inability",
    "success_claims",
    "questions_back",
    "plans",
    "corrections",
    "concessions",
)
_SHARED = tuple(SPEECH.names.index(name) for name in _LASTING)
_MEANING = {
    "hedges": "hedging words",
    "apologies": "words of apology or refusal",
    "inability": "words that say that something could not be done or found",
    "success_claims": "words that claim success",
    "questions_back": "words that ask the user back",
    "plans": "words that announce what comes next",
    "certainty": "words of certainty",
    "trouble": "words about errors",
    "corrections": "words of correcting oneself or trying another way",
    "concessions": "words that limit a statement (but, only, however)",
}
_OF_USER = {"thanks": "thanks or praise", "consent": "consent", "pushback": "denial or complaint"}


class Wording:
    """Words of the newest text by category, its style, and the user's reply.

    All but ``thinking_share`` looks at the text outside thinking tags.
    """

    name: ClassVar[str] = "wording"
    features: ClassVar[tuple[Feature, ...]] = (
        *(
            count(f"text_{name}", f"{_MEANING[name]}, distinct, in the newest text", _NO_TURN)
            for name in SPEECH.names
        ),
        *(
            share(
                f"text_{SPEECH.names[i]}_share",
                f"share of turns whose text has {_MEANING[SPEECH.names[i]]}",
                _NO_TURN,
            )
            for i in _SHARED
        ),
        *(
            count(f"user_{name}", f"words of {meaning} in the user's newest message", _NO_MESSAGE)
            for name, meaning in _OF_USER.items()
        ),
        flag("text_question_end", "1 if the newest text ends with a question mark", _NO_TURN),
        share(
            "text_question_end_share",
            "share of turns whose text ends with a question mark",
            _NO_TURN,
        ),
        flag("text_cut_off", "1 if the newest text ends with a letter or a comma", _NO_TURN),
        share("text_digit_share", "share of digits in the newest text", _NO_TURN),
        share("text_markup_share", "share of {}[]<>`|#*_ in the newest text", _NO_TURN),
        share("thinking_share", "share of turns with thinking tags in the text", _NO_TURN),
        count("text_quote_marks", "straight quotation marks in the newest text", _NO_TURN),
        count("text_first_line_chars", "characters of the newest text's first line", _NO_TURN),
        count("text_words_per_line", "words of the newest text / its lines", _NO_TURN),
        share("text_distinct_share", "distinct words / words of the newest text", _NO_WORDS),
        share(
            "text_first_person_share",
            "share of I, me, my in the words of the newest text",
            _NO_WORDS,
        ),
        share(
            "text_second_person_share",
            "share of you, your in the words of the newest text",
            _NO_WORDS,
        ),
        real(
            "text_length_ratio",
            "words of the newest text / mean words of the texts before it",
            "no words in earlier turns",
            low=0.0,
        ),
    )

    def __init__(self, memory: Memory) -> None:
        self._turns = self._texts = self._words = self._thoughts = 0
        self._questions = 0.0
        self._found: tuple[float, ...] = (math.nan,) * len(SPEECH.names)
        self._turns_with = [0] * len(_SHARED)
        self._user: tuple[float, ...] = (math.nan,) * len(USER.names)
        self._style = _NO_STYLE
        self._ratio = math.nan

    def message(self, event: Inbound) -> None:
        """Read the user's reply."""
        if event.role == "user":
            self._user = USER.count(event.text)

    def turn(self, event: Turn) -> None:
        """Read the text of the turn."""
        said = event.said
        self._turns += 1
        self._thoughts += said is not event.text
        self._found = found = SPEECH.count(said)
        if any(found):
            for place, index in enumerate(_SHARED):
                self._turns_with[place] += found[index] > 0
        style: _Style | None = said.memo.get(_Style)
        if style is None:
            style = said.memo[_Style] = _style(said)
        self._style = style
        self._questions += style.question
        self._ratio = style.words * self._texts / self._words if self._words else math.nan
        self._texts += style.text
        self._words += style.words

    def result(self, event: Result) -> None:
        """Results are no wording of the model's."""

    def values(self) -> Iterable[float]:
        """See :attr:`features`."""
        turns, style = self._turns or math.nan, self._style
        return (
            *self._found,
            *[n / turns for n in self._turns_with],
            *self._user,
            style.question,
            self._questions / turns,
            *style.marks,
            self._thoughts / turns,
            *style.shape,
            self._ratio,
        )


class _Style(NamedTuple):
    """What a text alone decides: ends with a question, has text at all, words, its features."""

    question: float
    text: bool
    words: int
    marks: tuple[float, float, float]
    shape: tuple[float, float, float, float, float, float]


_NO_STYLE = _Style(math.nan, False, 0, (math.nan,) * 3, (math.nan,) * 6)


def _style(said: Digest) -> _Style:
    text, size = said.text.strip(), max(len(said.text), 1)
    n = len(said.words)
    return _Style(
        text.endswith("?"),
        bool(text),
        n,
        (
            text[-1:].isalpha() or text.endswith(","),
            said.holds(b"0123456789") / size,
            said.holds(b"{}[]<>`|#*_") / size,
        ),
        (
            said.holds(b"'\""),
            len(text.partition("\n")[0]),
            n / (text.count("\n") + 1),
            len(said.bag) / n if n else math.nan,
            _times(_FIRST, said) / n if n else math.nan,
            _times(_SECOND, said) / n if n else math.nan,
        ),
    )


def _times(few: frozenset[str], said: Digest) -> int:
    # a search in the joined words is several times faster than a look at each of them
    return sum([said.flat.count(f" {word} ") for word in few & said.bag])
