"""Each rule by itself."""

from __future__ import annotations

import dataclasses
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentcal.errors import ConfigError
from agentcal.policy import (
    Alarm,
    Always,
    Costs,
    CostTarget,
    Policy,
    ProposedCall,
    ReviewBudget,
    RiskTarget,
    Subject,
    Tier,
    Tiers,
    Verdict,
)
from agentcal.trajectory import ToolDeclaration

from .worlds import certified, gated, sure, target, turn_of

WRITE = Subject("save", "write")
TIERS: tuple[Tier, ...] = ("read_only", "write", "destructive", "answer")


def of_target(value: float, tier: Tier = "write", **fields: object) -> Verdict:
    rule = gated(target(**fields)).risk_target
    assert rule is not None
    tool = {"read_only": "look", "destructive": "drop"}.get(tier, "save")
    return rule.rule(turn_of(value, tool), Subject(tool, tier), value).verdict


def test_a_risk_target_proceeds_from_the_threshold_on() -> None:
    assert of_target(0.8) is Verdict.PROCEED
    assert of_target(math.nextafter(0.8, 0)) is Verdict.ESCALATE
    assert of_target(0.1, otherwise="abstain") is Verdict.ABSTAIN


def test_it_says_what_it_held_against_what() -> None:
    rule = gated(target()).risk_target
    assert rule is not None
    said = rule.rule(turn_of(0.61, "save"), WRITE, 0.61)
    assert said.reason == "P(success) 0.610 is below the certified 0.800"
    assert said.threshold == 0.8
    assert said.by == "risk_target"
    assert rule.certificate is not None
    assert said.certificate == rule.certificate.fingerprint


def test_a_margin_moves_the_bar_in_log_odds() -> None:
    fields = {"margins": {"destructive": 1.0, "read_only": -1.0}}
    bar = 1 / (1 + math.exp(-(math.log(4) + 1)))
    assert of_target(bar + 1e-9, "destructive", **fields) is Verdict.PROCEED
    assert of_target(bar - 1e-9, "destructive", **fields) is Verdict.ESCALATE
    assert of_target(0.7, "read_only", **fields) is Verdict.PROCEED
    assert of_target(0.8, "write", **fields) is Verdict.PROCEED


@given(value=st.floats(0, 1), other=st.floats(0, 1), margin=st.floats(-20, 20))
def test_margins_keep_the_order(value: float, other: float, margin: float) -> None:
    rule = RiskTarget(0.05, margins={"write": margin})
    low, high = sorted((value, other))
    assert 0 <= rule.score(low, "write") <= rule.score(high, "write") <= 1
    assert rule.score(value, "answer") == value


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"confidence": sure(0.99, fingerprint="another")}, "another calibrator"),
        ({"agent": "bob"}, "'bob'"),
        ({"agent": None}, "agent None"),
        ({"model": "large"}, "'large'"),
        ({"model": None}, "model None"),
    ],
)
def test_out_of_scope_nothing_is_certified(changed: dict[str, object], why: str) -> None:
    rule = gated(target(uncertified="verify")).risk_target
    assert rule is not None
    said = rule.rule(turn_of(0.99, "save", **changed), WRITE, 0.99)
    assert said.verdict is Verdict.VERIFY
    assert said.reason.startswith("not certified: ")
    assert why in said.reason
    assert said.certificate is None


def test_a_tool_that_no_certified_run_had_is_out_of_scope() -> None:
    rule = gated(target()).risk_target
    assert rule is not None
    said = rule.rule(turn_of(0.99, "save", "new_tool"), WRITE, 0.99)
    assert said.verdict is Verdict.ESCALATE
    assert "'new_tool'" in said.reason


def test_a_tool_of_another_tier_than_in_the_certified_runs_is_out_of_scope() -> None:
    said = gated(target(), tiers=Tiers(tools={"save": "destructive"}))
    turn = turn_of(0.99, "save")
    assert said.rulings(turn)[0][1].verdict is Verdict.ESCALATE
    rule = said.risk_target
    assert rule is not None
    ruling = rule.rule(turn, Subject("save", "destructive"), 0.99)
    assert "save was write in the certified runs, and is destructive here" in ruling.reason


def test_a_tool_that_was_gated_when_certified_stays_gated_whatever_it_says_live() -> None:
    policy = gated(target())
    claims = ProposedCall("save", {}, declared=ToolDeclaration(name="save", read_only=True))
    turn = dataclasses.replace(turn_of(0.99, "save"), calls=(claims,))
    ((subject, ruling),) = policy.rulings(turn)
    assert subject.tier == "read_only"
    assert subject.gated
    assert ruling.verdict is Verdict.ESCALATE
    bare = Policy.of(target(uncertified="escalate"))
    assert bare.rulings(turn)[0][1].verdict is Verdict.PROCEED


def test_an_unnamed_agent_is_in_scope_where_the_runs_had_none() -> None:
    rule = certified(gated(target()), agents=("",), models=("",)).risk_target
    assert rule is not None
    turn = turn_of(0.9, "save", agent=None, model=None)
    assert rule.rule(turn, WRITE, 0.9).verdict is Verdict.PROCEED


def test_without_a_certificate_nothing_proceeds() -> None:
    assert RiskTarget(0.05).rule(turn_of(0.99), WRITE, 0.99).verdict is Verdict.ESCALATE


def test_costs_are_those_of_the_formulae() -> None:
    costs = Costs(
        wrong={"write": 40.0},
        minute=2.0,
        minutes=3.0,
        interruption=1.5,
        caught=0.75,
        check=0.25,
        check_caught=0.5,
        abstained=7.0,
    )
    assert costs.expected(0.8, "write") == pytest.approx(
        {
            Verdict.PROCEED: 0.2 * 40,
            Verdict.VERIFY: 0.25 + 0.5 * 0.2 * 40,
            Verdict.ESCALATE: 6 + 0.8 * 1.5 + 0.25 * 0.2 * 40,
            Verdict.ABSTAIN: 0.8 * 7,
        }
    )
    assert costs.expected(0.5, "answer")[Verdict.PROCEED] == 2.5, "the tier keeps its default"


SHARES = st.floats(0, 1)
SUMS = st.floats(0, 1e6)


@given(
    p=SHARES,
    tier=st.sampled_from(TIERS),
    costs=st.builds(
        Costs,
        wrong=st.dictionaries(st.sampled_from(TIERS), SUMS),
        minute=SUMS,
        minutes=SUMS,
        interruption=SUMS,
        caught=SHARES,
        check=SUMS,
        check_caught=st.none() | SHARES,
        abstained=SUMS,
    ),
)
def test_a_cost_target_takes_the_cheapest_and_of_equals_the_mildest(
    p: float, tier: Tier, costs: Costs
) -> None:
    said = CostTarget(costs).rule(turn_of(p, "save"), Subject("save", tier), p).verdict
    table = costs.expected(p, tier)
    assert table[said] == min(table.values())
    assert all(cost > table[said] for v, cost in table.items() if v.severity < said.severity)
    assert said in CostTarget(costs).verdicts


def test_the_surer_the_more_a_cost_target_lets_pass() -> None:
    rule = CostTarget(Costs(wrong={"write": 20.0}, abstained=10.0))
    said = [
        rule.rule(turn_of(p, "save"), WRITE, p).verdict.value for p in (0.01, 0.5, 0.8, 0.9, 0.99)
    ]
    assert said == ["abstain", "escalate", "escalate", "proceed", "proceed"]


def test_always_holds_whatever_the_confidence() -> None:
    rule = Always(tools=("save",), tiers=("destructive",), verdict=Verdict.ABSTAIN)
    asked = [("save", "write"), ("drop", "destructive"), ("look", "read_only"), (None, "answer")]
    said = [rule.rule(turn_of(1.0), Subject(name, tier), 1.0).verdict for name, tier in asked]
    assert said == [Verdict.ABSTAIN, Verdict.ABSTAIN, Verdict.PROCEED, Verdict.PROCEED]


def test_whoever_holds_up_writing_does_not_let_deleting_pass() -> None:
    rule = Always(tiers=("write",))
    asked = [("save", "write"), ("drop", "destructive"), ("look", "read_only"), (None, "answer")]
    said = [rule.rule(turn_of(1.0), Subject(name, tier), 1.0).verdict for name, tier in asked]
    assert said == [Verdict.ESCALATE, Verdict.ESCALATE, Verdict.PROCEED, Verdict.PROCEED]
    gated = Policy.of(RiskTarget(0.1), gated=("write",)).rulings(turn_of(1.0, "look", "drop"))
    assert [subject.gated for subject, _ in gated] == [False, True]
    assert Always(tiers=("destructive",)).tiers == ("destructive",)


def test_an_alarm_that_is_not_fitted_rules_on_gated_steps_only() -> None:
    alarm = Alarm(0.1, unfitted="abstain")
    assert alarm.rule(turn_of(0.9), WRITE, 0.9).verdict is Verdict.ABSTAIN
    look = Subject("look", "read_only", gated=False)
    assert alarm.rule(turn_of(0.9), look, 0.9).verdict is Verdict.PROCEED


@pytest.mark.parametrize(
    "bad",
    [
        lambda: RiskTarget(0),
        lambda: RiskTarget(1),
        lambda: RiskTarget(math.nan),
        lambda: RiskTarget(0.05, 1.0),
        lambda: RiskTarget(0.05, margins={"write": math.inf}),
        lambda: RiskTarget(0.05, margins={"write": 21}),
        lambda: RiskTarget(0.05, margins={"nothing": 1}),
        lambda: RiskTarget(0.05, otherwise="proceed"),
        lambda: RiskTarget(0.05, colour="red"),
        lambda: Alarm(1.5),
        lambda: Alarm(0.1, quiet_turns=-1),
        lambda: Alarm(0.1, verdict="proceed"),
        lambda: Always(verdict="proceed"),
        lambda: Always(tiers=("mild",)),
        lambda: Costs(wrong={"write": -1}),
        lambda: Costs(wrong={"write": math.nan}),
        lambda: Costs(abstained=math.inf),
        lambda: Costs(caught=1.1),
        lambda: ReviewBudget(0),
        lambda: ReviewBudget(1.1),
        lambda: ReviewBudget(0.1, 0),
        lambda: ReviewBudget(0.1, spent="proceed"),
        lambda: ReviewBudget(0.1, spent="escalate"),
    ],
)
def test_wrong_settings_are_refused_with_the_name(bad: object) -> None:
    assert callable(bad)
    with pytest.raises(ConfigError, match=r"^(RiskTarget|Alarm|Always|Costs|ReviewBudget): "):
        bad()
