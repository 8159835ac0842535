"""A policy's file: it comes back the same, or not at all and with a reason."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentcal.errors import AgentcalError, ArtefactError
from agentcal.policy import (
    Always,
    CostTarget,
    MemoryLedger,
    Policy,
    ReviewBudget,
    RiskTarget,
    Tiers,
    Verdict,
)

from .worlds import AT, gated, target, turn_of

KEY = b"a key of one's own"


def full(**fields: Any) -> Policy:
    return gated(
        target(margins={"destructive": 0.7, "answer": -0.1}),
        CostTarget(),
        Always(tools=("b", "a"), tiers=("destructive",)),
        ReviewBudget(0.05, spent="verify"),
        tiers=Tiers(tools={"drop": "destructive"}),
        **fields,
    )


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    full().save(tmp_path / "policy.json")
    return tmp_path / "policy.json"


def test_a_policy_comes_back_the_same(saved: Path) -> None:
    policy, again = full(), Policy.load(saved)
    assert again == policy
    assert (again.fingerprint, again.composed) == (policy.fingerprint, policy.composed)
    assert not again.outdated
    turn = turn_of(0.9, "look", "save", "drop")
    assert again.decide(turn, MemoryLedger(), at=AT) == policy.decide(turn, MemoryLedger(), at=AT)
    again.save(saved.with_name("again.json"))
    assert saved.with_name("again.json").read_bytes() == saved.read_bytes()


def test_sets_look_the_same_in_whatever_order_they_were_given() -> None:
    a, b = (Always(tools=tools, tiers=("write", "answer")) for tools in (("a", "b"), ("b", "a")))
    assert Policy.of(a).fingerprint == Policy.of(b).fingerprint
    assert Policy.of(a, gated=("write", "answer")) == Policy.of(b, gated=("answer", "write"))


def rewritten(path: Path, change: Callable[[dict[str, Any]], Any], *, sign: bool = False) -> Path:
    document = json.loads(path.read_text(encoding="utf-8"))
    change(document)
    if sign:
        body = json.dumps(document["body"], sort_keys=True, separators=(",", ":")).encode()
        document["sha256"] = hashlib.sha256(body).hexdigest()
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def lower(document: dict[str, Any]) -> None:
    document["body"]["rules"][0]["certificate"]["result"]["threshold"] = 0.01


def test_a_lowered_threshold_is_noticed(saved: Path) -> None:
    with pytest.raises(ArtefactError, match="does not match its digest"):
        Policy.load(rewritten(saved, lower))


def test_who_knows_the_digest_but_not_the_key_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "policy.json"
    full().save(path, key=KEY)
    assert Policy.load(path, key=KEY) == full()
    with pytest.raises(ArtefactError, match="another key"):
        Policy.load(path, key=b"somebody else's")
    with pytest.raises(ArtefactError, match="signature"):
        Policy.load(rewritten(path, lower, sign=True), key=KEY)


def test_the_signature_is_an_hmac_of_the_body(tmp_path: Path) -> None:
    full().save(tmp_path / "policy.json", key=KEY)
    document = json.loads((tmp_path / "policy.json").read_text())
    body = json.dumps(document["body"], sort_keys=True, separators=(",", ":")).encode()
    assert document["hmac_sha256"] == hmac.new(KEY, body, "sha256").hexdigest()
    assert document["format"] == "agentcal-policy"


def test_a_flipped_byte_is_noticed_wherever_it_is(saved: Path) -> None:
    content = saved.read_bytes()
    for at in range(20, len(content), len(content) // 40):
        flipped = bytearray(content)
        flipped[at] ^= 1
        saved.write_bytes(flipped)
        with pytest.raises(ArtefactError, match=r"policy\.json"):
            Policy.load(saved)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda d: d.update(format="agentcal-calibrator"), "not a policy"),
        (lambda d: d.update(schema_version=2), "schema version 2"),
        (lambda d: d["body"]["rules"][0].pop("max_failure_rate"), "max_failure_rate"),
        (lambda d: d["body"]["rules"][0].update(max_failure_rate=2), "max_failure_rate"),
        (lambda d: d["body"]["rules"][0].update(type="guess"), "guess"),
        (lambda d: d["body"].update(rules=[]), "needs a rule"),
        (lambda d: d["body"].update(colour="red"), "colour"),
        (lambda d: d.update(body=[]), "digest"),
    ],
)
def test_a_foreign_file_says_what_is_wrong(
    saved: Path, change: Callable[[dict[str, Any]], Any], why: str
) -> None:
    with pytest.raises(ArtefactError, match=why) as caught:
        Policy.load(rewritten(saved, change, sign=True))
    assert "policy.json" in str(caught.value)


def test_what_is_missing_or_no_json_says_so(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match="cannot read the policy"):
        Policy.load(tmp_path / "nowhere.json")
    (tmp_path / "cut.json").write_text('{"format": "agentcal-pol')
    with pytest.raises(ArtefactError, match="not JSON"):
        Policy.load(tmp_path / "cut.json")
    with pytest.raises(ArtefactError, match="cannot write the policy"):
        full().save(tmp_path / "nowhere" / "policy.json")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
PLACES = [("rules",), ("budget",), ("tiers",), ("gated",), ("mode",), ("without_score",)]
PLACES += [("rules", 0, key) for key in RiskTarget.model_fields]
PLACES += [("rules", 0, "certificate", key) for key in ("result", "scope", "success_at")]
PLACES += [("rules", 1, "costs", key) for key in ("wrong", "minute", "check_caught")]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.sampled_from(PLACES), junk=JSON)
def test_junk_in_any_field_is_a_policy_or_an_error_of_ours(
    place: tuple[str | int, ...], junk: Any
) -> None:
    body: Any = full().model_dump(mode="json")
    inner = body
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = junk
    try:
        policy = Policy.from_fields(body)
    except AgentcalError:
        return
    said = policy.decide(turn_of(0.9, "save"), MemoryLedger())
    assert policy.outdated or said.decisions[0].verdict in Verdict
