"""The alarm as a rule: it hears the whole run, and goes on sounding."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentcal.policy import Alarm, Gate, GatedTurn, MemoryLedger, Policy, Subject, Verdict
from agentcal.sequential import AlarmBound, fit_alarm

from .worlds import CALIBRATOR, call, gated, sure, target, turn_of

LENGTH = 6


def fitted_bound(*, quiet_turns: int = 0, second: bool = False) -> AlarmBound:
    """On runs whose confidence rises to 0.9 or falls to 0.1."""
    rng = np.random.default_rng(0)
    success = rng.random(400) < 0.6
    ends = np.where(success, 0.9, 0.1)[:, None]
    seen = np.linspace(0, 1, LENGTH)
    values = np.clip(0.6 + (ends - 0.6) * seen + rng.normal(0, 0.05, (400, LENGTH)), 0.01, 0.99)
    supports = rng.uniform(0.3, 1.0, values.shape)
    return fit_alarm(
        values.tolist(),
        success.tolist(),
        list(range(400)),
        false_alarm_rate=0.1,
        quiet_turns=quiet_turns,
        second=supports.tolist() if second else None,
    )


BOUND = fitted_bound()
FALLING = [0.6, 0.45, 0.3, 0.15, 0.05, 0.02]
RISING = [0.6, 0.7, 0.8, 0.85, 0.9, 0.95]


def alarm(**fields: object) -> Alarm:
    return Alarm(0.1, **{"bound": BOUND, "calibrator": CALIBRATOR, **fields})


def turn_at(values: list[float | None], *names: str, **fields: object) -> GatedTurn:
    """The turn after which these are the confidences; None where there was none."""
    trail = [None if v is None else sure(v, t) for t, v in enumerate(values, 1)]
    return turn_of(
        None, *names, confidence=trail[-1], trail=tuple(trail[:-1]), turn=len(trail), **fields
    )


def test_it_sounds_in_a_run_that_goes_down_and_not_in_one_that_goes_up() -> None:
    assert alarm().sounds(turn_at(FALLING))
    assert not alarm().sounds(turn_at(RISING))
    assert alarm().rule(turn_at(FALLING), Subject("look", "read_only"), 0.02).verdict == "escalate"


def test_once_it_has_sounded_it_sounds_whatever_comes() -> None:
    policy = gated(alarm(verdict="abstain"))
    for later in ([0.99], [0.99, 0.99, 0.99], [None], [math.nan], [None, 0.99]):
        for names in (["look"], ["save"], []):
            said = policy.decide(turn_at([*FALLING, *later], *names), MemoryLedger())
            assert said.verdict is Verdict.ABSTAIN, (later, names)
            assert "went" in said.decisions[0].reason or "goes" in said.decisions[0].reason


@given(values=st.lists(st.none() | st.floats(0, 1), min_size=1, max_size=9), more=st.floats(0, 1))
def test_it_never_falls_silent_again(values: list[float | None], more: float) -> None:
    if alarm().sounds(turn_at(values)):
        assert alarm().sounds(turn_at([*values, more]))


def test_it_reads_a_missing_score_as_missing_and_not_as_bad() -> None:
    for gap in (None, math.nan, -1.0):
        assert not alarm().sounds(turn_at([*RISING[:3], gap, *RISING[3:]]))
        assert not alarm().sounds(turn_at([gap, gap]))


def test_reading_goes_on_until_it_sounds() -> None:
    policy = Policy.of(alarm())
    assert policy.decide(turn_at(RISING, "look"), MemoryLedger()).verdict is Verdict.PROCEED
    said = policy.decide(turn_at(FALLING, "look", "save"), MemoryLedger())
    assert [d.verdict.value for d in said.decisions] == ["escalate", "escalate"]


@pytest.mark.parametrize("verdict", ["verify", "escalate", "abstain"])
def test_on_another_calibrator_it_is_not_fitted(verdict: str) -> None:
    rule = alarm(calibrator="another", unfitted=verdict)
    said = Policy.of(rule).decide(turn_at(RISING, "look", "save"), MemoryLedger())
    assert [d.verdict.value for d in said.decisions] == ["proceed", verdict]
    assert "another calibrator" in said.decisions[1].reason


def test_a_calibrator_that_changed_under_way_is_another_one() -> None:
    trail = (sure(0.9, 1, fingerprint="before"),)
    turn = GatedTurn("run", 2, sure(0.9, 2), (call("save"),), trail=trail)
    said = Policy.of(alarm()).decide(turn, MemoryLedger())
    assert said.verdict is Verdict.ESCALATE
    assert "another calibrator" in said.decisions[0].reason


def test_without_a_bound_only_gated_steps_wait() -> None:
    said = Policy.of(Alarm(0.1)).decide(turn_at(RISING, "look", "save"), MemoryLedger())
    assert [d.verdict.value for d in said.decisions] == ["proceed", "escalate"]
    assert not Alarm(0.1).sounds(turn_at(FALLING))


def test_the_first_turns_are_quiet() -> None:
    rule = alarm(bound=fitted_bound(quiet_turns=3), quiet_turns=3)
    assert not any(rule.sounds(turn_at(FALLING[3:][:n])) for n in (1, 2, 3))
    assert rule.sounds(turn_at([*FALLING, *FALLING[3:]]))


def test_the_second_signal_must_agree() -> None:
    rule = alarm(bound=fitted_bound(second=True), second="support")
    strange, usual = (
        tuple(sure(v, t, support=support) for t, v in enumerate(FALLING, 1))
        for support in (0.001, 1.0)
    )
    for trail, sounds in ((strange, True), (usual, False)):
        turn = turn_of(None, "save", confidence=trail[-1], trail=trail[:-1])
        assert rule.sounds(turn) is sounds


def test_it_only_makes_a_policy_stricter() -> None:
    policy = gated(target(), alarm(verdict="abstain"))
    assert policy.decide(turn_at(RISING, "save"), MemoryLedger()).verdict is Verdict.PROCEED
    assert policy.decide(turn_at(FALLING, "save"), MemoryLedger()).verdict is Verdict.ABSTAIN


def test_an_alarm_comes_back_from_json() -> None:
    policy = gated(target(), alarm())
    again = Policy.model_validate_json(policy.model_dump_json())
    assert again == policy
    assert again.alarm is not None
    assert again.alarm.sounds(turn_at(FALLING))


def test_a_gate_survives_an_alarm_that_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    def explode(*_: object) -> bool:
        raise OverflowError

    monkeypatch.setattr(AlarmBound, "fires", explode)
    gate = Gate(gated(target(), alarm(), without_score="abstain"))
    said = gate.decide(turn_at(RISING, "look", "save"))
    assert [d.verdict.value for d in said.decisions] == ["proceed", "abstain"]
