"""Which recorded runs can be judged by their outcome, and what is independent among them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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


class Labelled(NamedTuple):
    """A run, the group that it belongs to, and whether it succeeded."""

    run: Trajectory
    group: str
    success: bool


class LabelledRuns:
    """The runs with an outcome of their own, read once; ``left_out`` counts the others by reason.

    Left out: runs without an outcome, and runs that a gate ended or left waiting, or that somebody
    cut short, whose outcome is not the agent's own. ``group`` and ``success_at`` default to those
    of the calibrator. Raises ``ConfigError`` for settings out of range, for a group that a run does
    not have, or for none where the calibrator was fitted with a function; ``NotEnoughData`` at the
    end of no run at all.
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
        self._by = _group_by(calibrator) if group is None else group
        at = calibrator.settings.success_at if success_at is None else success_at
        if not 0 < at <= 1:
            raise ConfigError(f"success_at={at}: must lie in (0, 1]")
        self.success_at = at
        self.left_out: dict[str, int] = {}

    def __iter__(self) -> Iterator[Labelled]:
        found = 0
        for run in self._runs:
            why = censored(run)
            if why or run.outcome is None:
                self.left_out[why] = self.left_out.get(why, 0) + 1
                continue
            found += 1
            yield Labelled(run, group_name(run, self._by), run.outcome.value >= self.success_at)
        if not found:
            why = ", ".join(f"{n} {reason}" for reason, n in self.left_out.items())
            raise NotEnoughData(f"no run to evaluate on: {why or 'there is none'}")


def stated_by_turn(run: Trajectory) -> list[float | None]:
    """What the model itself had claimed by each turn, in [0, 1]; None where nothing yet."""
    last: float | None = None
    stated: list[float | None] = []
    for step in run.steps:
        last = last if step.stated_confidence is None else step.stated_confidence
        stated.append(last)
    return stated


def _group_by(calibrator: Calibrator) -> GroupBy:
    for name in _NAMED:
        if name == calibrator.settings.group:
            return name
    raise ConfigError(
        "the calibrator was fitted with a group function, which is not saved with it; "
        "give the same one as group=..."
    )
