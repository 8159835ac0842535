"""``certify``: a policy, a calibrator and labelled runs in, the policy with its promise out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from agentcal._progress import track
from agentcal._seen import Seen
from agentcal.calibration import Calibrator, GroupBy
from agentcal.certification._parts import parted
from agentcal.certification._promise import promised
from agentcal.certification._walked import Walked, walked
from agentcal.errors import ConfigError, NotEnoughData
from agentcal.evaluation import LabelledRuns
from agentcal.policy import AnyPart, AnyRule, Policy
from agentcal.sequential import fit_alarm
from agentcal.trajectory import Trajectory


def certify(
    policy: Policy | AnyPart,
    calibrator: Calibrator,
    runs: Iterable[Trajectory],
    *,
    group: GroupBy | None = None,
    success_at: float | None = None,
    seed: int = 0,
    progress: bool = True,
) -> Policy:
    """Find what ``policy`` can promise, on labelled runs that the calibrator has not seen.

    A :class:`RiskTarget` gets its certificate: a run's score is its lowest confidence over its
    gated steps, less the margin of their tier, and runs that any other rule would hold up count as
    never accepted; so the promise is about the policy as composed. An :class:`Alarm` gets its bound
    first, from a third of the groups, drawn with ``seed`` blind to score and outcome, and the
    certificate comes from the others (from all without a :class:`RiskTarget`). ``print(policy)``
    shows what was found. Where nothing can be certified, the certificate says so and how many more
    groups would do. ``Policy.seen`` knows the runs again, so that :func:`agentcal.replay` can leave
    them out.

    ``group`` (what is independent, the task as a rule) and ``success_at`` default to what the
    calibrator was fitted with. Left out and counted: runs without an outcome, runs that were cut
    short, by a gate or a person, and, with a warning to the logger ``agentcal``, runs that the
    calibrator learnt from and others of their groups (see
    :class:`agentcal.evaluation.LabelledRuns`). ``progress`` shows a bar on stderr where that is a
    terminal.

    Raises :class:`ConfigError` for a policy with nothing to certify and for settings out of range;
    :class:`NotEnoughData` where no run is left, and for too few successful ones to fit an alarm.
    """
    draft = _draft(policy)
    watched = track(runs, "scoring", show=progress)
    usable = LabelledRuns(calibrator, watched, group=group, success_at=success_at)
    found = list(walked(calibrator, usable))
    first, rest = parted(draft, found, seed)
    draft = _with_alarm(draft, calibrator, first, seed)
    draft = draft.with_(seen=Seen.of((r.mark for r in found), {r.group for r in found}))
    target = draft.risk_target
    if target is None:
        return draft
    made = promised(
        draft,
        target,
        rest,
        others=first,
        calibrator=calibrator.fingerprint,
        usable=usable,
        seed=seed,
    )
    return _replaced(draft, target, certificate=made)


def _draft(policy: Policy | AnyPart) -> Policy:
    """The policy without what was found before."""
    draft = policy if isinstance(policy, Policy) else Policy.of(policy)
    if draft.risk_target is None and draft.alarm is None:
        raise ConfigError(
            "the policy has nothing to certify: a RiskTarget has a promise and so has an Alarm; "
            "other rules work as they stand"
        )
    if draft.risk_target is not None:
        draft = _replaced(draft, draft.risk_target, certificate=None)
    if draft.alarm is not None:
        draft = _replaced(draft, draft.alarm, bound=None, calibrator=None)
    return draft.with_(seen=None)


def _replaced(policy: Policy, old: AnyRule, **changes: object) -> Policy:
    new = old.model_copy(update=changes)
    return policy.with_(rules=tuple(new if rule is old else rule for rule in policy.rules))


def _with_alarm(
    policy: Policy, calibrator: Calibrator, runs: Sequence[Walked], seed: int
) -> Policy:
    alarm = policy.alarm
    if alarm is None:
        return policy
    try:
        bound = fit_alarm(
            [run.values for run in runs],
            [run.success for run in runs],
            [run.group for run in runs],
            false_alarm_rate=alarm.false_alarm_rate,
            confidence=alarm.confidence,
            quiet_turns=alarm.quiet_turns,
            second=[run.supports for run in runs] if alarm.second == "support" else None,
            seed=seed,
        )
    except NotEnoughData as error:
        where = "" if policy.risk_target is None else " (it is given a third of all groups)"
        raise NotEnoughData(f"the alarm{where}: {error}") from error
    return _replaced(policy, alarm, bound=bound, calibrator=calibrator.fingerprint)
