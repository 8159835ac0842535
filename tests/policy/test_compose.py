"""Rules put together: the strictest wins, whatever is missing."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentcal.errors import ConfigError
from agentcal.policy import (
    Always,
    Costs,
    CostTarget,
    Decision,
    GatedTurn,
    MemoryLedger,
    Policy,
    ProposedCall,
    ReviewBudget,
    RiskTarget,
    Tier,
    Tiers,
    TurnDecision,
    Verdict,
    decision_key,
    meets_gate,
    strictest,
    turns_of,
    walk,
)
from agentcal.policy._policy import AnyRule
from agentcal.trajectory import Step, ToolCall, Trajectory

from .worlds import AT, DESTROYS, OFFERED, READS, WRITES, call, gated, sure, target, turn_of

VERDICTS = st.sampled_from(Verdict)
HOLDS = st.sampled_from([v for v in Verdict if v is not Verdict.PROCEED])
TIERS = st.sampled_from(["read_only", "write", "destructive", "answer"])


def decided(policy: Policy, turn: GatedTurn) -> list[str]:
    return [d.verdict.value for d in policy.decide(turn, MemoryLedger(), at=AT).decisions]


def test_verdicts_are_ordered_from_mild_to_severe() -> None:
    assert sorted(Verdict, key=lambda v: v.severity) == list(Verdict)
    assert strictest(Verdict) is Verdict.ABSTAIN
    assert strictest([]) is Verdict.PROCEED


RULES = st.one_of(
    st.builds(
        Always,
        verdict=HOLDS,
        tools=st.lists(st.sampled_from(["look", "save", "drop"])).map(tuple),
        tiers=st.lists(TIERS).map(tuple),
    ),
    st.builds(
        CostTarget,
        st.builds(Costs, abstained=st.floats(0, 50), check_caught=st.none() | st.floats(0, 1)),
    ),
    st.builds(RiskTarget, st.just(0.05), otherwise=HOLDS, uncertified=VERDICTS),
)


def distinct(rules: list[AnyRule]) -> list[AnyRule]:
    once = {rule.type: rule for rule in rules if rule.type != "always"}
    return [rule for rule in rules if rule.type == "always" or once[rule.type] is rule]


@given(
    rules=st.lists(RULES, min_size=1, max_size=4).map(distinct),
    certify=st.booleans(),
    value=st.none() | st.floats(0, 1) | st.just(math.nan),
    names=st.lists(st.sampled_from(["look", "save", "drop", "unknown_thing"]), max_size=4),
    without=VERDICTS,
    max_checks=st.integers(0, 2),
    after=st.sampled_from([Verdict.ESCALATE, Verdict.ABSTAIN]),
    checks=st.integers(0, 2),
)
def test_the_strictest_ruling_wins(
    rules: list[AnyRule],
    certify: bool,
    value: float | None,
    names: list[str],
    without: Verdict,
    max_checks: int,
    after: Verdict,
    checks: int,
) -> None:
    make = gated if certify else Policy.of
    policy = make(*rules, without_score=without, max_checks=max_checks, after_checks=after)
    turn = turn_of(value, *names, checks=checks)
    missing = value is None or math.isnan(value)

    def expected(name: str | None) -> Verdict:
        tier: Tier = {"look": "read_only", "drop": "destructive", None: "answer"}.get(name, "write")
        found = [without] if missing and tier != "read_only" else []
        for rule in policy.rules:
            if isinstance(rule, Always):
                found += [rule.verdict] * (name in rule.tools or tier in rule.tiers)
            elif not missing and value is not None and tier != "read_only":
                subject = policy.rulings(turn)[names.index(name) if name else 0][0]
                found.append(rule.rule(turn, subject, value).verdict)
        worst = strictest(found)
        return after if worst is Verdict.VERIFY and checks >= max_checks else worst

    wanted = [expected(name) for name in names] if names else [expected(None)]
    assert decided(policy, turn) == [verdict.value for verdict in wanted]
    escalates = Verdict.ESCALATE in wanted
    assert policy.may_escalate or not escalates


def test_the_reason_is_that_of_the_strictest_rule() -> None:
    policy = gated(target(), Always(tiers=("destructive",), verdict=Verdict.ABSTAIN))
    first, second = policy.decide(turn_of(0.2, "save", "drop"), MemoryLedger()).decisions
    assert (first.by, second.by) == ("risk_target", "always")
    assert first.threshold == 0.8
    assert second.reason == "destructive steps are always held up"


def test_reading_flows_and_says_so() -> None:
    decision = gated(target()).decide(turn_of(0.01, "look"), MemoryLedger()).decisions[0]
    assert decision.verdict is Verdict.PROCEED
    assert decision.reason == "read_only steps are not gated"


def test_what_always_has_to_ask_asks_though_it_only_reads() -> None:
    policy = gated(target(), Always(tools=("look",)))
    for value in (0.99, None, math.nan):
        assert decided(policy, turn_of(value, "look")) == ["escalate"]


@pytest.mark.parametrize("value", [None, math.nan, math.inf, -0.1, 1.1])
def test_without_a_usable_score_the_chosen_verdict_falls(value: float | None) -> None:
    policy = gated(target(), without_score="abstain")
    turn = turn_of(value, "look", "save", missing="the calibrator is VOID")
    both = policy.decide(turn, MemoryLedger())
    assert [d.verdict.value for d in both.decisions] == ["proceed", "abstain"]
    said = both.decisions[1]
    assert said.by == "without_score"
    assert ("VOID" if value is None else repr(value)) in said.reason
    assert said.confidence is None
    assert both.confidence is None


def test_the_chosen_verdict_may_be_to_proceed_and_it_says_why() -> None:
    said = gated(target(), without_score="proceed").decide(turn_of(None, "save"), MemoryLedger())
    assert said.verdict is Verdict.PROCEED
    assert said.decisions[0].reason.startswith("no confidence: ")


def test_after_so_many_checks_something_else_is_done() -> None:
    policy = gated(target(otherwise="verify"), max_checks=2, after_checks="abstain")
    for checks, verdict in [(0, "verify"), (1, "verify"), (2, "abstain"), (3, "abstain")]:
        assert decided(policy, turn_of(0.1, "save", checks=checks)) == [verdict]
    said = policy.decide(turn_of(0.1, "save", checks=2), MemoryLedger()).decisions[0]
    assert said.reason.startswith("checked 2 times already; P(success) 0.100")


def test_a_changed_policy_has_no_certificate_any_more() -> None:
    policy = gated(target(uncertified="abstain"))
    turn = turn_of(0.95, "save")
    assert decided(policy, turn) == ["proceed"]
    for changed in (
        policy.with_(tiers=Tiers(tools={"save": "destructive"})),
        policy.with_(gated=("write",)),
        policy.with_(rules=(*policy.rules, Always(tools=("drop",)))),
        policy.with_(without_score="proceed"),
        policy.model_copy(update={"gated": ("write",)}),
    ):
        assert changed.outdated
        assert decided(changed, turn) == ["abstain"]
        assert "changed after" in changed.decide(turn, MemoryLedger()).decisions[0].reason


def test_what_no_promise_rests_on_may_change() -> None:
    policy = gated(target())
    for same in (
        policy.enforce(),
        policy.with_(budget=ReviewBudget(0.5)),
        policy.with_(max_checks=3, after_checks="abstain"),
    ):
        assert not same.outdated
        assert same.fingerprint != policy.fingerprint
        assert decided(same, turn_of(0.9, "save")) == ["proceed"]


def test_a_copy_forgets_what_was_computed_before() -> None:
    policy = gated(target())
    before = policy.fingerprint, policy.composed
    changed = policy.model_copy(update={"gated": ("write",)})
    assert changed.fingerprint != before[0]
    assert changed.composed != before[1]
    with pytest.raises(ConfigError):
        policy.model_copy(update={"gated": ("nothing",)})


@pytest.mark.parametrize("mode", ["shadow", "enforce"])
def test_only_an_enforced_verdict_acts(mode: Any) -> None:
    policy = gated(target(), mode=mode)
    held, free = (policy.decide(turn_of(v, "look", "save"), MemoryLedger()) for v in (0.1, 0.9))
    assert held.verdict is Verdict.ESCALATE
    assert held.acts == (mode == "enforce")
    assert not free.acts
    assert {d.mode for d in held.decisions} == {mode}


@pytest.mark.parametrize(
    ("parts", "fields", "why"),
    [
        ((), {}, "needs a rule"),
        ((ReviewBudget(0.1),), {}, "needs a rule"),
        ((RiskTarget(0.1), RiskTarget(0.2)), {}, "RiskTarget"),
        ((Always(), ReviewBudget(0.1), ReviewBudget(0.2)), {}, "one ReviewBudget"),
        ((Always(),), {"mode": "live"}, "mode"),
        ((Always(),), {"after_checks": "verify"}, "another check"),
        ((Always(),), {"after_checks": "proceed", "max_checks": 0}, "let pass"),
        ((Always(),), {"max_checks": -1}, "max_checks"),
        ((Always(),), {"gate": ()}, "gate"),
    ],
)
def test_parts_that_do_not_fit_are_refused(
    parts: tuple[Any, ...], fields: dict[str, Any], why: str
) -> None:
    with pytest.raises(ConfigError, match=why):
        Policy.of(*parts, **fields)


@pytest.mark.parametrize(
    ("policy", "may"),
    [
        (Policy.of(Always(verdict=Verdict.ABSTAIN), without_score="abstain"), False),
        (Policy.of(Always(verdict=Verdict.ABSTAIN)), True),
        (Policy.of(Always(), without_score="abstain"), True),
        (Policy.of(Always(verdict=Verdict.VERIFY), without_score="abstain"), True),
        (
            Policy.of(
                Always(verdict=Verdict.VERIFY), without_score="abstain", after_checks="abstain"
            ),
            False,
        ),
        (Policy.of(RiskTarget(0.1, otherwise="verify"), without_score="abstain"), True),
        (Policy.of(CostTarget(), without_score="abstain"), True),
    ],
)
def test_it_knows_whether_anybody_may_be_asked(policy: Policy, may: bool) -> None:
    assert policy.may_escalate is may


def test_tiers_come_from_what_is_said_then_declared_then_guessed() -> None:
    tiers = Tiers(tools={"save": "destructive"})
    assert tiers.of("save", WRITES) == "destructive"
    assert tiers.of("drop", DESTROYS) == "destructive"
    assert tiers.of("look", READS) == "read_only"
    assert tiers.of("search_flights") == "read_only"
    assert Tiers(trust_names=False).of("search_flights") == "write"
    assert tiers.of("zzz_unheard_of") == "write"
    assert tiers.of("delete_order", DESTROYS.model_copy(update={"read_only": True})) != "read_only"


def test_the_key_is_about_the_words_and_the_place() -> None:
    base = ("run", 3, 0, "save", {"a": 1, "b": [1, 2]})
    assert decision_key(*base) == decision_key("run", 3, 0, "save", {"b": [1, 2], "a": 1})
    others = [
        ("other", 3, 0, "save", {"a": 1, "b": [1, 2]}),
        ("run", 4, 0, "save", {"a": 1, "b": [1, 2]}),
        ("run", 3, 1, "save", {"a": 1, "b": [1, 2]}),
        ("run", 3, 0, "drop", {"a": 1, "b": [1, 2]}),
        ("run", 3, 0, "save", {"a": 1, "b": [2, 1]}),
        ("run", 3, 0, "save", '{"a": 1, "b": [1, 2]}'),
        ("run", 3, 0, "save", None),
    ]
    keys = {decision_key(*fields) for fields in [base, *others]}
    assert len(keys) == len(others) + 1


def test_calls_without_ids_or_with_the_same_get_keys_of_their_own() -> None:
    turn = GatedTurn("run", 1, sure(0.9), (call("save"), call("save"), call("look")))
    keys = [d.key for d in gated(target()).decide(turn, MemoryLedger()).decisions]
    assert len(set(keys)) == 3


def test_arguments_that_did_not_parse_count_by_their_text() -> None:
    def key(raw: str) -> str:
        turn = GatedTurn("run", 1, sure(0.9), (ProposedCall("save", None, raw_arguments=raw),))
        return gated(target()).decide(turn, MemoryLedger()).decisions[0].key

    assert key("{bad") != key("{worse")


@given(value=st.none() | st.floats(0, 1), names=st.lists(st.text(max_size=5), max_size=3))
def test_decisions_come_back_from_json(value: float | None, names: list[str]) -> None:
    both = gated(target(), Always(tools=("a",))).decide(turn_of(value, *names), MemoryLedger())
    assert TurnDecision.model_validate_json(both.model_dump_json()) == both
    for decision in both.decisions:
        plain = json.loads(json.dumps(decision.model_dump(mode="json"), allow_nan=False))
        assert Decision.model_validate(plain) == decision
        assert decision.turn == 1
        assert both.decisions[decision.index] == decision


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf])
def test_a_confidence_that_is_no_number_comes_back_as_it_was(odd: float) -> None:
    """Of a calibrator of one's own, say; only a value like that is taken for a missing score."""
    scored = GatedTurn("run", 1, sure(0.4, support=odd), (call("save"),))
    both = gated(target()).decide(scored, MemoryLedger())
    (decision,) = both.decisions
    assert decision.confidence is not None
    text = both.model_dump_json()
    again = TurnDecision.model_validate_json(text)
    assert repr(again.decisions[0].confidence) == repr(decision.confidence)
    assert again.model_dump_json() == text
    text = decision.model_copy(update={"confidence": sure(odd), "threshold": odd}).model_dump_json()
    for one in (Decision.model_validate_json(text), Decision.model_validate(json.loads(text))):
        assert repr((one.confidence, one.threshold)) == repr((sure(odd), odd))
    json.dumps(json.loads(text), allow_nan=False)


def test_a_recorded_run_is_walked_as_a_live_one_would_be() -> None:
    run = Trajectory(
        run_id="run",
        agent="ann",
        model="small",
        tools=list(OFFERED.values()),
        steps=[
            Step(tool_calls=[ToolCall(name="look"), ToolCall(name="save", arguments={"a": 1})]),
            Step(text="done"),
        ],
        started_at=AT,
    )
    scores = [sure(0.9), sure(0.3, 2, kind="answer_turn")]
    first, last = turns_of(run, scores)
    assert (first.trail, last.trail) == ((), (scores[0],))
    assert (first.turn, last.turn, last.answer) == (1, 2, "done")
    policy = gated(target())
    walked = list(walk(policy, run, scores, MemoryLedger()))
    assert [[d.verdict.value for d in t.decisions] for t in walked] == [
        ["proceed", "proceed"],
        ["escalate"],
    ]
    live = GatedTurn(
        "run", 1, scores[0], (call("look"), call("save", a=1)), agent="ann", model="small"
    )
    assert walked[0] == policy.decide(live, MemoryLedger(), at=AT)


def test_a_reply_that_a_gate_did_not_take_for_an_answer_meets_no_policy() -> None:
    """A plan goes on to another node: a gate lets it through, and so does what is certified."""
    plan, pay, done = (
        Step(text="A plan."),
        Step(tool_calls=[ToolCall(name="save")]),
        Step(text="ok"),
    )
    run = Trajectory(run_id="run", steps=[plan, pay, done])
    scores = [sure(0.1), sure(0.8, 2), sure(0.9, 3)]
    assert meets_gate(run) == [True] * 3, "nobody knows better of a run without a gate"
    gated_run = run.model_copy(
        update={"steps": [plan, pay, done.model_copy(update={"decided": True})]}
    )
    assert meets_gate(gated_run) == [False, True, True]
    met = list(turns_of(gated_run, scores))
    assert [turn.turn for turn in met] == [2, 3]
    assert met[0].trail == (scores[0],), "an alarm has heard of it"
    assert not gated_run.prefix(3).steps[-1].decided, "the decision comes after the proposal"


def test_a_policy_is_read_by_people() -> None:
    policy = gated(target(margins={"destructive": 1.0}), ReviewBudget(0.05), CostTarget())
    shown = str(policy)
    for part in ("at most 5.0% fail", "destructive +1", "0.800", "asks about at most 5.0%", "drop"):
        assert part in shown
    assert "OUTDATED" not in shown
    assert "OUTDATED" in str(policy.with_(gated=("write",)))
    assert "no certificate was made" in str(Policy.of(RiskTarget(0.05)))
