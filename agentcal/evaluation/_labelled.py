"""Which recorded runs can be judged by their outcome, and what is independent among them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Literal, NamedTuple

from agentcal.calibration import Calibrator, GroupBy, censored, group_name
from agentcal.errors import ConfigError, NotEnoughData
from agentcal.trajectory import Trajectory

_NAMED: tuple[Literal["task", "family", "agent", "model"], ...] = (
    "task",
    "family",
    "agent",
    "model",
)


_SAME_RUN = "learnt from by the calibrator"
_SAME_GROUP = "of groups that the calibrator learnt from"
_EXAMPLES = 3
_LOG = logging.getLogger("agentcal")


class Labelled(NamedTuple):
    """A run, the group that it belongs to, and whether it succeeded."""

    run: Trajectory
    group: str
    success: bool


class LabelledRuns:
    """The runs that can judge a calibrator, read once; ``left_out`` counts the others by reason.

    Left out: runs without an outcome; runs that a gate ended or left waiting, or that somebody cut
    short, whose outcome is not the agent's own; and, with a warning to the logger ``agentcal``,
    runs that the calibrator learnt from and other runs of their groups, because on them it looks
    better than it is. Their groups are those of the fit, whatever ``group`` is; after a fit with a
    function of a run, those of ``group``, which must be that function then: otherwise only the runs
    themselves are known again. Leaving them out is blind to score and outcome.

    ``group`` and ``success_at`` default to those of the calibrator. Raises ``ConfigError`` for
    settings out of range, for a group that a run does not have, or for none where the calibrator
    was fitted with a function; ``NotEnoughData`` at the end of no run at all.
    """

    def __init__(
        self,
        calibrator: Calibrator,
        runs: Iterable[Trajectory],
        *,
        group: GroupBy | None = None,
        success_at: float | None = None,
    ) -> None:
        self._runs = runs
        self._seen = calibrator.seen
        fitted = _fitted_by(calibrator)
        self._by = _asked_for(fitted if group is None else group)
        self._learnt_by = self._by if fitted is None else fitted
        self._unsure = isinstance(self._learnt_by, str) and fitted is None
        self._known: dict[str, list[str]] = {_SAME_RUN: [], _SAME_GROUP: []}
        at = calibrator.settings.success_at if success_at is None else success_at
        if not 0 < at <= 1:
            raise ConfigError(f"success_at={at}: must lie in (0, 1]")
        self.success_at = at
        self.left_out: dict[str, int] = {}

    def __iter__(self) -> Iterator[Labelled]:
        found = 0
        for run in self._runs:
            why = censored(run) or self._learnt(run)
            if why or run.outcome is None:
                self.left_out[why] = self.left_out.get(why, 0) + 1
                continue
            found += 1
            yield Labelled(run, group_name(run, self._by), run.outcome.value >= self.success_at)
        self._warn()
        if not found:
            why = ", ".join(f"{n} {reason}" for reason, n in self.left_out.items())
            raise NotEnoughData(f"no run to judge it on: {why or 'there is none'}{self._advice()}")

    def _learnt(self, run: Trajectory) -> str:
        """Why the calibrator knows how this run, or one like it, turned out; empty if it does not.

        A run that does not name what the fit was grouped by was not in the fit.
        """
        same = _SAME_RUN if self._seen.has_run(run) else ""
        if not same:
            with suppress(ConfigError):
                group = group_name(run, self._learnt_by)
                same = _SAME_GROUP if self._seen.has_group(group) else ""
        if same and len(self._known[same]) < _EXAMPLES:
            self._known[same].append(run.run_id)
        return same

    def _warn(self) -> None:
        if self._unsure:
            _LOG.warning(
                "the calibrator was fitted with a group function: runs of groups that it learnt "
                "from are only known again with the same one as group=..."
            )
        for why, examples in self._known.items():
            if examples:
                names = ", ".join(examples)
                _LOG.warning("left out: %d runs %s, such as %s", self.left_out[why], why, names)

    def _advice(self) -> str:
        return "; give runs of other groups" if any(self._known.values()) else ""


def stated_by_turn(run: Trajectory) -> list[float | None]:
    """What the model itself had claimed by each turn, in [0, 1]; None where nothing yet."""
    last: float | None = None
    stated: list[float | None] = []
    for step in run.steps:
        last = last if step.stated_confidence is None else step.stated_confidence
        stated.append(last)
    return stated


def _fitted_by(calibrator: Calibrator) -> GroupBy | None:
    """What the fit was grouped by; None if by a function, which is not saved."""
    return next((name for name in _NAMED if name == calibrator.settings.group), None)


def _asked_for(group: GroupBy | None) -> GroupBy:
    if group is None:
        raise ConfigError(
            "the calibrator was fitted with a group function, which is not saved with it; "
            "give the same one as group=..."
        )
    return group
