"""What a pilot says: plain data, its arithmetic in words, and how it looks in a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict

from agentcal.metrics import Estimate
from agentcal.pilot._arm import Arm

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult

PLAIN_WIDTH = 110

Advice = Literal["gate", "do not gate", "more data"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Luck(_Frozen):
    """d and r of a second run of the same group that nobody interrupted: what chance alone does."""

    disruption: Estimate
    recovery: Estimate


class PilotAdvice(_Frozen):
    """Whether interrupting runs as in the pilot pays, and why.

    ``failure_rate`` p is of runs without interventions. ``disruption`` d and ``recovery`` r compare
    two runs of one group, without and with: how often the second fails where the first succeeds,
    and how often it succeeds where the first fails; part of both is ``luck``. Interrupting pays
    where p is above the ``threshold`` d / (r + d). ``net`` is how much higher the success rate is
    with interventions, r p - d (1 - p): a share of all runs, the same whatever part of d and r is
    luck, and what the ``advice`` rests on: its interval at ``confidence`` is above 0 (gate), below
    it (do not gate) or holds it (more data). ``more_groups``: about so many more, in both sets,
    would tell; None where the sets are alike, or where it is clear already.

    Every group weighs the same. Not ``paired``: the sets have few groups in common, and d, r and
    the threshold cannot be known. ``unmatched``: groups that could not be used, of both sets: in
    one only if paired, in both if not. ``luck`` is None where no group was run twice.
    """

    advice: Advice
    paired: bool
    success_at: float
    confidence: float
    baseline: Arm
    intervened: Arm
    unmatched: int
    failure_rate: Estimate
    net: Estimate
    more_groups: int | None
    disruption: Estimate | None = None
    recovery: Estimate | None = None
    threshold: Estimate | None = None
    luck: Luck | None = None

    @property
    def arithmetic(self) -> list[str]:
        """How the advice follows from the rates, line by line."""
        return [*self._threshold(), *self._net(), *self._luck(), self._verdict()]

    def _threshold(self) -> Iterator[str]:
        p, d, r = self.failure_rate.value, self.disruption, self.recovery
        if not self.paired:
            yield (
                "d and r need runs of the same groups in both sets; here groups were paired at "
                "random, which shows the net effect alone."
            )
        elif d is None or r is None:
            which = "succeeds" if d is None else "fails"
            yield f"No run {which} without interventions, so there is nothing to weigh up."
        elif self.threshold is None:
            yield "No outcome differs between the sets: d and r are 0."
        else:
            t = self.threshold.value
            sign = ">" if p > t else "<" if p < t else "="
            yield (
                f"Interrupting pays where p > d / (r + d) = {d.value:.3f} / ({r.value:.3f} + "
                f"{d.value:.3f}) = {t:.3f}; here p = {p:.3f} {sign} {t:.3f}."
            )

    def _net(self) -> Iterator[str]:
        p, d, r = self.failure_rate.value, self.disruption, self.recovery
        sum_ = ""
        if d is not None and r is not None:
            sum_ = f" = r p - d (1 - p) = {r.value:.3f} x {p:.3f} - {d.value:.3f} x {1 - p:.3f}"
        yield f"Net effect{sum_} = {_per_100(self.net)} successes per 100 runs."
        share = self.intervened.intervened / self.intervened.runs
        if share < 1:
            yield (
                f"Interventions fell on {share:.0%} of the runs of the second set; per 100 runs "
                f"interrupted that is {100 * self.net.value / share:+.1f}."
            )

    def _luck(self) -> Iterator[str]:
        if self.luck is not None:
            yield (
                f"Part of d and r is chance: a second run that nobody interrupts shows d = "
                f"{self.luck.disruption.value:.3f} and r = {self.luck.recovery.value:.3f}. "
                "The net effect is free of it."
            )

    def _verdict(self) -> str:
        if self.advice == "gate":
            return f"Advice: gate. At {self.confidence:.0%} confidence the net effect is a gain."
        if self.advice == "do not gate":
            return (
                f"Advice: do not gate. At {self.confidence:.0%} confidence interrupting costs more "
                "successes than it saves."
            )
        if self.more_groups is None:
            return "Advice: more data. The sets are alike: no number of groups can be named."
        return (
            f"Advice: more data. The interval holds both a gain and a loss; about "
            f"{self.more_groups} more groups in both sets would tell, if the effect is what it "
            "looks like."
        )

    def __str__(self) -> str:
        from rich.console import Console  # noqa: PLC0415 - heavy

        text = StringIO()
        Console(file=text, width=PLAIN_WIDTH, color_system=None).print(self)
        return text.getvalue().rstrip()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The rates and the arithmetic for a terminal."""
        from agentcal.pilot._table import tables  # noqa: PLC0415 - loads rich

        yield from tables(self)


def _per_100(net: Estimate) -> str:
    interval = ""
    if net.low is not None and net.high is not None:
        interval = f" [{100 * net.low:+.1f}, {100 * net.high:+.1f}]"
    return f"{100 * net.value:+.1f}{interval}"
