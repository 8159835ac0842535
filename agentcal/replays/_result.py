"""What a replay says: plain data, and how it looks in a terminal."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from agentcal.metrics import Estimate
from agentcal.policy import Tier

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult

PLAIN_WIDTH = 130


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Passed(_Frozen):
    """Runs in which every decision was "proceed".

    ``failed`` of the ``runs`` failed. ``failure_rate``: that of one run of a new group (every group
    weighs the same), None without such a run; with probability ``confidence`` it is ``at_most``
    that (see :class:`agentcal.bounds.GroupedRate`). ``share``: of all runs.
    """

    runs: int
    failed: int
    share: Estimate | None
    failure_rate: float | None
    at_most: float
    confidence: float


class Row(_Frozen):
    """What one ``method`` would have done.

    ``budget``: how many runs it was to interrupt; None where it has a budget of its own.
    ``interrupted``: how many it did, by the first verdict in ``verdicts`` and by the rule behind it
    in ``rules``. Shares, in [0, 1], None where there is nothing to count: ``failures_stopped`` of
    the runs that failed; ``successes_interrupted`` of those that succeeded; ``before_writing`` of
    the failed ones that write anything, stopped at their first writing call or before;
    ``steps_saved`` and ``tokens_saved``: of all that the failed runs used, what came after the stop
    (tokens: runs whose every turn counted them). ``seen_at_stop``: the median share of a run's
    turns that had been proposed when it was stopped, among failures. ``questions`` and ``calls``
    per 100 runs: turns and calls that a human is asked about if every answer is "go on";
    ``first_questions``: if no run goes on. ``policy_ahead``: how much larger ``failures_stopped``
    of the policy is, run by run on the same runs.
    """

    method: str
    about: str
    budget: int | None
    interrupted: int
    verdicts: dict[str, int]
    rules: dict[str, int]
    failures_stopped: Estimate | None
    successes_interrupted: Estimate | None
    before_writing: Estimate | None
    seen_at_stop: Estimate | None
    steps_saved: Estimate | None
    tokens_saved: Estimate | None
    first_questions: float
    questions: float
    calls: float
    passed: Passed
    policy_ahead: Estimate | None = None


class ToolRow(_Frozen):
    """Runs that the policy stops first at this tool (None: at an answer); the share that fails."""

    tool: str | None
    tier: Tier
    stopped: int
    failing: Estimate


class FamilyRow(_Frozen):
    """What the policy would have done in runs of one kind of task ("": it has no name)."""

    family: str
    runs: int
    failed: int
    interrupted: int
    failures_stopped: Estimate | None
    successes_interrupted: Estimate | None


class CurvePoint(_Frozen):
    """If so large a share of the runs is ``interrupted``."""

    interrupted: float
    failures_stopped: float
    successes_interrupted: float


class Curve(_Frozen):
    """What ``method`` does as the review budget grows, in steps of 1% of the runs."""

    method: str
    points: list[CurvePoint]


class Promise(_Frozen):
    """What the policy's certificate says; ``why_not`` is empty where it was certified."""

    max_failure_rate: float
    confidence: float
    threshold: float | None
    why_not: str


class Replay(_Frozen):
    """What a policy would have done on recorded runs, beside baselines.

    ``policy`` and ``calibrator`` are fingerprints. ``reach``: the tiers of steps that the policy
    may stop. ``left_out`` counts runs that could not be used, by reason; ``touched`` those in which
    somebody changed what the agent had proposed: their outcome is that with help. ``rows``: the
    policy first. ``absent``: baselines that these runs do not allow, and why. ``curves`` begin with
    the calibrator's.
    """

    policy: str
    calibrator: str
    level: float
    success_at: float
    runs: int
    groups: int
    failed: int
    left_out: dict[str, int]
    touched: int
    reach: list[Tier]
    promise: Promise | None
    rows: list[Row]
    absent: dict[str, str]
    by_tool: list[ToolRow]
    by_family: list[FamilyRow]
    curves: list[Curve]

    def row(self, method: str = "policy") -> Row:
        """The row of that method; ``KeyError`` where there is none."""
        for row in self.rows:
            if row.method == method:
                return row
        why = self.absent.get(method, f"methods: {', '.join(row.method for row in self.rows)}")
        raise KeyError(f"no row for {method!r}; {why}")

    @property
    def lines(self) -> dict[str, tuple[list[float], list[float]]]:
        """The curves as :func:`agentcal.report.trade_off` draws them."""
        return {
            curve.method: (
                [point.successes_interrupted for point in curve.points],
                [point.failures_stopped for point in curve.points],
            )
            for curve in self.curves
        }

    @property
    def dots(self) -> dict[str, tuple[float, float]]:
        """The rows with a budget of their own, likewise; none where one of the outcomes is."""
        pairs = {
            row.method: (row.successes_interrupted, row.failures_stopped)
            for row in self.rows
            if row.budget is None
        }
        return {
            name: (good.value, bad.value) for name, (good, bad) in pairs.items() if good and bad
        }

    @property
    def headline(self) -> str:
        """Runs, groups, failures and what was left out, as one line."""
        left_out = "".join(f"; left out: {n} {why}" for why, n in self.left_out.items())
        touched = f"; in {self.touched} somebody changed what was proposed" if self.touched else ""
        return f"{self.runs} runs in {self.groups} groups, {self.failed} fail{left_out}{touched}"

    def __str__(self) -> str:
        from rich.console import Console  # noqa: PLC0415 - heavy

        text = StringIO()
        Console(file=text, width=PLAIN_WIDTH, color_system=None).print(self)
        return text.getvalue().rstrip()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The tables for a terminal."""
        from agentcal.replays._tables import tables  # noqa: PLC0415 - loads rich

        yield from tables(self, options.max_width)
