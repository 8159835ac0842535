"""Several agents, on runs whose values are worked out by hand."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import agentcal as ac
from agentcal.features import FEATURES, decision_points
from agentcal.features.agents import Agents

NAMES = [feature.name for feature in FEATURES]
OWN = {feature.name: feature for feature in Agents.features}
nan = math.nan


def rows(*steps: ac.Step) -> list[dict[str, float]]:
    run = ac.Trajectory(run_id="r", task="t", steps=list(steps))
    return [dict(zip(NAMES, p.vector.tolist(), strict=True)) for p in decision_points(run)]


def check(row: dict[str, float], **expected: float) -> None:
    assert {name: row[name] for name in expected} == pytest.approx(expected, nan_ok=True)


def turns(order: str, *texts: str) -> list[ac.Step]:
    said = [*texts, *[""] * (len(order) - len(texts))]
    return [
        ac.Step(agent=None if who == "-" else who, text=text)
        for who, text in zip(order, said, strict=True)
    ]


def told(step: ac.Step, text: str) -> ac.Step:
    return step.model_copy(update={"inputs": [ac.Message(role="agent", text=text)]})


def test_one_agent_has_no_team() -> None:
    for order in ("aaa", "---", "-a-a"):
        for row in rows(*turns(order, "That is incorrect.", "wrong one")):
            assert all(math.isnan(row[name]) for name in OWN)


def test_hand_offs_are_counted_from_the_first_turn_of_a_second_agent() -> None:
    _, second, third, fourth, fifth, finished = rows(*turns("aabca"))
    check(second, agents=nan, handoffs=nan)
    check(third, agents=2, handoffs=1, handoff_share=1 / 2, turns_since_handoff=0)
    check(third, agent_turn_share=1 / 3, ping_pong=0)
    check(fourth, agents=3, handoffs=2, handoff_share=2 / 3, agent_turn_share=1 / 4)
    check(fifth, agents=3, handoffs=3, handoff_share=3 / 4, agent_turn_share=3 / 5, ping_pong=0)
    assert {name: finished[name] for name in OWN} == {name: fifth[name] for name in OWN}


def test_ping_pong_lasts_while_the_floor_goes_straight_back() -> None:
    found = [row["ping_pong"] for row in rows(*turns("ababbacab"))[:-1]]
    # hand-offs: b, a (back), b (back), stays, a (back), c (on), a (back), b (on)
    assert found == pytest.approx([nan, 0, 1, 2, 2, 3, 0, 1, 0], nan_ok=True)


def test_turns_without_a_name_are_turns_but_nobodys() -> None:
    last = rows(*turns("a-b--"))[4]
    check(
        last, agents=2, handoffs=1, handoff_share=1, turns_since_handoff=2, agent_turn_share=1 / 2
    )


def test_disagreement_of_one_agent_with_another() -> None:
    order = turns("abba", "It is 7.", "That is incorrect: it is 8.", "8 is not right", "Agreed.")
    _, second, third, fourth, _ = rows(*order)
    check(second, disagreements=1, disagreement_in_turn=1)
    check(third, disagreements=1, disagreement_in_turn=0)  # it speaks of its own answer
    check(fourth, disagreements=1, disagreement_in_turn=0)


def test_something_that_goes_wrong_is_no_disagreement() -> None:
    _, second, _ = rows(*turns("ab", "x", "Something went wrong, an error."))
    check(second, disagreements=0, disagreement_in_turn=0)


def test_a_message_of_an_agent_counts_though_it_has_no_turn() -> None:
    alone, objected, after, _ = rows(
        ac.Step(text="It is 7."),
        told(ac.Step(text="It is 8."), "The reviewer rejected this answer."),
        ac.Step(text="Done."),
    )
    check(alone, disagreements=nan, disagreement_in_turn=nan)
    check(objected, disagreements=1, disagreement_in_turn=1, agents=nan, handoffs=nan)
    check(after, disagreements=1, disagreement_in_turn=0)
    user = ac.Step(inputs=[ac.Message(role="user", text="That is wrong.")])
    check(rows(user)[0], disagreements=nan)


def test_the_same_call_proposed_by_two_agents() -> None:
    def calling(agent: str, **arguments: object) -> ac.Step:
        call = ac.ToolCall(name="search", arguments=dict(arguments), result="x", status="ok")
        return ac.Step(agent=agent, tool_calls=[call])

    own, other, again, new, _ = rows(
        calling("a", q=1, p=2), calling("b", p=2, q=1), calling("a", q=1, p=2), calling("b", q=2)
    )
    check(own, calls_of_others=nan)
    for row in (other, again, new):
        check(row, calls_of_others=1)


TEAMS = st.lists(
    st.builds(
        ac.Step,
        agent=st.sampled_from([None, "a", "b", "c"]),
        text=st.sampled_from(["", "That is wrong.", "Fine, but it does not match."]),
        inputs=st.lists(
            st.builds(
                ac.Message,
                role=st.sampled_from(["user", "agent"]),
                text=st.sampled_from(["rejected", "good"]),
            ),
            max_size=1,
        ),
        tool_calls=st.lists(
            st.builds(ac.ToolCall, name=st.sampled_from(["f", "g"]), result=st.just("x")),
            max_size=2,
        ),
    ),
    max_size=8,
)


@settings(max_examples=100)
@given(TEAMS)
def test_any_team_stays_in_range_and_prefixes_agree(steps: list[ac.Step]) -> None:
    run = ac.Trajectory(run_id="r", steps=steps)
    whole = list(decision_points(run))[:-1]
    for k, point in enumerate(whole, 1):
        row = dict(zip(NAMES, point.vector.tolist(), strict=True))
        for name, feature in OWN.items():
            assert math.isnan(row[name]) or feature.low <= row[name] <= feature.high
        cut = list(decision_points(run.prefix(k)))[k - 1]
        assert cut.vector.tobytes() == point.vector.tobytes()
