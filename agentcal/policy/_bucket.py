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
"""Exponent. In simulations of runs with autocorrelated confidences, steps asked about fail nearly
as often as the least sure of all (first come, first served: 15 to 40 points less often) from 2 on;
from 4 on questions are saved up that are then not asked."""


def settle(
    budget: ReviewBudget, tokens: int, requests: Sequence[Request], below: float
) -> tuple[int, bool]:
    """The tokens after the steps of one turn, and whether its questions may be asked.

    ``below``: the share of the last ``window`` steps, these included, that are less sure than the
    least sure of those that ask.
    """
    step, full = int(budget.share * QUESTION), _full(budget)
    asking = any(request.ask for request in requests)
    if asking and _worth(budget, min(full, tokens + step), full, below):
        left = tokens
        for request in requests:
            left = min(full, left + step) - request.ask * QUESTION
            if left < 0:
                break
        else:
            return left, True
    return min(full, tokens + step * len(requests)), False


def _worth(budget: ReviewBudget, tokens: int, full: int, below: float) -> bool:
    """Whether the step is among the least sure: of a share that grows as the bucket fills."""
    if below == 0 or tokens >= full:
        return True
    fill = max(0, tokens - QUESTION) / (full - QUESTION)
    return below < budget.share + (1 - budget.share) * fill**_CHOOSINESS


def _full(budget: ReviewBudget) -> int:
    return max(QUESTION, int(budget.share * budget.window * QUESTION))


def least(requests: Sequence[Request]) -> float | None:
    """The lowest confidence that asks; None where one is missing, which is less sure than any."""
    values = [request.value for request in requests if request.ask]
    known = [value for value in values if value is not None]
    return min(known) if known and len(known) == len(values) else None


def kept(budget: ReviewBudget) -> int:
    """How many steps a ledger remembers: all of the window, and keys for long enough to repeat."""
    return max(budget.window, 10_000)
