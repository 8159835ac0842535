"""What is known of successful runs: counted by hand, fitted without the row, kept in JSON."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from agentcal import Fold, Outcome, Step, ToolCall, ToolDeclaration, Trajectory, fit
from agentcal.calibration import COLUMNS, _head
from agentcal.calibration import _reference as module
from agentcal.calibration._conduct import MOST_CALLS, NO_CALL, Tally, conduct_of, tools_of
from agentcal.calibration._described import describe
from agentcal.calibration._folds import assign_folds
from agentcal.calibration._heads import OBSERVABLE, Plan, fit_heads
from agentcal.calibration._reference import REFERENCE, Reference
from agentcal.calibration._report import nested_scores
from agentcal.calibration._stages import cross_fit
from agentcal.calibration._table import KIND_CODE, Table, build_table
from agentcal.features import ToolUse, decision_points

FURTHER, MISSING, MORE, USUAL = range(len(REFERENCE))
COLUMN = {feature.name: i for i, feature in enumerate(COLUMNS)}
M = 2.0  # groups that a share is smoothed with


def a_run(
    group: int, *turns: str, y: float = 1.0, declared: str = "", number: int = 0
) -> Trajectory:
    """A run that calls a tool for each letter of a turn, and none in an empty one."""
    return Trajectory(
        run_id=f"g{group}-{number}-{'-'.join(turns)}",
        group=f"g{group:03}",
        task="t",
        tools=[ToolDeclaration(name=name) for name in declared],
        steps=[Step(tool_calls=[ToolCall(name=n, result="ok") for n in turn]) for turn in turns],
        outcome=Outcome(value=y),
        end_reason="answered",
    )


def reference_of(*runs: Trajectory) -> Reference:
    table = build_table(runs)
    everything = np.ones(len(table.y), dtype=bool)
    return describe(table, everything, np.zeros(len(table.y), dtype=np.int64)).reference


def so_far(*turns: str, declared: str = "") -> ToolUse:
    *_, point, _ = decision_points(a_run(0, *turns, declared=declared))
    return point.tools


SIX = [a_run(g, "a", "b", "") for g in range(4)] + [a_run(4, "a", "c", "c", ""), a_run(5, "d", "")]
"""Six groups: four call a and b, one a and c twice, one d alone."""


def test_tools_that_runs_with_the_same_ones_went_on_to_call() -> None:
    reference = reference_of(*SIX)
    of_all = {"b": 4 / (6 + M), "c": 1 / (6 + M), "d": 1 / (6 + M)}
    after_a = {
        name: (n + M * of_all[name]) / (5 + M) for name, n in {"b": 4, "c": 1, "d": 0}.items()
    }
    values = reference.values(so_far("a"))
    assert values[FURTHER] == pytest.approx(sum(after_a.values()))
    assert values[MISSING] == pytest.approx(after_a["b"])
    assert reference.missing_tool(so_far("a")) == "b"
    after_ab = {name: (n + M * of_all[name]) / (9 + M) for name, n in {"c": 1, "d": 0}.items()}
    values = reference.values(so_far("a", "b"))
    assert values[FURTHER] == pytest.approx(sum(after_ab.values()))


def test_shares_of_successful_runs_with_more_calls() -> None:
    reference = reference_of(*SIX)
    of_all = {0: 1.0, 1: 5 / 6, 2: 1 / 6, 3: 0.0}
    for calls, more in {1: 5, 2: 1, 3: 0}.items():
        tools = ToolUse(called=frozenset("a"), calls=calls, proposed=())
        share = (more + M * of_all[calls]) / (5 + M)
        assert reference.values(tools)[MORE] == pytest.approx(share)
    assert reference.values(ToolUse())[MORE] == pytest.approx(of_all[0])
    assert reference.values(ToolUse(called=frozenset("a"), calls=10**6))[MORE] == 0.0


def test_shares_of_moves_from_tool_to_tool() -> None:
    reference = reference_of(*SIX)
    starts = {NO_CALL: 6, "a": 5, "b": 4, "c": 1, "d": 1}
    to_b, to_end = 4 / 17, (4 + 1 / 2 + 1) / 17
    assert reference.values(so_far("a", "b"))[USUAL] == pytest.approx((4 + M * to_b) / (5 + M))
    assert reference.values(so_far("d", ""))[USUAL] == pytest.approx((1 + M * to_end) / (1 + M))
    assert reference.values(so_far("a", ""))[USUAL] == pytest.approx(M * to_end / (5 + M))
    assert sum(starts.values()) == 17


def test_the_moves_of_a_turn_with_several_calls_are_shared_out() -> None:
    runs = [a_run(g, "ab", "") for g in range(6)]
    assert conduct_of(list(decision_points(runs[0]))).moves == {
        (NO_CALL, "a"): 0.5,
        (NO_CALL, "b"): 0.5,
        ("b", NO_CALL): 1.0,
    }
    together = reference_of(*runs).values(so_far("aab"))[USUAL]
    assert together == pytest.approx((6 + M * 0.5) / (6 + M))


def test_a_group_counts_once_however_many_runs_it_has() -> None:
    again = [a_run(4, "a", "c", "c", "", number=n) for n in range(1, 50)]
    one, other = reference_of(*SIX), reference_of(*SIX, *again)
    np.testing.assert_allclose(one.values(so_far("a")), other.values(so_far("a")))


def test_failed_runs_are_no_reference() -> None:
    failed = [a_run(g, "a", "e", y=0.0, number=1) for g in range(12)]
    assert reference_of(*SIX, *failed) == reference_of(*SIX)


def test_only_declared_tools_can_be_missing() -> None:
    reference = reference_of(*SIX)
    assert reference.missing_tool(so_far("a", declared="acd")) == "c"
    assert reference.values(so_far("a", declared="ax"))[MISSING] == 0.0
    before = ToolUse(declared=frozenset("cx"), proposed=())
    assert reference.values(before)[FURTHER] == pytest.approx(1 / (6 + M))


def test_a_tool_counts_where_it_could_be_called() -> None:
    runs = [a_run(g, "a", declared="ab") for g in range(5)]
    runs += [a_run(g, "b", declared="ab") for g in range(5, 8)]
    runs += [a_run(g, "a", declared="a") for g in range(8, 28)]
    before = ToolUse(declared=frozenset("b"))
    assert reference_of(*runs).values(before)[MISSING] == pytest.approx(3 / (8 + M))


def test_unknown_tools_and_too_few_groups_are_missing() -> None:
    reference = reference_of(*SIX)
    unknown = reference.values(so_far("x", "y"))
    assert all(map(math.isnan, unknown))
    assert not math.isnan(reference.values(so_far("x", "a"))[FURTHER])
    assert all(
        map(math.isnan, reference.values(ToolUse(declared=frozenset("xy"), proposed=("x",))))
    )
    assert math.isnan(reference.values(ToolUse())[USUAL])
    few = reference_of(*SIX[:4], a_run(9, "a", y=0.0))
    assert all(map(math.isnan, few.values(so_far("a"))))
    assert few.missing_tool(so_far("a")) == ""


def drawn(rng: np.random.Generator, groups: int = 12, size: int = 3) -> list[Trajectory]:
    def turn() -> str:
        return "".join(rng.choice(list("abcdef"), size=int(rng.integers(0, 3))))

    return [
        a_run(
            g, *(turn() for _ in range(int(rng.integers(1, 5)))), y=float(rng.integers(2)), number=n
        )
        for g in range(groups)
        for n in range(size)
    ]


def test_a_tally_without_a_group_is_that_of_the_others() -> None:
    runs = [conduct_of(list(decision_points(run))) for run in drawn(np.random.default_rng(0))]
    tools = tools_of(enumerate(runs))
    place = {name: i for i, name in enumerate([NO_CALL, *tools])}
    tallies = [Tally.zero(len(place)) for _ in range(3)]
    for part in (0, 1):
        for start in range(part * 3, len(runs), 6):
            tallies[part].add(runs[start : start + 3], place)
            tallies[2].add(runs[start : start + 3], place)
    assert Reference.of(tallies[2] - tallies[0], tools) == Reference.of(tallies[1], tools)
    assert tallies[1].calls.shape == (len(place), MOST_CALLS + 1)


@pytest.fixture(scope="module")
def table() -> Table:
    return build_table(drawn(np.random.default_rng(1), groups=30))


def columns(X: np.ndarray) -> np.ndarray:
    return X[:, -len(REFERENCE) :]


def test_no_group_is_described_by_its_own_outcomes(table: Table) -> None:
    fold = assign_folds(table.y, table.group, 3, 0)
    train = fold < 2  # fold 2 is held out altogether
    before = describe(table, train, fold)
    assert np.isfinite(columns(before.X)[:, FURTHER]).mean() > 0.9
    for group in range(len(table.groups)):
        runs = table.group == group
        after = describe(replace(table, y=np.where(runs, 1.0 - table.y, table.y)), train, fold)
        mine = runs[table.run]
        np.testing.assert_array_equal(after.X[mine], before.X[mine])
        for out in (0, 1):
            np.testing.assert_array_equal(after.without[out][mine], before.without[out][mine])
        others = columns(before.X[~mine]), columns(after.X[~mine])
        assert (runs & train).any() != np.array_equal(*others, equal_nan=True)


def test_a_fold_that_is_left_out_describes_nothing(table: Table) -> None:
    fold = assign_folds(table.y, table.group, 4, 0)
    train = np.ones(len(table.y), dtype=bool)
    rows = fold[table.run]
    before = describe(table, train, fold)
    for out in range(4):
        changed = replace(table, y=np.where(fold == out, 1.0 - table.y, table.y))
        np.testing.assert_array_equal(
            describe(changed, train, fold).without[out], before.without[out]
        )
        alone = describe(table, fold != out, fold)
        np.testing.assert_array_equal(
            before.without[out][rows == out], columns(alone.X)[rows == out]
        )


def test_labels_flipped_in_a_held_out_fold_reach_no_column(table: Table) -> None:
    fold = assign_folds(table.y, table.group, 3, 0)
    train = fold < 2
    y = np.where(train, table.y, 1 - table.y)
    one, other = describe(table, train, fold), describe(replace(table, y=y), train, fold)
    np.testing.assert_array_equal(one.X, other.X)
    assert one.reference == other.reference


def test_what_was_asked_before_changes_no_answer(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything = np.ones(len(table.y), dtype=bool)
    reference = describe(table, everything, np.zeros(len(table.y), dtype=np.int64)).reference
    first = [reference.values(tools) for tools in table.tools]
    monkeypatch.setattr(module, "_MOST_STATES", 3)
    fresh = Reference.model_validate_json(reference.model_dump_json())
    assert fresh == reference
    again = [fresh.values(tools) for tools in reversed(table.tools)]
    np.testing.assert_array_equal(first, again[::-1])
    packed = [np.frombuffer(fresh.packed(tools)) for tools in table.tools]
    np.testing.assert_array_equal(first, packed)
    assert len(fresh._states) <= 3
    assert len(fresh._packed) <= 3


def test_many_tools_are_bounded() -> None:
    fold = Fold()
    for i in range(600):
        fold.turn(Step(tool_calls=[ToolCall(name=f"tool{i}")]))
    assert fold.point().tools.calls == 600
    assert len(fold.point().tools.called) == 256
    runs = [
        Trajectory(
            run_id=str(g),
            group=str(g),
            steps=[
                Step(tool_calls=[ToolCall(name=f"tool{g * 100 + i % 100}")]) for i in range(150)
            ],
            outcome=Outcome(value=1.0),
        )
        for g in range(6)
    ]
    reference = reference_of(*runs)
    assert len(reference.called) == 257
    assert math.isfinite(reference.values(so_far("x")._replace(called=frozenset(["tool0"])))[MORE])


def careless(number: int, rng: np.random.Generator, *, told: bool) -> Trajectory:
    """If ``told``, runs that succeed call one tool, and runs that fail another one instead."""
    y = bool(rng.integers(2))
    names = rng.choice(["zig", "zag", "zog"], size=int(rng.integers(1, 4))).tolist()
    needed = y or rng.random() < 0.1 if told else rng.random() < 0.5
    names.insert(int(rng.integers(len(names) + 1)), "zeta" if needed else "zutu")
    steps = [Step(tool_calls=[ToolCall(name=name, result="row 1")]) for name in names]
    return Trajectory(
        run_id=f"r{number}",
        group=f"g{number // 3}",
        task="put the things in order",
        steps=[*steps, Step(text="Done.")],
        end_reason="answered",
        outcome=Outcome(value=float(y)),
    )


def careless_runs(*, told: bool) -> list[Trajectory]:
    rng = np.random.default_rng(5)
    return [careless(i, rng, told=told) for i in range(120)]


def gain(table: Table, kind: str) -> float:
    """Nested log loss of the base rate less that of a calibrator, without the general prior."""
    plan = Plan(folds=3, seed=0, workers=1, prior=False)
    losses = {
        score.method: score.summary.log_loss.value
        for score in nested_scores(table, [OBSERVABLE], plan, lambda: None)
        if score.kind == kind and score.summary.log_loss
    }
    return losses["base rate"] - losses["agentcal"]


def finished(table: Table) -> Table:
    """Only what is learnt from runs that are over: a third of the work."""
    return table.rows(table.kind == KIND_CODE["finished"])


def test_a_tool_that_failing_runs_skip_is_found() -> None:
    table = finished(build_table(careless_runs(told=True)))
    assert gain(table, "finished") > 0.3
    unaware = replace(table, tools=np.empty(0, dtype=object), conduct=[])
    assert gain(unaware, "finished") < 0.05, "names of tools are in no other column"


def test_outcomes_without_a_cause_give_no_skill() -> None:
    assert gain(finished(build_table(careless_runs(told=False))), "finished") < 0.01


def test_a_tool_that_is_missing_is_named() -> None:
    runs = careless_runs(told=True)
    calibrator = fit(runs, folds=2, nested=False, workers=1, progress=False)
    called = [{call.name for step in run.steps for call in step.tool_calls} for run in runs]
    good, bad = (
        next(run for run, names in zip(runs, called, strict=True) if ("zeta" in names) == has)
        for has in (True, False)
    )
    *_, sure, _ = calibrator.score(good)
    *_, unsure, _ = calibrator.score(bad)
    assert sure.value > unsure.value + 0.4
    *_, point, _ = decision_points(bad)
    assert calibrator.reference.missing_tool(point.tools) == "zeta"
    assert calibrator.row(point)[COLUMN["missing_tool"]] > 0.8
    texts = [reason.text for reason in calibrator.reasons(point, run=bad)]
    assert any(text.endswith("also called zeta") for text in texts), texts


@pytest.mark.parametrize("told", [True, False])
def test_the_columns_of_a_reference_must_earn_their_place(told: bool) -> None:
    runs = careless_runs(told=told)
    calibrator = fit(runs, folds=3, nested=False, prior=False, workers=1, progress=False)
    name = f"{OBSERVABLE}/finished"
    head, report = calibrator.heads[name], {h.name: h for h in calibrator.report.heads}[name]
    *_, stage = report.stages
    assert stage.stage == "reference"
    assert stage.admitted is told
    assert head.compares is told
    assert head.describe().endswith(", and a reference") is told
    assert (stage.with_it < stage.without - 0.05) is told
    *_, point = decision_points(runs[0])
    assert bool({COLUMN[f.name] for f in REFERENCE} & set(head.blend.use)) is told
    # A head that does not compare needs only the row of the fold, and says the same with both.
    scored = head.score(calibrator.row(point), {})
    assert calibrator.predict(point).value == scored.value
    if not told:
        assert head.score(point.vector, {}) == scored


def test_runs_without_a_reference_are_fitted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    fits = []
    monkeypatch.setattr(
        _head, "cross_fit", lambda rows, **how: fits.append(1) or cross_fit(rows, **how)
    )
    table = finished(build_table(careless_runs(told=True)))
    everything, plan = np.ones(len(table.y), dtype=bool), Plan(3, 0, 1, prior=False)
    for some, expected in (
        (table, 2),
        (replace(table, tools=np.empty(0, dtype=object), conduct=[]), 1),
    ):
        fits.clear()
        fit_heads(some, everything, [OBSERVABLE], plan, lambda: None)
        assert len(fits) == 3 * expected
