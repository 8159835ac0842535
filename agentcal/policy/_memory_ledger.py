"""Questions counted in this process."""

from __future__ import annotations

import threading
from bisect import bisect_left, insort
from collections import OrderedDict, deque
from collections.abc import Sequence

from agentcal.policy._bucket import QUESTION, kept, least, settle
from agentcal.policy._budget import ReviewBudget
from agentcal.policy._ledger import Request


class MemoryLedger:
    """A :class:`BudgetLedger` of one process: another process has a budget of its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tokens = QUESTION
        self._answers: OrderedDict[str, bool] = OrderedDict()
        self._recent: deque[float | None] = deque()
        self._sorted: list[float] = []

    def grant(self, budget: ReviewBudget, requests: Sequence[Request]) -> list[bool]:
        """See :class:`BudgetLedger`."""
        with self._lock:
            fresh = {r.key: r for r in requests if r.key not in self._answers}
            new = [*fresh.values()]
            for request in new:
                self._watch(request.value, budget.window)
            self._tokens, granted = settle(budget, self._tokens, new, self._below(least(new)))
            self._answers.update((request.key, granted and request.ask) for request in new)
            answers = [self._answers[request.key] for request in requests]
            while len(self._answers) > kept(budget):
                self._answers.popitem(last=False)
            return answers

    def _watch(self, value: float | None, window: int) -> None:
        self._recent.append(value)
        if value is not None:
            insort(self._sorted, value)
        while len(self._recent) > window:
            old = self._recent.popleft()
            if old is not None:
                del self._sorted[bisect_left(self._sorted, old)]

    def _below(self, value: float | None) -> float:
        if value is None or not self._sorted:
            return 0.0
        return bisect_left(self._sorted, value) / len(self._sorted)
