"""Requests are what LangChain's reviewers know; answers are read as they stand or not at all."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain.agents.middleware.human_in_the_loop import HITLRequest
from langchain_core.messages import ToolCall
from pydantic import TypeAdapter

from agentcal import AgentcalError, Confidence
from agentcal.policy import Decision, Verdict
from agentcal_langgraph.building import ReviewError, answers_in, as_call, review_request

SURE = Confidence(0.4, 0.2, 0.6, 0.1, 0.5, True, "tool_turn", 1, "f" * 16)


def decided(tool: str | None = "transfer", **more: Any) -> Decision:
    fields: dict[str, Any] = {
        "key": "r/1/0/x",
        "verdict": Verdict.ESCALATE,
        "reason": "0.40 is below 0.90",
        "by": "risk_target",
        "mode": "enforce",
        "tool": tool,
        "tier": "write" if tool else "answer",
        "confidence": SURE,
        "threshold": 0.9,
        "certificate": None,
        "policy": "p" * 16,
        "at": datetime(2026, 1, 1, tzinfo=UTC),
    }
    return Decision(**{**fields, **more})


def proposed(name: str = "transfer", **args: Any) -> ToolCall:
    return ToolCall(name=name, args=args, id="c1", type="tool_call")


PENDING = [(proposed(amount=5), decided()), (proposed("send", to="bob"), decided("send"))]


def read(*decisions: Any) -> list[tuple[Any, ...]]:
    return [tuple(a) for a in answers_in({"decisions": list(decisions)}, PENDING[: len(decisions)])]


def test_the_request_is_a_hitl_request() -> None:
    request = review_request(PENDING)
    assert request == json.loads(json.dumps(request))
    assert TypeAdapter(HITLRequest).validate_python(request) == request
    assert set(request) == set(get_type_hints(HITLRequest))
    assert [a["name"] for a in request["action_requests"]] == ["transfer", "send"]
    assert [a["args"] for a in request["action_requests"]] == [{"amount": 5}, {"to": "bob"}]
    described = request["action_requests"][0]["description"]
    assert "0.40 [0.20, 0.60]" in described
    assert "0.40 is below 0.90" in described


def test_without_a_score_the_request_says_so() -> None:
    request = review_request([(proposed(), decided(confidence=None, reason="no score"))])
    assert "No confidence" in request["action_requests"][0]["description"]


def test_what_was_wrong_is_said_when_asked_again() -> None:
    request = review_request(PENDING, problem="1 decisions for 2 requests")
    assert all("1 decisions for 2" in a["description"] for a in request["action_requests"])


def test_an_answer_to_the_user_can_be_approved_rejected_or_replaced() -> None:
    pending = [(as_call("all paid"), decided(None))]
    request = review_request(pending)
    assert request["action_requests"][0]["args"] == {"text": "all paid"}
    assert request["review_configs"][0]["allowed_decisions"] == ["approve", "reject", "respond"]
    with pytest.raises(ReviewError, match="approve, reject, respond"):
        answers_in({"decisions": [{"type": "edit", "edited_action": {}}]}, pending)


def test_every_kind_of_decision() -> None:
    edit = {"type": "edit", "edited_action": {"name": "send", "args": {"to": "eve"}}}
    assert read({"type": "approve"}, edit) == [
        ("approve", "transfer", {"amount": 5}, ""),
        ("edit", "send", {"to": "eve"}, ""),
    ]
    assert read({"type": "reject"}, {"type": "respond", "message": "done by hand"}) == [
        ("reject", "transfer", {"amount": 5}, ""),
        ("respond", "send", {"to": "bob"}, "done by hand"),
    ]
    assert read({"type": "reject", "message": "too much"})[0][3] == "too much"


def test_the_agent_inbox_is_understood() -> None:
    answers = answers_in(
        [
            {"type": "accept", "args": None},
            {"type": "edit", "args": {"action": "send", "args": {"to": "eve"}}},
        ],
        PENDING,
    )
    assert [a.type for a in answers] == ["approve", "edit"]
    assert answers[1].args == {"to": "eve"}
    others = [{"type": "ignore", "args": None}, {"type": "response", "args": "by hand"}]
    answers = answers_in(others, PENDING)
    assert [(a.type, a.message) for a in answers] == [("reject", ""), ("respond", "by hand")]


@pytest.mark.parametrize(
    ("decisions", "problem"),
    [
        (None, "no decisions"),
        ("approve", "no decisions"),
        ({"type": "approve"}, "no decisions"),
        ([], "0 decisions for 2 requests"),
        ([{"type": "approve"}] * 3, "3 decisions for 2"),
        (["approve", "approve"], "decision 1 has no known type"),
        ([{"type": "approve"}, {"type": "yes"}], "decision 2 has no known type"),
        ([{"type": ["approve"]}, {"type": "approve"}], "decision 1 has no known type"),
        ([{"type": "respond"}, {"type": "approve"}], 'decision 1 .respond.: "message"'),
        ([{"type": "reject", "message": 3}, {"type": "approve"}], '"message" has to be text'),
        ([{"type": "approve"}, {"type": "edit"}], "decision 2 .edit."),
        ([{"type": "edit", "edited_action": {"name": "x"}}, {"type": "approve"}], "1 .edit."),
        (
            [{"type": "edit", "edited_action": {"name": "", "args": {}}}, {"type": "approve"}],
            "1 .edit.",
        ),
        (
            [{"type": "edit", "edited_action": {"name": "x", "args": {"a": {1}}}}] * 2,
            "1 .edit.",
        ),
        (
            [{"type": "edit", "edited_action": {"name": "x", "args": {"a": float("nan")}}}] * 2,
            "1 .edit.",
        ),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(decisions: Any, problem: str) -> None:
    with pytest.raises(ReviewError, match=problem) as caught:
        answers_in(decisions, PENDING)
    assert isinstance(caught.value, AgentcalError)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(_JSON | st.lists(st.fixed_dictionaries({"type": st.sampled_from(["edit", "reject", "x"])})))
def test_nothing_but_a_review_error_is_ever_raised(answer: Any) -> None:
    try:
        found = answers_in(answer, PENDING)
    except ReviewError:
        return
    assert len(found) == len(PENDING)
