"""A policy on recorded runs, before it is switched on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from agentcal._progress import track
from agentcal.bounds import NotCertified
from agentcal.calibration import Calibrator, GroupBy
from agentcal.errors import ConfigError
from agentcal.policy import Gate, Policy
from agentcal.replays._baselines import ALWAYS, CALIBRATOR, Rivals
from agentcal.replays._breakdown import by_family, by_tool, curves
from agentcal.replays._figures import Figures, Stops, was_stopped
from agentcal.replays._recorded import reach_of
from agentcal.replays._result import Promise, Replay, Row
from agentcal.replays._walked import WalkedRuns, walk_runs
from agentcal.trajectory import Trajectory

if TYPE_CHECKING:
    from agentcal.policy import AnyPart

POLICY = "policy"


def replay(
    policy: Policy | AnyPart,
    calibrator: Calibrator,
    runs: Iterable[Trajectory],
    *,
    group: GroupBy | None = None,
    success_at: float | None = None,
    level: float = 0.95,
    seed: int = 0,
    baselines: bool = True,
    progress: bool = True,
) -> Replay:
    """Say what ``policy`` would have done on recorded runs that nobody stopped.

    A run counts as stopped at its first verdict other than "proceed"; what would have followed is
    not known. Runs that the calibrator learnt from or that the policy was certified on, and others
    of their groups, are left out, counted, and warned of (see
    :class:`agentcal.evaluation.LabelledRuns`). The runs are walked through in the order given,
    which matters to a review budget alone. ``group`` and ``success_at`` default to what the
    calibrator was fitted with. ``baselines`` adds what needs no calibrator, with limits
    chosen on these runs so that each interrupts as many of them as the policy does. Intervals at
    ``level`` are over groups. ``progress`` shows bars on stderr where that is a terminal.

    Raises ``NotEnoughData`` without a single labelled run, ``ConfigError`` for settings out of
    range, a group that the runs do not have or something that is no policy, and ``ArtefactError``
    for a calibrator that is VOID.
    """
    if not 0 < level < 1:
        raise ConfigError(f"level must lie between 0 and 1, got {level}")
    composed = Gate(policy).policy
    walked = walk_runs(
        calibrator,
        {POLICY: composed},
        track(runs, "replaying", show=progress),
        tiers=composed.tiers,
        group=group,
        success_at=success_at,
    )
    return _replay(walked, composed, level=level, seed=seed, baselines=baselines)


def _replay(
    walked: WalkedRuns, policy: Policy, *, level: float, seed: int, baselines: bool
) -> Replay:
    promise, stops = promise_of(policy, walked.calibrator), walked.stops[POLICY]
    confidence = level if promise is None else promise.confidence
    figures = Figures(walked.runs, level=level, seed=seed, confidence=confidence)
    rivals = Rivals(walked.runs, reach_of(policy), seed)
    return Replay(
        policy=policy.fingerprint,
        calibrator=walked.calibrator,
        level=level,
        success_at=walked.success_at,
        runs=len(walked.runs),
        groups=len({run.group for run in walked.runs}),
        failed=int(figures.failed.sum()),
        left_out=walked.left_out,
        touched=sum(run.touched for run in walked.runs),
        reach=sorted(rivals.reach),
        promise=promise,
        rows=[
            figures.row(POLICY, "as it is", stops),
            *(beside(figures, stops, rivals) if baselines else ()),
        ],
        absent=rivals.absent if baselines else {},
        by_tool=by_tool(figures, stops),
        by_family=by_family(figures, stops),
        curves=[
            curve for curve in curves(figures, rivals) if baselines or curve.method == CALIBRATOR
        ],
    )


def beside(figures: Figures, policy: Stops, rivals: Rivals) -> Iterator[Row]:
    """The baselines at the budget of ``policy``, then the one that has a budget of its own."""
    budget = int(was_stopped(policy).sum())
    for method, about in rivals.about.items():
        if method != CALIBRATOR:
            stops = rivals.stops(method, budget)
            yield figures.row(method, about, stops, budget=budget, policy=policy)
    if ALWAYS not in rivals.absent:
        yield figures.row(ALWAYS, "every writing or destructive call", rivals.always())


def promise_of(policy: Policy, calibrator: str) -> Promise | None:
    """What the certificate of ``policy`` says; None where it has no rule that would have one."""
    target = policy.risk_target
    if target is None:
        return None
    made = target.certificate
    return Promise(
        max_failure_rate=target.max_failure_rate,
        confidence=target.confidence,
        threshold=None if made is None else made.threshold,
        why_not=_why_not(policy, calibrator),
    )


def _why_not(policy: Policy, calibrator: str) -> str:
    made = policy.certificate
    if made is None:
        return "no certificate was made"
    if policy.outdated:
        return "the policy was changed after it was certified"
    if made.scope.calibrator != calibrator:
        return "the certificate was made for another calibrator"
    return "the runs could not carry it" if isinstance(made.result, NotCertified) else ""
