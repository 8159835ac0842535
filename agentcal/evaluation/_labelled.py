"""Which recorded runs can be judged by their outcome, and what is independent among them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Literal, NamedTuple

from agentcal._seen import Seen
from agentcal.calibration import Calibrator, GroupBy, censored, group_name
from agentcal.errors import ConfigError, NotEnoughData
from agentcal.trajectory import Trajectory

_NAMED: tuple[Literal["task", "family", "agent", "model"], ...] = (
    "task",
    "family",
    "agent",
    "model",
)


_EXAMPLES = 3
_LOG = logging.getLogger("agentcal")


class Labelled(NamedTuple):
    """A run, the group that it belongs to, and whether it succeeded."""

    run: Trajectory
    group: str
    success: bool


class _Earlier(NamedTuple):
    """Runs that something was made from, what grouped them, and how runs like them are counted."""

    seen: Seen
    by: GroupBy
    same_run: str
    same_group: str

    def knows(self, run: Trajectory) -> str:
        """Why this run is no test of what was made; empty if it is one.

        A run that does not name what the others were grouped by was not among them.
        """
        if self.seen.has_run(run):
            return self.same_run
        with suppress(ConfigError):
            return self.same_group if self.seen.has_group(group_name(run, self.by)) else ""
        return ""


class LabelledRuns:
    """The runs that can judge a calibrator, read once; ``left_out`` counts the others by reason.

    Left out: runs without an outcome; runs that a gate ended or left waiting, or that somebody cut
    short, whose outcome is not the agent's own; and, with a warning to the logger ``agentcal``,
    runs that the calibrator learnt from and other runs of their groups, because on them it looks
    better than it is. Their groups are those of the fit, whatever ``group`` is; after a fit with a
    function of a run, those of ``group``, which must be that function then: otherwise only the runs
    themselves are known again. So are those that policies were certified on (``certified``, as in
    ``Policy.seen``), by ``group``. Leaving them out is blind to score and outcome.

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
        certified: Iterable[Seen] = (),
    ) -> None:
        self._runs = runs
        fitted = _fitted_by(calibrator)
        self._by = _asked_for(fitted if group is None else group)
        self._unsure = isinstance(self._by, str) and fitted is None
        learnt = ("learnt from by the calibrator", "of groups that the calibrator learnt from")
        tested = ("that the policy was certified on", "of groups that the policy was certified on")
        self._earlier = [
            _Earlier(calibrator.seen, fitted or self._by, *learnt),
            *(_Earlier(seen, self._by, *tested) for seen in certified),
        ]
        self._known: dict[str, list[str]] = {}
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
        """Why it is known how this run, or one like it, turned out; empty if it is not."""
        same = next(filter(None, (earlier.knows(run) for earlier in self._earlier)), "")
        if same and len(self._known.setdefault(same, [])) < _EXAMPLES:
            self._known[same].append(run.run_id)
        return same

    def _warn(self) -> None:
        if self._unsure:
            _LOG.warning(
                "the calibrator was fitted with a group function: runs of groups that it learnt "
                "from are only known again with the same one as group=..."
            )
        for why, examples in self._known.items():
            names = ", ".join(examples)
            _LOG.warning("left out: %d runs %s, such as %s", self.left_out[why], why, names)

    def _advice(self) -> str:
        return "; give runs of other groups" if self._known else ""


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
