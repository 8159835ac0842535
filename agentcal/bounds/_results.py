"""What certifying a threshold found: plain data."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from agentcal.metrics import Estimate

Order = Literal["single", "planned", "split"]
"""Where the order of the tests came from: there was one threshold; other runs; a few groups that
were drawn for that and not tested on."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ThresholdCertificate(_Frozen):
    """Among runs with a score of ``threshold`` or more, at most ``max_failure_rate`` fail.

    Wrong with probability at most ``1 - confidence`` over the draw of the ``groups`` it was made
    from (runs of groups that are new, drawn like these). ``accepted`` runs have such a score and
    ``failures`` of them failed, of ``runs`` in all. ``upper`` bounds the failure rate at this
    threshold, never above ``max_failure_rate``. ``coverage`` is the share of runs accepted, every
    group weighing the same; its interval does not allow for the choice of the threshold. ``tested``
    are the thresholds in the order of the tests; all but at most the last were certified.
    ``seed`` drew the groups that were set apart to order the tests; None where none were.
    """

    threshold: float
    max_failure_rate: float
    confidence: float
    groups: int
    runs: int
    accepted: int
    failures: int
    upper: float
    coverage: Estimate
    method: Order
    seed: int | None
    tested: list[float]

    def __str__(self) -> str:
        return (
            f"certified: at a confidence of {self.threshold:.3f} or more at most "
            f"{self.max_failure_rate:.1%} fail, with {self.confidence:.0%} confidence; "
            f"{self.failures} of {self.accepted} did, in {self.groups} groups; "
            f"{self.coverage.value:.0%} of the runs are that sure"
        )


class Attempt(_Frozen):
    """The threshold that came closest: ``upper`` is what its failure rate may be.

    Seen on the runs that it was picked on, so it promises nothing.
    """

    threshold: float
    accepted: int
    failures: int
    upper: float


class NotCertified(_Frozen):
    """No threshold could be certified from these ``groups``.

    ``more_groups``: about so many more labelled groups like these would do, more often than not;
    None where no threshold can be expected to do: at each the failure rate as observed is no lower
    than ``max_failure_rate``, or would not be with one more failure. See :func:`more_groups`.
    """

    max_failure_rate: float
    confidence: float
    groups: int
    best: Attempt
    more_groups: int | None

    def __str__(self) -> str:
        best = self.best
        return (
            f"not certified: {self._more()} (at most {self.max_failure_rate:.1%} may fail; at best "
            f"{best.failures} of {best.accepted} did, or up to {best.upper:.1%} if that threshold "
            "had not been picked for it)"
        )

    def _more(self) -> str:
        if self.more_groups is None:
            if self.best.failures < self.max_failure_rate * self.best.accepted:
                return "too few runs are sure enough to say how many more would do"
            return "more runs will not help: too many fail at every threshold"
        guess = f", a guess from {self.groups}" if self.more_groups > 10 * self.groups else ""
        return f"about {self.more_groups} more labelled groups would do{guess}"
