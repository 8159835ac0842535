"""Questions counted in this process."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence

from agentcal.policy._budget import ReviewBudget
from agentcal.policy._ledger import Request


class MemoryLedger:
    """A :class:`BudgetLedger` of one process: another process has a budget of its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tokens: float | None = None
        self._answers: OrderedDict[str, bool] = OrderedDict()

    def grant(self, budget: ReviewBudget, requests: Sequence[Request]) -> list[bool]:
        """See :class:`BudgetLedger`."""
        with self._lock:
            return [self._grant(budget, request) for request in requests]

    def _grant(self, budget: ReviewBudget, request: Request) -> bool:
        if request.key in self._answers:
            return self._answers[request.key]
        full = max(1.0, budget.share * budget.window)
        held = 1.0 if self._tokens is None else self._tokens
        held = min(full, held + budget.share)
        allowed = request.ask and held >= 1
        self._tokens = held - 1 if allowed else held
        self._answers[request.key] = allowed
        return allowed
