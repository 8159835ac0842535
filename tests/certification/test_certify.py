"""Certifying: what is tested, on which runs, and what the result says."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from agentcal import Trajectory, certify
from agentcal.bounds import NotCertified, ThresholdCertificate, certify_threshold
from agentcal.calibration import Calibrator
from agentcal.certification._composed import ComposedScore
from agentcal.certification._parts import parted
from agentcal.certification._walked import walked
from agentcal.errors import ConfigError, NotEnoughData
from agentcal.evaluation import LabelledRuns
from agentcal.policy import (
    Alarm,
    Always,
    Costs,
    CostTarget,
    Gate,
    MemoryLedger,
    Policy,
    ReviewBudget,
    RiskTarget,
    Verdict,
    turns_of,
    walk,
)
from agentcal.trajectory import Intervention, Outcome, ToolDeclaration

from .scripted import FINGERPRINT, Scripted, many, run_of

CALIBRATOR = cast("Calibrator", Scripted())
RUNS = many(150)
TARGET = RiskTarget(0.2)


def given(policy: Any, runs: list[Trajectory] = RUNS, **settings: Any) -> Policy:
    return certify(policy, CALIBRATOR, runs, progress=False, **settings)


def scores(policy: Policy, runs: list[Trajectory]) -> list[float]:
    assert policy.risk_target is not None
    labelled = LabelledRuns(CALIBRATOR, runs)
    return ComposedScore(policy, policy.risk_target)(walked(CALIBRATOR, labelled))


def odds(p: float, by: float) -> float:
    return 1 / (1 + math.exp(-(math.log(p / (1 - p)) + by)))


def test_the_score_of_a_run_is_its_lowest_gated_confidence() -> None:
    run = run_of(("look", 0.1), ("save", 0.7), ("drop", 0.8), ("answer", 0.9))
    assert scores(Policy.of(TARGET), [run]) == [0.7]
    assert scores(Policy.of(TARGET, gated=("answer",)), [run]) == [0.9]
    assert scores(Policy.of(TARGET, gated=("read_only", "write")), [run]) == [0.1]


def test_margins_count_before_the_lowest_is_taken() -> None:
    run = run_of(("save", 0.7), ("drop", 0.8))
    policy = Policy.of(RiskTarget(0.2, margins={"destructive": 2.0}))
    assert scores(policy, [run]) == pytest.approx([odds(0.8, -2.0)])


def test_a_run_with_nothing_gated_always_proceeds() -> None:
    assert scores(Policy.of(TARGET), [run_of(("look", 0.1))]) == [math.inf]


def test_what_another_rule_holds_up_never_proceeds() -> None:
    run = run_of(("save", 0.99), ("answer", 0.99))
    for other in (
        Always(tools=("save",)),
        Always(tiers=("answer",), verdict=Verdict.VERIFY),
        CostTarget(Costs(wrong={"write": 1e4})),
    ):
        assert scores(Policy.of(TARGET, other), [run]) == [-math.inf]
        assert scores(Policy.of(TARGET, other), [run_of(("look", 0.5))]) == [math.inf]


@pytest.mark.parametrize(
    "parts",
    [
        [TARGET],
        [RiskTarget(0.2, margins={"destructive": 0.8, "answer": -0.5})],
        [TARGET, CostTarget(Costs(wrong={"destructive": 30.0}, minutes=4.0))],
        [TARGET, Always(tools=("drop",)), ReviewBudget(0.1)],
        [TARGET, Alarm(0.25, quiet_turns=0)],
    ],
    ids=lambda parts: "+".join(part.__class__.__name__ for part in parts),
)
def test_the_score_says_at_which_thresholds_a_gate_would_let_the_run_pass(parts: list) -> None:
    """The score against the decisions themselves, at thresholds all around it."""
    policy = given(Policy.of(*parts))
    target, made = policy.risk_target, policy.certificate
    assert target is not None
    assert made is not None
    some = RUNS[:60]
    for threshold in (0.2, 0.5, 0.8):
        sure = certify_threshold([1.0] * 99, [0] * 99, range(99), max_failure_rate=0.2, grid=[0.5])
        result = sure.model_copy(update={"threshold": threshold})
        rule = target.model_copy(update={"certificate": made.model_copy(update={"result": result})})
        at = policy.with_(rules=tuple(rule if r is target else r for r in policy.rules))
        passed = [
            all(
                turn.verdict is Verdict.PROCEED
                for turn in walk(at, run, CALIBRATOR.score(run)[:-1], MemoryLedger())
            )
            for run in some
        ]
        assert passed == [score >= threshold for score in scores(policy, some)]
        assert 0 < sum(passed) < len(some)


def test_the_certificate_is_that_of_the_exact_test() -> None:
    policy = given(Policy.of(TARGET), seed=5)
    expected = certify_threshold(
        scores(policy, RUNS),
        [run.outcome != Outcome(value=1.0) for run in RUNS],
        [run.group for run in RUNS],
        max_failure_rate=0.2,
        confidence=0.95,
        seed=5,
    )
    assert isinstance(expected, ThresholdCertificate)
    assert policy.certificate is not None
    assert policy.certificate.result == expected
    assert policy.certificate.threshold == expected.threshold


def test_a_rule_alone_becomes_a_policy_in_shadow() -> None:
    policy = given(TARGET)
    assert policy.mode == "shadow"
    assert policy == given(Policy.of(TARGET)).with_(rules=policy.rules)
    assert not policy.outdated


def test_the_scope_is_what_the_runs_had() -> None:
    extra = ToolDeclaration(name="never_called")
    runs = [run.model_copy(update={"tools": [*run.tools, extra]}) for run in RUNS[:40]]
    runs += [run.model_copy(update={"agent": None, "model": "large"}) for run in RUNS[40:]]
    made = given(TARGET, runs).certificate
    assert made is not None
    assert made.scope.calibrator == FINGERPRINT
    assert made.scope.agents == ("", "ann")
    assert made.scope.models == ("large", "small")
    assert made.scope.tools == {
        "drop": "destructive",
        "look": "read_only",
        "never_called": "write",
        "save": "write",
    }
    assert made.success_at == 1.0


def test_a_gate_with_the_certified_policy_lets_pass_what_was_certified() -> None:
    policy = given(TARGET).enforce()
    gate, threshold = Gate(policy), policy.certificate.threshold  # type: ignore[union-attr]
    assert threshold is not None
    for value, verdict in [(threshold, "proceed"), (math.nextafter(threshold, 0), "escalate")]:
        run = run_of(("save", value))
        (turn,) = turns_of(run, CALIBRATOR.score(run)[:1])
        assert gate.decide(turn).verdict == verdict
    new = run_of(("save", 0.999), agent="bob")
    (turn,) = turns_of(new, CALIBRATOR.score(new)[:1])
    assert "'bob'" in gate.decide(turn).decisions[0].reason


def test_nothing_certified_is_said_with_how_many_more_groups_would_do() -> None:
    policy = given(RiskTarget(0.1), RUNS[:60])
    made = policy.certificate
    assert made is not None
    assert isinstance(made.result, NotCertified)
    assert made.threshold is None
    more = made.result.more_groups
    assert more is not None
    assert f"not certified: about {more} more labelled groups would do" in str(policy)
    run = run_of(("save", 0.999))
    (turn,) = turns_of(run, CALIBRATOR.score(run)[:1])
    decision = Gate(policy).decide(turn).decisions[0]
    assert decision.verdict is Verdict.ESCALATE
    assert "could not carry the promise" in decision.reason


def test_what_was_cut_short_is_left_out_and_counted() -> None:
    stopped = run_of(("save", 0.1), run_id="a", end_reason="abstained")
    aborted = run_of(
        ("save", 0.1), run_id="b", interventions=[Intervention(step=0, kind="aborted", by="ann")]
    )
    unknown = run_of(("save", 0.1), run_id="c", outcome=None)
    plain, mixed = given(TARGET), given(TARGET, [*RUNS, stopped, aborted, unknown])
    assert plain.certificate is not None
    assert mixed.certificate is not None
    assert mixed.certificate.result == plain.certificate.result
    assert sum(mixed.certificate.left_out.values()) == 3
    assert "left out: " in str(mixed)


def test_a_run_that_somebody_helped_counts_as_failed() -> None:
    helped = [Intervention(step=0, kind="edited", by="ann")]
    alone = many(300, seed=3)
    half = [
        run.model_copy(update={"interventions": helped}) if n % 4 == 0 else run
        for n, run in enumerate(alone)
    ]
    plain, mixed = given(TARGET, alone), given(TARGET, half)
    assert plain.certificate is not None
    assert isinstance(plain.certificate.result, ThresholdCertificate)
    assert mixed.certificate is not None
    assert isinstance(mixed.certificate.result, NotCertified)


def test_runs_without_a_gated_step_are_told() -> None:
    idle = [run_of(("look", 0.9), success=False, run_id=f"i{n}", group=f"i{n}") for n in range(200)]
    policy = given(TARGET, [*RUNS, *idle])
    made = policy.certificate
    assert made is not None
    assert made.never_gated >= made.never_gated_failed >= 200
    assert made.threshold is None
    assert f"{made.never_gated_failed} of them failed" in str(policy)
    everything = ("answer", "destructive", "read_only", "write")
    assert given(Policy.of(TARGET, gated=everything), [*RUNS, *idle]).certificate


def test_groups_and_success_are_those_of_the_calibrator_unless_said() -> None:
    runs = [run.model_copy(update={"family": run.group[:2]}) for run in RUNS if run.group]
    by_family = given(TARGET, runs, group="family").certificate
    assert by_family is not None
    assert by_family.result.groups <= 10
    with pytest.raises(ConfigError, match="success_at"):
        given(TARGET, success_at=2.0)
    with pytest.raises(ConfigError, match="family"):
        given(TARGET, group="family")


def fitted(learnt: list[Trajectory], **settings: Any) -> Calibrator:
    return cast("Calibrator", Scripted(learnt, **settings))


def test_runs_of_the_fit_are_left_out_and_told(caplog: pytest.LogCaptureFixture) -> None:
    """The certificate is that of the other runs alone: 40 groups of 150 are known by one run."""
    groups = {f"g{k}" for k in range(40)}
    known = [run for run in RUNS if run.group in groups and run.run_id.endswith("/0")]
    made = certify(TARGET, fitted(known), RUNS, progress=False).certificate
    other = given(TARGET, [run for run in RUNS if run.group not in groups]).certificate
    assert made is not None
    assert other is not None
    assert made.result == other.result
    assert made.left_out == {
        "learnt from by the calibrator": 40,
        "of groups that the calibrator learnt from": 40,
    }
    assert [record.message for record in caplog.records] == [
        "left out: 40 runs learnt from by the calibrator, such as 0/0/0, 0/1/0, 0/2/0",
        "left out: 40 runs of groups that the calibrator learnt from, such as 0/0/1, 0/1/1, 0/2/1",
    ]


def test_it_is_told_in_print_too() -> None:
    policy = certify(TARGET, fitted(RUNS[:10]), RUNS, progress=False)
    assert "left out: 10 learnt from by the calibrator" in str(policy)


@pytest.mark.parametrize("policy", [TARGET, Alarm(0.25)])
def test_where_the_calibrator_knows_them_all_nothing_can_be_certified(policy: Any) -> None:
    with pytest.raises(NotEnoughData, match=r"300 learnt from .*give runs of other groups"):
        certify(policy, fitted(RUNS), [*reversed(RUNS)], progress=False)


def test_outcomes_have_no_say_in_what_is_left_out() -> None:
    flipped = [
        run.model_copy(update={"outcome": Outcome(value=1.0 - run.outcome.value)})
        for run in RUNS
        if run.outcome
    ]
    left = [
        {labelled.run.run_id for labelled in LabelledRuns(fitted(RUNS[:31]), runs)}
        for runs in (RUNS, flipped)
    ]
    assert left[0] == left[1]
    assert len(left[0]) == 268


def test_the_groups_are_those_of_the_fit(caplog: pytest.LogCaptureFixture) -> None:
    """By a name, whatever intervals are over; by a function, if it is given once more."""
    by_run = LabelledRuns(fitted(RUNS[:1]), RUNS, group=lambda run: run.run_id)
    assert next(iter(by_run)).run.run_id == "0/1/0"
    by_agent = LabelledRuns(fitted(RUNS[:1]), RUNS, group="agent")
    assert len([*by_agent]) == 298
    custom = fitted(RUNS[:1], group="custom")
    assert len([*LabelledRuns(custom, RUNS, group=lambda run: str(run.group))]) == 298
    caplog.clear()
    assert len([*LabelledRuns(custom, RUNS, group="agent")]) == 299
    assert "group function" in caplog.text


def test_a_run_that_lacks_what_the_fit_was_grouped_by_was_not_in_it() -> None:
    by_family = fitted(RUNS[:1], group="family")
    assert len([*LabelledRuns(by_family, RUNS, group="task")]) == 299


@pytest.mark.parametrize(
    "policy", [Policy.of(Always()), CostTarget(), Policy.of(CostTarget(), ReviewBudget(0.1))]
)
def test_what_promises_nothing_cannot_be_certified(policy: Any) -> None:
    with pytest.raises(ConfigError, match="nothing to certify"):
        given(policy)


@pytest.mark.parametrize("policy", [TARGET, Alarm(0.2), Policy.of(TARGET, Alarm(0.2))])
@pytest.mark.parametrize(
    "runs", [[], RUNS[:1], [run_of(("save", 0.5), outcome=None)]], ids=["none", "one", "unlabelled"]
)
def test_too_few_runs_are_not_enough_data(policy: Any, runs: list) -> None:
    with pytest.raises(NotEnoughData):
        given(policy, runs)


def test_an_alarm_says_how_many_more_groups_it_takes() -> None:
    with pytest.raises(NotEnoughData, match=r"^the alarm: .* more groups"):
        given(Alarm(0.05), RUNS[:60])
    with pytest.raises(NotEnoughData, match=r"^the alarm \(it is given a third"):
        given(Policy.of(TARGET, Alarm(0.05)), RUNS[:120])


def test_certifying_again_forgets_what_was_found_before() -> None:
    policy = Policy.of(TARGET, Alarm(0.25), ReviewBudget(0.1), mode="enforce")
    once = given(policy)
    again = given(once.with_(gated=("write",)), many(200, seed=9)).with_(gated=policy.gated)
    assert again.outdated
    fresh = given(again)
    assert fresh.mode == "enforce"
    assert fresh.budget == policy.budget
    made = (once.certificate, fresh.certificate)
    assert [m.result for m in made if m] == [made[0].result] * 2  # type: ignore[union-attr]


def test_alarm_and_threshold_share_no_group() -> None:
    both = Policy.of(TARGET, Alarm(0.25))
    found = list(walked(CALIBRATOR, LabelledRuns(CALIBRATOR, RUNS)))

    def names(runs: Any) -> set[str]:
        return {run.group for run in runs}

    first, rest = parted(both, found, seed=4)
    assert not names(first) & names(rest)
    assert len(names(first)) == 50
    assert len(first) + len(rest) == len(found)
    assert names(parted(both, found[::-1], seed=4)[0]) == names(first), "blind to the order"
    assert names(parted(both, found, seed=5)[0]) != names(first)
    flipped = [dataclasses.replace(run, success=not run.success, turns=()) for run in found]
    assert names(parted(both, flipped, seed=4)[0]) == names(first), "blind to score and outcome"


def test_an_alarm_gets_its_bound_and_the_certificate_counts_what_it_stops() -> None:
    runs = many(240, seed=1)
    policy = given(Policy.of(TARGET, Alarm(0.25, quiet_turns=0)), runs)
    alarm = policy.alarm
    assert alarm is not None
    assert alarm.bound is not None
    assert alarm.calibrator == FINGERPRINT
    assert not policy.outdated
    held = [s == -math.inf for s in scores(policy, runs)]
    sounded = [any(alarm.sounds(t) for t in turns_of(r, CALIBRATOR.score(r)[:-1])) for r in runs]
    assert held == sounded
    assert np.mean(sounded) > 0.02


def test_an_alarm_alone_uses_all_groups_and_makes_no_certificate() -> None:
    policy = given(Alarm(0.25))
    assert policy.certificate is None
    assert policy.alarm is not None
    assert policy.alarm.bound is not None
    assert given(Alarm(0.25), seed=1).alarm is not None


def test_a_certified_policy_comes_back_from_its_file(tmp_path: Any) -> None:
    policy = given(Policy.of(TARGET, Alarm(0.25), ReviewBudget(0.1)))
    policy.save(tmp_path / "policy.json", key=b"key")
    again = Policy.load(tmp_path / "policy.json", key=b"key")
    assert again == policy
    assert again.fingerprint == policy.fingerprint
    assert not again.outdated
    assert str(again) == str(policy)


def test_a_policy_knows_the_runs_that_it_was_certified_on(tmp_path: Path) -> None:
    first, second = RUNS[:200], RUNS[200:]
    policy = given(TARGET, first)
    assert policy.seen is not None
    assert all(policy.seen.has_run(run) for run in first)
    assert not any(policy.seen.has_run(run) for run in second)
    assert {group for run in RUNS if policy.seen.has_group(group := str(run.group))} == {
        run.group for run in first
    }
    assert not policy.outdated, "knowing them is no change of what was certified"
    policy.save(tmp_path / "policy.json")
    assert Policy.load(tmp_path / "policy.json") == policy
    again = given(policy, second)
    assert again.seen is not None
    assert not any(again.seen.has_run(run) for run in first), "the newer promise is not about them"


def test_a_policy_knows_the_runs_that_its_alarm_came_from() -> None:
    seen = given(Alarm(0.25)).seen
    assert seen is not None
    assert all(map(seen.has_run, RUNS))
