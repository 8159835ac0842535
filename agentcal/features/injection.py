"""Injection: signs of orders in what tools returned, and whether the agent acts on them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import ClassVar

from agentcal.features._events import Call, Inbound, Memory, Result, Turn
from agentcal.features._feature import Feature, count, flag, share
from agentcal.features._lexicon import NOTICES, ORDERS
from agentcal.features._request import tool_words
from agentcal.features._text import Digest

_NO_RESULT = "no result yet"
_NO_TURN = "no model turn yet"
_SHORT = 400
_MOST_WORDS = 50_000
_TAGS: tuple[str, ...] = (
    "<information>",
    "<system>",
    "</system>",
    "<important>",
    "<instructions>",
    "<admin>",
)
_TAGS += ("[system]", "[inst]", "<|im_start|>")
_PLANTED = "arguments hold something that only a result with orders held"


class Injection:
    """Results that give orders, values taken from them, and content that something kept back.

    A result gives orders when it holds a phrase that overrides earlier instructions and, besides,
    a second such phrase, a word that addresses a model, or a tag of a system prompt. A value is
    planted when such a result was the first to hold it and nothing else has held it since. A tool
    is ordered when every word of its name stands in such results and no user's message since, and
    not all of them in the task.
    """

    name: ClassVar[str] = "injection"
    features: ClassVar[tuple[Feature, ...]] = (
        count("orders", "results so far that give orders to the model"),
        share("orders_share", "share of results that give orders to the model", _NO_RESULT),
        flag("orders_last", "1 if the newest result gives orders", _NO_RESULT),
        count("actions_after_orders", "action calls proposed after a result that gives orders"),
        count("planted_calls", f"calls whose {_PLANTED}"),
        count("planted_actions", f"action calls whose {_PLANTED}"),
        flag("planted_in_turn", f"1 if a call of the newest turn has {_PLANTED}", _NO_TURN),
        count(
            "ordered_calls",
            "calls to a tool that results with orders name and the task does not",
        ),
        share(
            "orders_followed_share",
            "share of the calls since the first orders that are planted or ordered",
            "no call since a result that gives orders",
        ),
        count("notices", "words about injection or suspicion in the newest turn's text", _NO_TURN),
        count("withheld", "short results so far that say that content was kept back"),
        flag("withheld_last", "1 if the newest result is short and says so", _NO_RESULT),
    )

    def __init__(self, memory: Memory) -> None:
        self._planted: set[str] = set()
        self._words: set[str] = set()
        self._results = self._orders = self._withheld = 0
        self._after = self._calls = self._actions = 0
        self._since = self._ordered = self._followed = 0
        self._order = self._hidden = self._now = self._notices = math.nan

    def message(self, event: Inbound) -> None:
        """What a user says is not planted, and what a user names is not ordered by a result."""
        if self._orders:
            self._planted -= event.text.tokens
            self._words -= event.text.bag

    def turn(self, event: Turn) -> None:
        """See whether the calls use what orders brought in."""
        self._now = 0.0
        self._notices = NOTICES.count(event.text)[0]
        for call in event.calls if self._orders else ():
            self._follow(call, event.memory)

    def _follow(self, call: Call, memory: Memory) -> None:
        action = call.kind == "action"
        planted = not self._planted.isdisjoint(call.arguments.entities)
        named, _ = tool_words(call.name)
        ordered = bool(named) and named <= self._words and not named <= memory.task.bag
        self._since += 1
        self._after += action
        self._ordered += ordered
        self._followed += planted or ordered
        if planted:
            self._now = 1.0
            self._calls += 1
            self._actions += action

    def result(self, event: Result) -> None:
        """Look for orders in the result."""
        text = event.text
        override, addressed, withheld = ORDERS.count(text)
        hidden = withheld > 0 and text.size <= _SHORT
        orders = override > 0 and override + bool(addressed) + _tagged(text.low) > 1
        self._results += 1
        self._order = float(orders)
        self._orders += orders
        self._hidden = float(hidden)
        self._withheld += hidden
        if orders:
            self._plant(text, event.memory)
        elif self._planted:
            self._planted -= text.tokens

    def _plant(self, text: Digest, memory: Memory) -> None:
        known = (memory.observed, memory.task.tokens, memory.system.tokens)
        self._planted |= text.entities.difference(*known)
        if len(self._words) < _MOST_WORDS:
            self._words |= text.bag

    def values(self) -> Iterable[float]:
        """See :attr:`features`."""
        return (
            self._orders,
            self._orders / self._results if self._results else math.nan,
            self._order,
            self._after,
            self._calls,
            self._actions,
            self._now,
            self._ordered,
            self._followed / self._since if self._since else math.nan,
            self._notices,
            self._withheld,
            self._hidden,
        )


def _tagged(low: str) -> bool:
    return ("<" in low or "[" in low) and any(tag in low for tag in _TAGS)
