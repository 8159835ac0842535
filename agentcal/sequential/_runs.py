"""Checked input of ``fit_alarm``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

import numpy as np

from agentcal.errors import ConfigError

Points = list[list[float]]


@dataclass(frozen=True, slots=True)
class Runs:
    """One entry a run; ``members`` are the runs of each group, in the order of sorted labels."""

    scores: Points
    second: Points | None
    success: list[bool]
    members: list[list[int]]

    @classmethod
    def checked(
        cls,
        sequences: Sequence[Sequence[float]],
        success: Sequence[bool],
        groups: Sequence[str],
        second: Sequence[Sequence[float]] | None,
    ) -> Runs:
        """From what the caller gave, or ``ConfigError``."""
        n = len(sequences)
        for name, given in (("success", success), ("groups", groups), ("second", second)):
            if given is not None and len(given) != n:
                raise ConfigError(f"{name} has {len(given)} entries where there are {n} runs")
        scores = [_numbers(values, f"sequences[{i}]") for i, values in enumerate(sequences)]
        other = None
        if second is not None:
            other = [_numbers(values, f"second[{i}]") for i, values in enumerate(second)]
            for i, (a, b) in enumerate(zip(scores, other, strict=True)):
                if len(a) != len(b):
                    raise ConfigError(f"second[{i}] has {len(b)} points for {len(a)} scores")
        if not np.isin(np.asarray(success), (0, 1)).all():
            raise ConfigError("success must hold true and false only")
        return cls(scores, other, [bool(s) for s in success], _members(groups))

    def successful_of(self, group: int) -> list[int]:
        """The runs of a group that succeeded."""
        return [run for run in self.members[group] if self.success[run]]

    def winners(self) -> list[int]:
        """The groups with a successful run."""
        return [g for g in range(len(self.members)) if self.successful_of(g)]

    def losers(self) -> list[int]:
        """The groups without one."""
        return [g for g in range(len(self.members)) if not self.successful_of(g)]

    def points_of(self, run: int) -> tuple[list[float], list[float] | None]:
        """The scores of a run, and the second signal beside them."""
        return self.scores[run], None if self.second is None else self.second[run]

    def lowest_second(self, run: int) -> float:
        """How low its second signal gets; inf where it has none."""
        known = [] if self.second is None else self.second[run]
        return min((value for value in known if value == value), default=inf)  # noqa: PLR0124


def _members(groups: Sequence[str]) -> list[list[int]]:
    found: dict[str, list[int]] = {}
    for run, group in enumerate(groups):
        found.setdefault(group, []).append(run)
    try:
        return [found[group] for group in sorted(found)]
    except TypeError as error:
        raise ConfigError("groups mixes types: use one type of label") from error


def _numbers(values: Sequence[float], name: str) -> list[float]:
    try:
        numbers = [float(value) for value in values]
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{name} must hold numbers: {error}") from error
    if any(abs(number) == inf for number in numbers):
        raise ConfigError(f"{name} holds an infinite number; NaN means that there is none")
    return numbers
