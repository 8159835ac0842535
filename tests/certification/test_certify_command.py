"""`agentcal certify`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import agentcal as ac
from agentcal.certification import read_draft
from agentcal.errors import ArtefactError, ConfigError
from agentcal.policy import Always, Policy, RiskTarget
from tests.cli.conftest import Files
from tests.commands import Command

HAND = {
    "rules": [
        {"type": "risk_target", "max_failure_rate": 0.6, "confidence": 0.8},
        {"type": "always", "tiers": ["destructive"]},
    ],
    "gated": ["answer", "destructive", "read_only", "write"],
    "tiers": {"tools": {"calculator": "read_only"}},
}


@pytest.fixture
def hand(tmp_path: Path) -> Path:
    """A policy as somebody would write it; so lax that a few runs can certify it."""
    (tmp_path / "hand.json").write_text(json.dumps(HAND), encoding="utf-8")
    return tmp_path / "hand.json"


def test_a_policy_written_by_hand_is_certified(
    files: Files, agentcal: Command, hand: Path, tmp_path: Path
) -> None:
    out = tmp_path / "policy.json"
    done = agentcal("certify", files.model, hand, files.test, "--out", out)
    assert done.code == 0, done.err
    policy = Policy.load(out)
    assert policy.certificate is not None
    assert policy.certificate.threshold is not None
    assert done.out.startswith(str(policy))
    assert f"agentcal replay MODEL {out}" in done.out.replace("\n", " ")
    calibrator = ac.Calibrator.load(files.model)
    assert policy.certificate.scope.calibrator == calibrator.fingerprint
    runs = ac.load(files.test, progress=False)
    again = ac.certify(Policy.from_fields(HAND), calibrator, runs, progress=False)
    assert again.certificate is not None
    assert again.certificate.result == policy.certificate.result
    assert again.composed == policy.composed


def test_runs_of_the_fit_are_left_out_and_told(
    files: Files, agentcal: Command, hand: Path, tmp_path: Path
) -> None:
    one, two = tmp_path / "one.json", tmp_path / "two.json"
    assert agentcal("certify", files.model, hand, files.test, "-o", one).code == 0
    done = agentcal("certify", files.model, hand, files.train, files.test, "-o", two)
    assert done.code == 0
    assert "learnt from by the calibrator" in done.out
    assert "learnt from by the calibrator, such as" in done.err
    first, second = Policy.load(one).certificate, Policy.load(two).certificate
    assert first is not None
    assert second is not None
    assert second.result == first.result
    assert second.left_out == {
        "learnt from by the calibrator": len(list(ac.load(files.train, progress=False)))
    }


def test_a_saved_policy_is_certified_again(
    files: Files, agentcal: Command, hand: Path, tmp_path: Path
) -> None:
    one, two = tmp_path / "one.json", tmp_path / "two.json"
    assert agentcal("certify", files.model, hand, files.test, "-o", one).code == 0
    assert agentcal("certify", files.model, one, files.test, "-o", two).code == 0
    first, second = Policy.load(one).certificate, Policy.load(two).certificate
    assert first is not None
    assert second is not None
    assert first.result == second.result


def test_options_make_a_policy_and_json_is_all_there_is(
    files: Files, agentcal: Command, tmp_path: Path
) -> None:
    out = tmp_path / "policy.json"
    done = agentcal(
        "certify",
        files.model,
        files.test,
        *("--max-failure-rate", 0.02, "--confidence", 0.9, "--review-share", 0.1),
        *("--out", out, "--json"),
    )
    assert done.code == 1, "nothing can be certified at 2%"
    told = json.loads(done.out)
    policy = Policy.load(out)
    assert told["certified"] is False
    assert told["fingerprint"] == policy.fingerprint
    assert told["certificate"]["result"]["max_failure_rate"] == 0.02
    assert policy.certificate is not None
    assert policy.certificate.threshold is None
    assert (policy.risk_target, policy.budget) != (None, None)
    assert policy.risk_target is not None
    assert policy.risk_target.confidence == 0.9
    assert policy.budget is not None
    assert policy.budget.share == 0.1


def test_not_certified_is_said_and_ends_with_1(
    files: Files, agentcal: Command, tmp_path: Path
) -> None:
    out = tmp_path / "policy.json"
    done = agentcal("certify", files.model, files.test, "--max-failure-rate", 0.02, "--out", out)
    assert done.code == 1
    assert "not certified: " in done.out
    assert out.exists()


@pytest.mark.parametrize(
    ("arguments", "code", "why"),
    [
        (["MODEL", "TEST"], 2, "give POLICY and RUNS"),
        (["MODEL"], 2, "RUNS"),
        (["MODEL", "HAND", "TEST", "--confidence", "0.9"], 2, "--confidence"),
        (["MODEL", "HAND", "TEST", "--review-share", "0.9"], 2, "--review-share"),
        (["MODEL", "TEST", "--max-failure-rate", "5"], 1, "max_failure_rate"),
        (["MODEL", "TEST", "--max-failure-rate", "nan"], 1, "max_failure_rate"),
        (["MODEL", "TEST", "--max-failure-rate", "much"], 2, "--max-failure-rate"),
        (["MODEL", "TEST", "--false-alarm-rate", "0"], 1, "false_alarm_rate"),
        (["MODEL", "missing.json", "TEST"], 1, "missing.json"),
        (["MODEL", "MODEL", "TEST"], 1, "not a policy"),
        (["MODEL", "TEST", "TEST"], 1, "not a policy"),
        (["MODEL", "HAND", "missing.jsonl"], 1, "missing.jsonl"),
        (["missing.json", "HAND", "TEST"], 1, "missing.json"),
        (["HAND", "HAND", "TEST"], 1, "not a calibrator"),
        (["MODEL", "HAND", "TEST", "--success-at", "0"], 1, "success_at"),
        (["MODEL", "HAND", "TEST", "--group", "day"], 2, "day"),
        (["MODEL", "HAND", "TRAIN"], 1, "learnt from by the calibrator"),
    ],
)
def test_wrong_input_is_told_in_a_line(
    files: Files,
    agentcal: Command,
    hand: Path,
    tmp_path: Path,
    arguments: list[str],
    code: int,
    why: str,
) -> None:
    names = {"MODEL": files.model, "TEST": files.test, "TRAIN": files.train, "HAND": hand}
    out = tmp_path / "policy.json"
    done = agentcal("certify", *(names.get(a, a) for a in arguments), "--out", out)
    assert done.code == code
    assert why in done.err
    assert "Traceback" not in done.err
    assert done.out == ""
    assert not out.exists()


@pytest.mark.parametrize("where", ["", "nowhere/policy.json"])
def test_a_place_that_cannot_be_written_is_refused_first(
    files: Files, agentcal: Command, hand: Path, tmp_path: Path, where: str
) -> None:
    done = agentcal("certify", "missing.json", hand, files.test, "--out", tmp_path / where)
    assert done.code == 1
    assert "missing.json" not in done.err


def test_where_it_goes_has_to_be_said(files: Files, agentcal: Command, hand: Path) -> None:
    done = agentcal("certify", files.model, hand, files.test)
    assert done.code == 2
    assert "--output" in done.err


def test_a_draft_is_the_fields_of_a_policy(hand: Path) -> None:
    policy = read_draft(hand)
    assert policy == Policy.of(
        RiskTarget(0.6, 0.8),
        Always(tiers=("destructive",)),
        gated=("answer", "destructive", "read_only", "write"),
        tiers={"tools": {"calculator": "read_only"}},
    )
    with pytest.raises(ArtefactError, match="not a policy"):
        Policy.load(hand)


def test_a_draft_may_be_a_saved_policy_that_nobody_changed(hand: Path) -> None:
    saved = hand.with_name("saved.json")
    read_draft(hand).save(saved)
    assert read_draft(saved) == read_draft(hand)
    saved.write_text(saved.read_text().replace("0.6", "0.7"))
    with pytest.raises(ArtefactError, match="digest"):
        read_draft(saved)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "not JSON"),
        ("[]", "policy"),
        ("{}", "rules"),
        ('{"rules": []}', "needs a rule"),
        ('{"rules": [{"type": "risk_target"}]}', "max_failure_rate"),
        ('{"rules": [{"type": "always"}], "colour": 1}', "colour"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_a_draft_that_is_none_says_what_is_wrong(tmp_path: Path, content: str, why: str) -> None:
    (tmp_path / "draft.json").write_text(content)
    with pytest.raises((ArtefactError, ConfigError), match=why) as caught:
        read_draft(tmp_path / "draft.json")
    assert "draft.json" in str(caught.value)


def test_a_missing_draft_says_so(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match="cannot read the policy"):
        read_draft(tmp_path / "nowhere.json")


def test_help_names_the_command(agentcal: Command) -> None:
    done: Any = agentcal("--help")
    assert "certify" in done.out
