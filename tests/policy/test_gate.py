"""The gate: whatever breaks, it answers, says so, and lets nothing pass in silence."""

from __future__ import annotations

import logging
import math
import sqlite3
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentcal.errors import ConfigError
from agentcal.policy import (
    Always,
    CostTarget,
    Gate,
    GatedTurn,
    Policy,
    ProposedCall,
    Request,
    ReviewBudget,
    RiskTarget,
    SqliteLedger,
    Tiers,
    Verdict,
)

from .worlds import OFFERED, call, gated, sure, target, turn_of

HOLDS = st.sampled_from([v for v in Verdict if v is not Verdict.PROCEED])


class Broken:
    """A ledger that cannot be reached."""

    def grant(self, budget: ReviewBudget, requests: Sequence[Request]) -> list[bool]:
        raise sqlite3.OperationalError("unable to open database file")


class Short:
    """A ledger that does not answer every question."""

    def grant(self, budget: ReviewBudget, requests: Sequence[Request]) -> list[bool]:
        return [True] * (len(requests) - 1)


def explode(*_: Any, **__: Any) -> Any:
    raise ZeroDivisionError("the arguments of a user stand here")


@pytest.mark.parametrize("wrong", [None, "policy.json", {"rules": []}, ReviewBudget])
def test_what_is_no_policy_is_refused(wrong: Any) -> None:
    with pytest.raises(ConfigError, match=r"Policy\.load"):
        Gate(wrong)


def test_a_rule_alone_is_a_policy_in_shadow() -> None:
    decision = Gate(RiskTarget(0.05)).decide(turn_of(0.99, "save"))
    assert decision.verdict is Verdict.ESCALATE
    assert not decision.acts


def test_a_rule_that_fails_counts_as_no_score(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(RiskTarget, "rule", explode)
    gate = Gate(gated(target(), without_score="abstain"))
    said = gate.decide(turn_of(0.99, "look", "save")).decisions
    assert [d.verdict.value for d in said] == ["proceed", "abstain"]
    assert said[1].reason == "a rule failed: ZeroDivisionError"
    assert said[1].by == "without_score"
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert "run run, turn 1" in record.getMessage()
    assert "test_gate.py" in record.getMessage()
    assert "arguments of a user" not in caplog.text


def test_the_other_rules_still_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RiskTarget, "rule", explode)
    always = Always(tools=("look",), tiers=("destructive",), verdict=Verdict.ABSTAIN)
    gate = Gate(gated(target(), always, without_score="proceed"))
    said = gate.decide(turn_of(0.99, "look", "save", "drop")).decisions
    assert [d.verdict.value for d in said] == ["abstain", "proceed", "abstain"]


@pytest.mark.parametrize("ledger", [Broken(), Short()])
@pytest.mark.parametrize("spent", ["abstain", "verify"])
def test_where_nobody_can_count_nobody_is_asked(
    ledger: Any, spent: Any, caplog: pytest.LogCaptureFixture
) -> None:
    gate = Gate(gated(target(), ReviewBudget(0.5, spent=spent)), ledger=ledger)
    said = gate.decide(turn_of(0.1, "look", "save")).decisions
    assert [d.verdict.value for d in said] == ["proceed", spent]
    assert said[1].by == "review_budget"
    assert "could not be counted" in said[1].reason
    assert "could not be counted" in caplog.text
    assert gate.decide(turn_of(0.9, "save")).verdict is Verdict.PROCEED


def test_a_ledger_file_that_was_ruined_closes_the_gate(tmp_path: Path) -> None:
    gate = Gate(gated(target(), ReviewBudget(1.0)), ledger=SqliteLedger(tmp_path / "budget.db"))
    assert gate.decide(turn_of(0.1, "save")).verdict is Verdict.ESCALATE
    for file in tmp_path.iterdir():
        file.write_bytes(b"rubbish " * 4096)
    said = gate.decide(turn_of(0.1, "drop")).decisions[0]
    assert said.verdict is Verdict.ABSTAIN
    assert "could not be counted" in said.reason


def test_a_spent_budget_verifies_only_while_there_are_checks() -> None:
    gate = Gate(gated(target(), ReviewBudget(0.5, spent="verify")), ledger=Broken())
    assert gate.decide(turn_of(0.1, "save")).verdict is Verdict.VERIFY
    assert gate.decide(turn_of(0.1, "save", checks=1)).verdict is Verdict.ABSTAIN


def test_a_turn_that_cannot_be_read_is_held_up_whole(caplog: pytest.LogCaptureFixture) -> None:
    ring: dict[str, Any] = {}
    ring["again"] = ring
    calls = (call("look"), ProposedCall("save", ring))
    gate = Gate(gated(target(), without_score="abstain"))
    first, second = (gate.decide(GatedTurn("run", 2, sure(0.99), calls)) for _ in range(2))
    assert [d.verdict.value for d in first.decisions] == ["abstain", "abstain"]
    assert first.turn == 2
    assert "could not be read" in first.decisions[0].reason
    assert "could not be read" in caplog.text
    assert not {d.key for d in first.decisions} & {d.key for d in second.decisions}


def test_an_unreadable_turn_asks_nobody_past_the_budget() -> None:
    gate = Gate(gated(target(), ReviewBudget(0.5)))
    said = gate.decide(GatedTurn("run", 1, sure(0.9), (ProposedCall("save", {1: 1, "a": 2}),)))
    assert said.verdict is Verdict.ABSTAIN
    assert said.decisions[0].by == "review_budget"


def test_a_log_handler_that_fails_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging.getLogger("agentcal.policy"), "error", explode)
    gate = Gate(gated(target(), ReviewBudget(0.5)), ledger=Broken())
    assert gate.decide(turn_of(0.1, "save")).verdict is Verdict.ABSTAIN


CONFIDENCES = st.none() | st.builds(
    sure,
    st.floats(allow_nan=True, allow_infinity=True),
    support=st.floats(allow_nan=True),
    fingerprint=st.sampled_from(["c" * 16, "another"]),
)
ARGUMENTS = st.none() | st.dictionaries(
    st.text(max_size=3),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3),
        max_leaves=5,
    ),
    max_size=3,
)
TURNS = st.builds(
    GatedTurn,
    run_id=st.text(max_size=8),
    turn=st.integers(1, 10**6),
    confidence=CONFIDENCES,
    calls=st.lists(
        st.builds(
            ProposedCall,
            name=st.sampled_from([*OFFERED, "", "zzz"]) | st.text(max_size=8),
            arguments=ARGUMENTS,
            declared=st.none() | st.sampled_from(list(OFFERED.values())),
            raw_arguments=st.none() | st.text(max_size=5),
        ),
        max_size=4,
    ).map(tuple),
    trail=st.lists(CONFIDENCES, max_size=4).map(tuple),
    checks=st.integers(0, 3),
    answer=st.text(max_size=5),
    agent=st.none() | st.text(max_size=3),
    model=st.none() | st.just("small"),
)
BREAKS = st.sampled_from(["", "rule", "ledger", "tiers", "both"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(turn=TURNS, without=HOLDS, breaks=BREAKS, checks=st.integers(0, 2), data=st.data())
def test_it_never_raises_and_never_waves_through(
    turn: GatedTurn,
    without: Verdict,
    breaks: str,
    checks: int,
    data: st.DataObject,
) -> None:
    parts = [target(), *data.draw(st.sampled_from([[], [CostTarget()], [ReviewBudget(0.1)]]))]
    policy = gated(*parts, without_score=without, max_checks=checks)
    with pytest.MonkeyPatch.context() as patch:
        if breaks in ("rule", "both"):
            patch.setattr(RiskTarget, "rule", explode)
        if breaks in ("tiers", "both"):
            patch.setattr(Tiers, "of", explode)
        gate = Gate(policy, ledger=Broken() if breaks in ("ledger", "both") else None)
        decision = gate.decide(turn)
    assert len(decision.decisions) == max(1, len(turn.calls))
    assert [d.tool for d in decision.decisions] == [c.name for c in turn.calls] or not turn.calls
    value = turn.confidence.value if turn.confidence is not None else math.nan
    usable = 0 <= value <= 1 and turn.model == "small" and turn.agent == "ann"
    for made in decision.decisions:
        if made.tier in policy.gated and (breaks not in ("", "ledger") or not usable):
            assert made.verdict is not Verdict.PROCEED
        assert made.reason
        if breaks == "both" and any(isinstance(p, ReviewBudget) for p in parts):
            assert made.verdict is not Verdict.ESCALATE


def test_one_gate_serves_many_threads() -> None:
    gate = Gate(gated(target(), ReviewBudget(0.1, 50)))
    turns = [turn_of(0.1, "save", run_id=f"run {n % 25}", turn=n) for n in range(1, 401)]
    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(gate.decide, turns))
    asked = sum(d.verdict is Verdict.ESCALATE for turn in said for d in turn.decisions)
    assert 0 < asked <= 1 + 0.1 * len(turns)
    assert [gate.decide(turn).verdict for turn in turns] == [turn.verdict for turn in said]


def test_a_policy_by_itself_does_raise(monkeypatch: pytest.MonkeyPatch) -> None:
    policy: Policy = gated(target(), ReviewBudget(0.5))
    with pytest.raises(sqlite3.OperationalError):
        policy.decide(turn_of(0.1, "save"), Broken())
    monkeypatch.setattr(RiskTarget, "rule", explode)
    with pytest.raises(ZeroDivisionError):
        policy.decide(turn_of(0.1, "save"), Broken())
