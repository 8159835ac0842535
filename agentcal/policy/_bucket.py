"""The arithmetic of a review budget, the same for every ledger.

Tokens are integers, ``QUESTION`` to a question, and what a step adds is rounded down: so the caps
that :class:`ReviewBudget` promises hold to the last step, whatever the order of the additions.
"""

from __future__ import annotations

from collections.abc import Sequence

from agentcal.policy._budget import ReviewBudget
from agentcal.policy._ledger import Request

QUESTION = 1 << 30
_CHOOSINESS = 3
"""Exponent. On simulated streams (those of tests/policy/test_budget.py) the steps asked about fail
nearly as often as the least sure of all, which first come, first served misses by 15 to 40 points;
with less it misses more, with more there are questions left that nobody was asked."""


def settle(
    budget: ReviewBudget, tokens: int, requests: Sequence[Request], below: float
) -> tuple[int, bool]:
    """The tokens after the steps of one turn, and whether its questions may be asked.

    ``below``: the share of the last ``window`` steps, these included, that are less sure than the
    least sure of those that ask.
    """
    step = int(budget.share * QUESTION)
    full = max(QUESTION, step * budget.window)
    earned = min(full, tokens + step * len(requests))
    if not any(request.ask for request in requests) or not _worth(budget, earned, full, below):
        return earned, False
    left = tokens
    for request in requests:
        left = min(full, left + step) - request.ask * QUESTION
        if left < 0:
            return earned, False
    return left, True


def _worth(budget: ReviewBudget, tokens: int, full: int, below: float) -> bool:
    """Whether the step is among the least sure: of a share that grows as the bucket fills."""
    if tokens < QUESTION:
        return False
    if below == 0 or tokens >= full:
        return True
    fill = (tokens - QUESTION) / (full - QUESTION)
    return below < budget.share + (1 - budget.share) * fill**_CHOOSINESS


def least(requests: Sequence[Request]) -> float | None:
    """The lowest confidence that asks; None where one is missing, which is less sure than any."""
    values = [request.value for request in requests if request.ask]
    known = [value for value in values if value is not None]
    return min(known) if known and len(known) == len(values) else None


def kept(budget: ReviewBudget) -> int:
    """How many steps a ledger remembers: all of the window, and keys for long enough to repeat."""
    return max(budget.window, 10_000)
