"""Grounding: whether arguments and answers come from the task and the results, or from nowhere."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import ClassVar

from agentcal.features._events import Call, Inbound, Memory, Result, Turn
from agentcal.features._feature import Feature, count, share
from agentcal.features._known import MOST_KNOWN, Known
from agentcal.features._text import EMPTY, Digest, canonical

_LONG = 8
_NUMBER = re.compile(r"[0-9][0-9,]*(?:\.[0-9]+)?")
_NO_TURN = "no model turn yet"
_NO_VALUE = "no short value yet"
_NO_TEXT = "the newest turn has neither words nor entities"
_NO_ENTITIES = "the newest text has no entities"
_NO_WORDS = "the newest text has no words"
_NO_COMPOSED = "no composed text in an action yet"


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else math.nan


class Grounding:
    """Argument values and answers against what the agent could know.

    A token is known when the task, the system prompt, a result or a message holds it. A short value
    (fewer than eight tokens) is unsupported when one of its tokens is neither known nor made of
    known numbers and words (a date, an address); longer values are composed texts.
    """

    name: ClassVar[str] = "grounding"
    features: ClassVar[tuple[Feature, ...]] = (
        count("values_unsupported", "unsupported short argument values so far"),
        count(
            "values_unsupported_in_turn",
            "unsupported short argument values in the newest turn",
            _NO_TURN,
        ),
        share("values_unsupported_share", "share of short values that is unsupported", _NO_VALUE),
        share(
            "action_values_unsupported_share",
            "share of the short values of action calls that is unsupported",
            "no short value of an action yet",
        ),
        share(
            "values_from_newest_share",
            "share of short values held by the newest result with the task, not by the task alone",
            _NO_VALUE,
        ),
        share(
            "values_repeated_share",
            "share of values equal to the value of an earlier argument",
            "no value yet",
        ),
        share(
            "composed_observed_share",
            "share of the tokens of composed texts in actions that results or messages hold",
            _NO_COMPOSED,
        ),
        share(
            "composed_unknown_share",
            "share of the tokens of composed texts in actions that are not known",
            _NO_COMPOSED,
        ),
        count(
            "text_entities", "numbers, dates, addresses, identifiers in the newest text", _NO_TEXT
        ),
        count(
            "text_entities_unsupported",
            "entities of the newest text that are neither known nor made of known parts",
            _NO_TEXT,
        ),
        share(
            "text_entities_known_share",
            "share of the newest text's entities that is known",
            _NO_ENTITIES,
        ),
        share(
            "text_entities_newest_share",
            "share of the newest text's entities that the newest result holds",
            f"{_NO_ENTITIES}, or no result yet",
        ),
        share(
            "text_numbers_known_share",
            "share of the newest text's numbers of two characters or more that is known",
            "the newest text has no such number",
        ),
        share(
            "text_words_observed_share",
            "share of the newest text's words that results or messages hold",
            _NO_WORDS,
        ),
        share("text_words_task_share", "share of the newest text's words in the task", _NO_WORDS),
        share(
            "results_used_share",
            "share of the results' entities that the newest text holds",
            f"{_NO_TEXT}, or no entities in results",
        ),
        count("result_entities", "distinct entities in results so far"),
        share(
            "task_entities_observed_share",
            "share of the task's entities that results hold",
            "the task has no entities",
        ),
    )

    def __init__(self, memory: Memory) -> None:
        self._known = Known()
        self._known.add(memory.task)
        self._known.add(memory.system)
        self._task_entities = memory.task.entities
        self._newest: Digest | None = None
        self._entities: set[str] = set()
        self._values: set[int] = set()
        self._all = self._repeated = self._short = self._unsupported = self._from_newest = 0
        self._actions = self._actions_unsupported = 0
        self._words = self._observed = self._unknown = 0
        self._now = math.nan
        self._text: tuple[float, ...] = _NO_TEXT_YET

    def message(self, event: Inbound) -> None:
        """What a user says is known."""
        self._known.add(event.text)

    def turn(self, event: Turn) -> None:
        """Look up the values of the calls and the text."""
        before = self._unsupported
        for call in event.calls:
            for value in call.arguments.values:
                self._look_up(value, call, event.memory)
        self._now = self._unsupported - before
        said = event.said
        has_words = said.size and (said.bag or said.entities)
        self._text = self._read(said, event.memory) if has_words else _NO_TEXT_YET

    def _look_up(self, value: Digest, call: Call, memory: Memory) -> None:
        tokens = value.tokens
        if not tokens:
            return
        key = hash(value.low)
        self._all += 1
        self._repeated += key in self._values
        self._values.add(key)
        fresh = tokens - memory.task.tokens
        unknown = fresh - memory.observed - memory.system.tokens
        action = call.kind == "action"
        if len(tokens) < _LONG:
            bad = not all(map(self._known.holds_parts, unknown))
            self._short += 1
            self._unsupported += bad
            self._actions += action
            self._actions_unsupported += action and bad
            newest = self._newest
            self._from_newest += newest is not None and bool(fresh) and fresh <= newest.tokens
        elif action:
            self._words += len(tokens)
            self._observed += len(tokens & memory.observed)
            self._unknown += len(unknown)

    def _read(self, said: Digest, memory: Memory) -> tuple[float, ...]:
        entities, bag, newest = said.entities, said.bag, self._newest or EMPTY
        unknown = entities - memory.observed - memory.task.tokens - memory.system.tokens
        n, words = len(entities), len(bag)
        return (
            n,
            sum(not self._known.holds_parts(token) for token in unknown) if unknown else 0,
            (n - len(unknown)) / n if n else math.nan,
            len(entities & newest.entities) / n if n and self._newest else math.nan,
            self._numbers(said, memory),
            _ratio(len(bag & memory.observed), words),
            _ratio(len(bag & memory.task.tokens), words),
            _ratio(len(entities & self._entities), len(self._entities)),
        )

    def _numbers(self, said: Digest, memory: Memory) -> float:
        numbers = _numbers_in(said)
        if not numbers:
            return math.nan
        known = self._known
        return sum(memory.knows(n) or known.holds_number(n) for n in numbers) / len(numbers)

    def result(self, event: Result) -> None:
        """Learn what came back."""
        self._known.add(event.text)
        self._newest = event.text
        if len(self._entities) < MOST_KNOWN:
            self._entities |= event.text.entities

    def values(self) -> Iterable[float]:
        """See :attr:`features`."""
        short, words, seen, asked = self._short, self._words, self._entities, self._task_entities
        return (
            self._unsupported,
            self._now,
            self._unsupported / short if short else math.nan,
            self._actions_unsupported / self._actions if self._actions else math.nan,
            self._from_newest / short if short else math.nan,
            self._repeated / self._all if self._all else math.nan,
            self._observed / words if words else math.nan,
            self._unknown / words if words else math.nan,
            *self._text,
            len(seen),
            len(asked & seen) / len(asked) if asked else math.nan,
        )


_NO_TEXT_YET = (math.nan,) * 8


def _numbers_in(text: Digest) -> list[str]:
    """The numbers of two characters or more, with repeats; found once a text."""
    found: list[str] | None = text.memo.get(_numbers_in)
    if found is None:
        every = _NUMBER.findall(text.text) if text.holds(b"0123456789") else ()
        numbers = [canonical(number.replace(",", "")) for number in every]
        found = text.memo[_numbers_in] = [number for number in numbers if len(number) > 1]
    return found
