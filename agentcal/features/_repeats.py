"""Going round in circles: calls, tools and results that come again."""

from __future__ import annotations

import math
from typing import ClassVar

from agentcal.features._events import Call, Memory, Result, Turn
from agentcal.features._feature import Feature, count, share
from agentcal.features._verdicts import Verdict

_NO_CALL = "no call yet"
_NO_TURN = "no model turn yet"
_NO_RESULT = "no result yet"
_LONGEST_PERIOD = 4


class _Seen:
    """What came back last for one call (name and arguments)."""

    __slots__ = ("ok", "result")

    def __init__(self) -> None:
        self.result: int | None = None
        self.ok = False


class Repeats:
    """Exact repeats, new tries with other arguments, loops, and results that bring nothing new."""

    features: ClassVar[tuple[Feature, ...]] = (
        count("repeats", "calls equal to an earlier one in name and arguments"),
        share("repeat_share", "repeats / calls", _NO_CALL),
        count("repeats_in_turn", "repeats in the newest turn", _NO_TURN),
        count("repeats_after_ok", "repeats of a call whose newest result was in order"),
        count("repeated_actions", "repeats of an action whose newest result was in order"),
        count("fruitless_repeats", "results of a repeat equal to the result of the call before it"),
        share(
            "variation_share",
            "share of calls to a tool called before, with arguments not tried before",
            _NO_CALL,
        ),
        count("tool_streak", "newest calls in a row to one tool, over all turns", _NO_CALL),
        count(
            "loop_calls",
            "newest calls in a row that run through a cycle of 1 to 4 calls at least twice",
        ),
        count("loop_calls_longest", "largest loop_calls so far"),
        share(
            "stale_result_share",
            "share of results that repeat an earlier one, empty ones apart",
            _NO_RESULT,
        ),
        share(
            "result_novelty",
            "share of the tokens of the newest result that nothing before it held",
            "no result with a token yet",
        ),
        share("result_novelty_mean", "mean of result_novelty", "no result with a token yet"),
    )

    def __init__(self, memory: Memory) -> None:
        self._calls = self._repeats = self._repeats_now = 0
        self._after_ok = self._actions = self._fruitless = self._variations = 0
        self._seen: dict[int, _Seen] = {}
        self._tools: set[str] = set()
        self._tool, self._streak = "", 0
        self._recent: list[int] = []
        self._matches = [0] * (_LONGEST_PERIOD + 1)
        self._loop = self._loop_longest = 0
        self._texts: set[int] = set()
        self._results = self._stale = self._novel = 0
        self._novelty = math.nan
        self._novelty_sum = 0.0
        self._turn = 0

    def turn(self, event: Turn) -> None:
        """Compare the proposed calls with all calls before them."""
        self._turn = event.number
        self._repeats_now = 0
        for call in event.calls:
            self._calls += 1
            self._repeat(call)
            self._cycle(call.key)
            self._streak = self._streak + 1 if call.name == self._tool else 1
            self._tool = call.name

    def _repeat(self, call: Call) -> None:
        seen = self._seen.get(call.key)
        if seen is None:
            seen = self._seen[call.key] = _Seen()
            self._variations += call.name in self._tools
            self._tools.add(call.name)
        else:
            self._repeats += 1
            self._repeats_now += 1
            self._after_ok += seen.ok
            self._actions += seen.ok and call.kind == "action"

    def _cycle(self, key: int) -> None:
        """A cycle of period p runs while each call equals the one p calls before it."""
        recent, matches, loop = self._recent, self._matches, 0
        for period in range(1, min(len(recent), _LONGEST_PERIOD) + 1):
            if recent[-period] == key:
                matches[period] += 1
                if matches[period] >= period:
                    loop = max(loop, matches[period] + period)
            else:
                matches[period] = 0
        recent.append(key)
        del recent[:-_LONGEST_PERIOD]
        self._loop = loop
        self._loop_longest = max(self._loop_longest, loop)

    def result(self, event: Result, verdict: Verdict) -> None:
        """Compare the result with all results before it."""
        text = hash(event.text.text)
        seen = self._seen[event.call.key]
        self._results += 1
        self._fruitless += seen.result == text
        seen.result, seen.ok = text, not verdict.failed and event.status != "rejected"
        self._stale += text in self._texts and not verdict.empty
        self._texts.add(text)
        self._news(event)

    def _news(self, event: Result) -> None:
        tokens, memory = event.text.tokens, event.memory
        if tokens:
            fresh = event.new - memory.task.tokens - memory.system.tokens
            self._novelty = len(fresh) / len(tokens)
            self._novelty_sum += self._novelty
            self._novel += 1

    def values(self) -> tuple[float, ...]:
        """See :attr:`features`."""
        calls, nan = self._calls, math.nan
        return (
            self._repeats,
            self._repeats / calls if calls else nan,
            self._repeats_now if self._turn else nan,
            self._after_ok,
            self._actions,
            self._fruitless,
            self._variations / calls if calls else nan,
            self._streak if calls else nan,
            self._loop,
            self._loop_longest,
            self._stale / self._results if self._results else nan,
            self._novelty,
            self._novelty_sum / self._novel if self._novel else nan,
        )
