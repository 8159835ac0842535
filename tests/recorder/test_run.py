"""The events of one run become its trajectory."""

from __future__ import annotations

import pytest

import agentcal as ac
from agentcal.recorder import Recorder, Run

from .agents import NOON, TOOLS, asks, call, gated, same


@pytest.fixture
def run() -> Run:
    return Recorder().start(run_id="r", task="Pay bob.", started_at=NOON)


def results(run: Run) -> list[list[str | None]]:
    return [[c.result for c in step.tool_calls] for step in run.trajectory().steps]


def returned_after(run: Run) -> list[list[int | None]]:
    return [[c.returned_after for c in step.tool_calls] for step in run.trajectory().steps]


def test_a_run_is_what_happened() -> None:
    run = Recorder().start(
        run_id="r",
        conversation="c",
        task="Pay bob.",
        system="Be quick.",
        tools=iter(TOOLS),
        agent="payer",
        model="m-1",
        group="g",
        limits=ac.Limits(steps=9),
        metadata={"tenant": 7},
        started_at=NOON,
    )
    run.message("He is in the list.")
    run.message("Hurry.", "system")
    run.replied(asks(call("1"), call("2", "pay"), text="I look."))
    run.called("2")
    run.returned("2", "no money", "error", 0.25)
    run.returned("1", "bob@x.org")
    run.intervened("approved", by="ann", detail="fine")
    run.replied(ac.Step(text="Done."))
    run.message("Thanks.")
    first = ac.ToolCall(id="1", name="search", arguments={"q": "1"}, result="bob@x.org")
    second = ac.ToolCall(id="2", name="pay", arguments={"q": "2"}, result="no money")
    first.status, second.status, second.duration_s = "ok", "error", 0.25
    assert run.ended(error="none to speak of") == ac.Trajectory(
        run_id="r",
        conversation="c",
        group="g",
        agent="payer",
        model="m-1",
        task="Pay bob.",
        system="Be quick.",
        limits=ac.Limits(steps=9),
        tools=list(TOOLS),
        steps=[
            ac.Step(
                inputs=[
                    ac.Message(role="user", text="He is in the list."),
                    ac.Message(role="system", text="Hurry."),
                ],
                text="I look.",
                tool_calls=[first, second],
            ),
            ac.Step(text="Done."),
        ],
        trailing_inputs=[ac.Message(role="user", text="Thanks.")],
        interventions=[ac.Intervention(step=0, kind="approved", by="ann", detail="fine")],
        end_reason="answered",
        started_at=NOON,
        metadata={"tenant": 7, "error": "none to speak of"},
    )


def test_a_run_has_an_id_and_a_time_of_its_own() -> None:
    recorder = Recorder()
    one, other = recorder.start(), recorder.start()
    assert one.run_id != other.run_id
    assert one.trajectory().started_at is not None


def test_the_step_that_was_given_is_not_changed(run: Run) -> None:
    step = asks(call("1"))
    before = step.model_copy(deep=True)
    run.message("Hello.")
    run.replied(step)
    run.returned("1", "x")
    run.replied(step)
    run.returned("1", "y")
    assert step == before
    assert results(run) == [["x"], ["y"]]


def test_a_copy_does_not_change_with_the_run(run: Run) -> None:
    run.replied(asks(call("1")))
    copy = run.trajectory()
    run.returned("1", "x")
    run.replied(ac.Step())
    assert [c.status for c in copy.steps[0].tool_calls] == ["missing"]
    copy.steps[0].tool_calls[0].result = "spoilt"
    assert results(run) == [["x"], []]


def test_inputs_of_a_step_follow_the_messages_that_waited(run: Run) -> None:
    run.message("first")
    run.replied(ac.Step(inputs=[ac.Message(role="agent", text="second")]))
    assert [m.text for m in run.trajectory().steps[0].inputs] == ["first", "second"]


def test_an_id_used_again_means_the_newest_turn_without_a_result(run: Run) -> None:
    run.replied(asks(call("a")))
    run.replied(asks(call("a")))
    run.returned("a", "second")
    run.returned("a", "first")
    assert results(run) == [["first"], ["second"]]
    run.returned("a", "second, again")
    assert results(run) == [["first"], ["second, again"]]


def test_agents_with_the_same_ids_are_told_apart_by_name(run: Run) -> None:
    run.replied(asks(call("a", "search")))
    run.replied(asks(call("a", "pay")))
    run.returned("a", "found", name="search")
    assert results(run) == [["found"], [None]]


@pytest.mark.parametrize("call_id", ["", "unheard of"])
def test_without_a_known_id_the_oldest_open_call_of_the_name_is_meant(
    run: Run, call_id: str
) -> None:
    run.replied(asks(call("", "pay"), call("", "search"), call("", "search")))
    run.replied(asks(call("", "search")))
    for text in ("one", "two", "three"):
        run.returned(call_id, text, name="search")
    assert results(run) == [[None, "one", "two"], ["three"]]


def test_without_id_and_name_any_open_call_will_do(run: Run) -> None:
    run.replied(asks(call("x")))
    run.returned("", "one")
    assert results(run) == [["one"]]


def test_a_result_that_nobody_asked_for_is_a_gap(run: Run) -> None:
    run.replied(asks(call("x")))
    run.returned("x", "one")
    run.returned("y", "?")
    run.returned("", "?", name="pay")
    assert results(run) == [["one"]]
    assert run.trajectory().gaps == ["a result for a call that no turn proposed (2 times)"]


def test_results_after_the_turn_of_another_agent_say_so(run: Run) -> None:
    run.replied(asks(call("l1"), call("l2"), agent="left"))
    run.returned("l1", "x")
    run.replied(asks(call("r1"), agent="right"))
    run.replied(asks(call("r2"), agent="right"))
    run.returned("l2", "x")
    run.returned("r2", "x")
    assert returned_after(run) == [[None, 2], [None], [None]]


def test_a_second_result_takes_the_place_of_the_first(run: Run) -> None:
    run.replied(asks(call("1")))
    run.returned("1", "no", "error", 2.0)
    run.returned("1", "yes")
    assert [
        c.model_dump(include={"result", "status", "duration_s"})
        for c in run.trajectory().steps[0].tool_calls
    ] == [{"result": "yes", "status": "ok", "duration_s": None}]
    run.replied(ac.Step())
    run.returned("1", "yes")  # told twice: no news
    assert returned_after(run) == [[None], []]
    run.returned("1", "no, after all")
    assert returned_after(run) == [[1], []]


def test_missing_is_no_result(run: Run) -> None:
    run.replied(asks(call("1")))
    run.returned("1", "", "missing")
    run.returned("1", "x", duration_s=float("nan"))
    assert run.trajectory().steps[0].tool_calls[0].duration_s is None
    assert results(run) == [["x"]]


def test_facts_that_become_known_late_fill_what_is_empty(run: Run) -> None:
    run.describe(task="Another one.", system="Be quick.", agent="payer")
    run.describe(system="Be slow.", model="m-1", tools=iter(TOOLS), limits=ac.Limits(steps=3))
    run.describe(tools=())
    run.describe(tools=[TOOLS[0].model_copy(update={"read_only": False, "destructive": True})])
    got = run.trajectory()
    assert (got.task, got.system, got.agent, got.model) == ("Pay bob.", "Be quick.", "payer", "m-1")
    assert (got.tools, got.limits) == (list(TOOLS), ac.Limits(steps=3))


def test_interventions_stand_at_the_turn_that_they_are_about(run: Run) -> None:
    run.intervened("approved")
    run.replied(asks(call("1")))
    run.replied(asks(call("2")))
    run.intervened("rejected", call_id="1")
    run.intervened("edited", call_id="unheard of")
    run.intervened("approved")
    got = run.trajectory()
    assert [(i.step, i.kind) for i in got.interventions] == [
        (0, "rejected"),
        (1, "edited"),
        (1, "approved"),
    ]
    assert got.gaps == ["an intervention before the first turn"]


def test_several_agents_bring_tools_of_their_own(run: Run) -> None:
    mail = ac.ToolDeclaration(name="mail", destructive=True)
    mine, yours = TOOLS[:1], (ac.ToolDeclaration(name="search"), mail)
    run.describe(system="Be quick.", tools=mine)
    run.replied(asks(call("1", "mail")))
    before = run.decision()
    run.describe(system="Be slow.", tools=yours)
    got = run.trajectory()
    assert (got.system, got.tools) == ("Be quick.", [TOOLS[0], yours[1]])
    assert got.known_after == {"tools/mail": 0}
    assert same(run.decision(), before), "nobody knew of it when the turn was taken"
    run.replied(asks(call("2", "mail")))
    known = ac.Fold("Pay bob.", "Be quick.", got.tools)
    for step in run.trajectory().steps:
        known.turn(step)
    assert same(run.decision(), known.point())
    assert [*map(same, gated(run.trajectory()), [before, known.point()])] == [True, True]
    run.describe(tools=[object()])  # type: ignore[list-item]
    assert run.trajectory().tools == [TOOLS[0], yours[1]]
    assert run.trajectory().gaps != []


SHOWN = ac.ToolDeclaration(name="get_rid_of", description="Drop it.", parameters={"type": "object"})
HINTED = ac.ToolDeclaration(name="get_rid_of", read_only=False, destructive=True)


@pytest.mark.parametrize("told", [(SHOWN, HINTED), (HINTED, SHOWN), (SHOWN, HINTED, SHOWN, HINTED)])
@pytest.mark.parametrize("at_once", [True, False])
def test_a_tool_that_is_told_of_twice_is_one_tool_that_lacks_nothing(
    run: Run, told: tuple[ac.ToolDeclaration, ...], at_once: bool
) -> None:
    for tools in [told] if at_once else [[tool] for tool in told]:
        run.describe(tools=tools)
    (tool,) = run.trajectory().tools
    assert tool == SHOWN.model_copy(update={"read_only": False, "destructive": True})


def test_hints_come_whole_from_the_first_that_has_any(run: Run) -> None:
    run.describe(tools=[ac.ToolDeclaration(name="pay", read_only=True)])
    run.describe(tools=[ac.ToolDeclaration(name="pay", destructive=True, idempotent=False)])
    assert run.trajectory().tools == [ac.ToolDeclaration(name="pay", read_only=True)]


def test_hints_that_come_late_count_from_the_first_turn(run: Run) -> None:
    run.describe(tools=[SHOWN])
    run.replied(asks(call("1", "get_rid_of")))
    before = run.decision()
    run.describe(tools=[HINTED])
    assert not same(run.decision(), before)
    assert same(run.decision(), gated(run.trajectory())[-1])


def test_gaps_are_told_in_words(run: Run) -> None:
    for text in ("two spans without a parent", "a page", "a page"):
        run.gap(text)
    assert run.trajectory().gaps == ["two spans without a parent", "a page (2 times)"]
    whole = run.ended()
    run.gap("too late")
    assert whole is not None
    assert whole.gaps == run.trajectory().gaps


def test_a_closed_run_takes_nothing_more(run: Run) -> None:
    run.replied(asks(call("1")))
    whole = run.ended("cancelled")
    run.returned("1", "x")
    run.message("hello?")
    assert run.replied(ac.Step()) is None
    assert run.decision() is None
    assert run.ended() is None
    run.interrupted()
    assert run.closed
    assert whole is not None
    assert run.trajectory() == whole
    assert whole.end_reason == "cancelled"
    assert whole.steps[0].tool_calls[0].status == "missing"
