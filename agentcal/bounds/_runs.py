"""Scored runs with their outcomes and groups."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from agentcal.bounds._checked import Flags, Floats, Ints, check_flags, check_scores, group_codes
from agentcal.bounds._rate import GroupedRate


@dataclass(frozen=True, slots=True)
class Runs:
    """One entry a run: its score, whether it failed, the code of its group."""

    score: Floats
    failed: Flags
    group: Ints

    @classmethod
    def checked(cls, scores: ArrayLike, failed: ArrayLike, groups: ArrayLike) -> Runs:
        """From what the caller gave, or ``ConfigError``."""
        score = check_scores(scores)
        flags = check_flags(failed, "failed", score.size)
        return cls(score, flags, group_codes(groups, score.size)[0])

    @property
    def groups(self) -> int:
        """Number of groups."""
        return int(np.unique(self.group).size)

    def only(self, chosen: Flags) -> Runs:
        """Those runs alone."""
        return Runs(self.score[chosen], self.failed[chosen], self.group[chosen])

    def risk(self, threshold: float) -> GroupedRate:
        """How many fail of those that score ``threshold`` or more."""
        return GroupedRate.of_runs(self.score >= threshold, self.failed, self.group)

    def coverage(self, threshold: float) -> GroupedRate:
        """How many score ``threshold`` or more."""
        return GroupedRate.of_runs(np.ones_like(self.failed), self.score >= threshold, self.group)

    def counts(self, threshold: float) -> tuple[int, int]:
        """Runs that score ``threshold`` or more, and how many of them failed."""
        accepted = self.score >= threshold
        return int(accepted.sum()), int((accepted & self.failed).sum())
