"""Log-probabilities as OpenAI reports them, checked value by value."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

from agentcal._fields import number
from agentcal.formats._format import Context
from agentcal.trajectory import TokenLogprobs

NOT_FINITE = "log-prob is not a finite number"
POSITIVE = "log-prob is above 0"


class Checker:
    """Turns what a log calls a log-probability into nats <= 0 or ``None``; counts the misfits."""

    def __init__(self) -> None:
        self.not_finite = 0
        self.positive = 0

    def __call__(self, value: Any) -> float | None:
        """The value if it is one, else ``None``: missing, never zero."""
        if isinstance(value, float):
            if -math.inf < value <= 0.0:
                return value
        elif value is None:
            return None
        return self._misfit(value)

    def _misfit(self, value: Any) -> float | None:
        finite = number(value)
        if finite is None:
            self.not_finite += 1
        elif finite > 0:
            self.positive += 1
        else:
            return finite
        return None

    def report(self, context: Context) -> None:
        """Leave a note for each sort of misfit that occurred."""
        kept = "Kept as missing; the rest of the run is unharmed."
        if self.not_finite:
            context.note(NOT_FINITE, fix=kept, count=self.not_finite)
        if self.positive:
            fix = "Give natural logarithms, not probabilities. " + kept
            context.note(POSITIVE, fix=fix, count=self.positive)


def falling(values: Iterable[float | None]) -> list[float | None]:
    """The finite values from the largest to the smallest."""
    return [*sorted((v for v in values if v is not None), reverse=True)]


def openai_logprobs(value: Any, context: Context) -> TokenLogprobs | None:
    """From ``{"content": [{"token", "logprob", "top_logprobs": [...]}]}``; ``None`` if absent.

    The list may stand alone (Ollama), or be parallel lists as the completions of old have them:
    ``{"tokens": [...], "token_logprobs": [...], "top_logprobs": [{token: logprob}]}``.
    """
    entries = (value.get("content") or _parallel(value)) if isinstance(value, dict) else value
    if not isinstance(entries, list) or not entries:
        return None
    found = [entry for entry in entries if isinstance(entry, dict)]
    check = Checker()
    tops = [_top(entry, check) for entry in found]
    result = TokenLogprobs.model_construct(  # the checker has validated every value
        tokens=[str(entry.get("token", "")) for entry in found],
        logprobs=[check(entry.get("logprob")) for entry in found],
        top=tops if any(tops) else [],
    )
    check.report(context)
    return result


def _top(entry: dict[str, Any], check: Callable[[Any], float | None]) -> list[float | None]:
    listed = entry.get("top_logprobs")
    if not isinstance(listed, list):
        return []
    return falling(check(other.get("logprob")) for other in listed if isinstance(other, dict))


def _parallel(value: dict[str, Any]) -> list[dict[str, Any]]:
    values, tokens = _items(value.get("token_logprobs")), _items(value.get("tokens"))
    tops = _items(value.get("top_logprobs"))
    return [
        {
            "token": tokens[at] if at < len(tokens) else "",
            "logprob": logprob,
            "top_logprobs": _alternatives(tops[at]) if at < len(tops) else [],
        }
        for at, logprob in enumerate(values)
    ]


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _alternatives(top: Any) -> list[dict[str, Any]]:
    return [{"logprob": value} for value in top.values()] if isinstance(top, dict) else []
