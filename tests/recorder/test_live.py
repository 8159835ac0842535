"""Rule 1: a live run has the decision points of the same run read from its record."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import agentcal as ac
from agentcal.calibration import Calibrator
from agentcal.recorder import Recorder, Run

from .agents import Script, begin, gated, same, work

TEXT = st.sampled_from(
    [
        "",
        "Paid 12.50 to bob@x.org",
        "error: no such file",
        '{"id": "r-77"}',
        "[]",
        "sorry",
        "r-77 😀",
    ]
)
NAMES = st.sampled_from(["search", "pay", "x"])
IDS = st.sampled_from(["a", "b", "c", "d", ""])
CALLS = st.builds(
    ac.ToolCall,
    id=IDS,
    name=NAMES,
    arguments=st.none() | st.dictionaries(NAMES, TEXT | st.integers(0, 99), max_size=2),
)
STEPS = st.builds(ac.Step, text=TEXT, tool_calls=st.lists(CALLS, max_size=3))
STATUSES = st.sampled_from(["ok", "ok", "error", "missing", "rejected", "edited"])
TURN = st.tuples(st.just("replied"), STEPS)
RESULT = st.tuples(
    st.just("returned"), IDS, TEXT, STATUSES, st.none() | st.floats(0, 9), st.none() | NAMES
)
MESSAGE = st.tuples(st.just("message"), TEXT, st.sampled_from(["user", "system", "agent"]))
AGAIN = st.tuples(st.just("again"), STEPS, st.sampled_from(["p#0", "p#1", "q#0", "q"]))
VOID = st.tuples(st.just("void"), st.sampled_from(["p", "q", "p#0"]))
ANEW = AGAIN | AGAIN | VOID
LATE = st.tuples(st.just("describe"), TEXT, NAMES, st.booleans())
BUSY = settings(max_examples=80, suppress_health_check=[HealthCheck.too_slow])

Event = tuple[object, ...]


def tell(run: Run, event: Event) -> None:
    """Let ``event`` happen in the run."""
    match event:
        case ("replied", ac.Step() as step):
            run.replied(step)
        case ("again", ac.Step() as step, str(key)):
            run.replied(step, key=key)
        case ("void", str(place)):
            run.again(place)
        case ("returned", str(id_), str(text), status, seconds, name):
            run.called(id_, name=name)  # type: ignore[arg-type]
            run.returned(id_, text, status, seconds, name=name)  # type: ignore[arg-type]
        case ("message", str(text), role):
            run.message(text, role)  # type: ignore[arg-type]
        case ("describe", str(text), str(name), limited):
            tools = [ac.ToolDeclaration(name=name, read_only=True)]
            limits = ac.Limits(steps=5) if limited else None
            run.describe(task=text, system=text, tools=tools, limits=limits)
        case _:
            raise AssertionError(event)


@BUSY
@given(st.lists(STEPS | STEPS | MESSAGE | LATE, max_size=10), st.data())
def test_rows_of_agents_side_by_side_are_those_of_the_record(
    events: list[ac.Step | Event], data: st.DataObject
) -> None:
    run, live = Recorder().start(run_id="r", task="Pay bob@x.org"), []
    at_work: list[str] = []
    for n, event in enumerate(events):
        if isinstance(event, tuple):
            tell(run, event)
            continue
        for i, call in enumerate(event.tool_calls):
            call.id = f"{n}-{i}"
            at_work.append(call.id)
        run.replied(event)
        live.append(run.decision())
        done = data.draw(
            st.lists(st.sampled_from(at_work), unique=True) if at_work else st.just([])
        )
        for call_id in done:
            at_work.remove(call_id)
            run.returned(call_id, data.draw(TEXT), data.draw(STATUSES))
    recorded = gated(run.trajectory())
    assert len(live) == len(recorded)
    assert all(same(one, other) for one, other in zip(live, recorded, strict=True))


@BUSY
@given(st.lists(TURN | RESULT | RESULT | MESSAGE | ANEW | ANEW | LATE, max_size=14), st.data())
def test_the_newest_row_is_that_of_the_record_whatever_happened(
    events: list[Event], data: st.DataObject
) -> None:
    run = Recorder().start(run_id="r")
    for event in events:
        tell(run, event)
        if data.draw(st.booleans(), label="look"):
            recorded = gated(run.trajectory())
            assert same(run.decision(), recorded[-1] if recorded else None)
    whole = run.ended()
    assert whole is not None
    assert ac.Trajectory.model_validate_json(whole.model_dump_json()) == whole
    assert not whole.gaps or whole.gaps[0].startswith("a result for a call")


@BUSY
@given(st.lists(TURN | RESULT | MESSAGE | ANEW, max_size=14))
def test_places_stay_whole_when_turns_are_run_again(events: list[Event]) -> None:
    run = Recorder().start(run_id="r")
    for event in events:
        tell(run, event)
    got = run.trajectory()
    for i, step in enumerate(got.steps):
        for call in step.tool_calls:
            assert (call.status == "missing") == (call.result is None)
            assert call.returned_after is None or i < call.returned_after < len(got.steps)
    keys = [event[2] for event in events if event[0] == "again"]
    assert len(got.steps) <= sum(event[0] == "replied" for event in events) + len(set(keys))


def test_a_result_that_the_fold_has_forgotten_is_left_out_in_both() -> None:
    run = Recorder().start(run_id="r")
    run.replied(ac.Step(tool_calls=[ac.ToolCall(id="late", name="search")]))
    for n in range(256):
        run.replied(ac.Step(text=f"turn {n}"))
    run.decision()
    run.returned("late", "error", "error")
    run.replied(ac.Step(text="last"))
    assert same(run.decision(), gated(run.trajectory())[-1])
    assert run.trajectory().gaps == []


def test_every_turn_is_scored_as_its_record_would_be(calibrator: Calibrator) -> None:
    recorder = Recorder(calibrator)
    scored = 0
    for seed in range(4):
        run, live = begin(recorder, Script(seed), agent="a", model="m"), []
        whole = work(run, Script(seed), lambda: live.append(run.confidence))  # noqa: B023
        mine = list(dict.fromkeys(live))
        assert mine == calibrator.score(whole)[:-1]
        scored += len(mine)
    assert (recorder.stats.scores, recorder.stats.unavailable) == (scored, 0)


def test_declared_categories_count_live_as_they_do_recorded() -> None:
    runs = [
        run.model_copy(update={"family": "easy" if run.outcome and run.outcome.value else "hard"})
        for run in ac.sample_runs()[::4]
    ]
    fitted = ac.fit(runs, categoricals=["family"], folds=2, nested=False, workers=1, progress=False)
    values = {}
    for family in ("easy", "hard"):
        run = Recorder(fitted).start(task="Pay bob.", family=family)
        run.replied(ac.Step(text="Paid."))
        values[family] = run.confidence
        assert run.confidence == fitted.score(run.trajectory())[0]
    assert values["easy"].value > values["hard"].value + 0.1  # type: ignore[union-attr]


def test_bundled_runs_played_live_are_scored_as_recorded(calibrator: Calibrator) -> None:
    recorder = Recorder(calibrator)
    for recorded in ac.sample_runs()[1:40:4]:
        run = recorder.start(task=recorded.task, system=recorded.system, tools=recorded.tools)
        run.describe(agent=recorded.agent, model=recorded.model, limits=recorded.limits)
        live = []
        for step in recorded.steps:
            bare = step.model_copy(deep=True)
            for call in bare.tool_calls:
                call.result, call.status, call.duration_s = None, "missing", None
            live.append(run.replied(bare))
            for call in step.tool_calls:
                run.returned(call.id, call.result or "", call.status, call.duration_s)
        assert live == calibrator.score(recorded)[:-1]
        assert run.trajectory().steps == recorded.steps


def test_nothing_is_folded_until_somebody_wants_to_know(monkeypatch: pytest.MonkeyPatch) -> None:
    folded: list[ac.Step] = []
    fold = ac.Fold.turn
    monkeypatch.setattr(ac.Fold, "turn", lambda self, step: (folded.append(step), fold(self, step)))
    run = Recorder().start()
    for n in range(3):
        run.replied(ac.Step(text=f"turn {n}"))
    assert folded == []
    run.decision()
    assert [step.text for step in folded] == ["turn 0", "turn 1", "turn 2"]
    run.decision()
    assert len(folded) == 3
