"""Reasons: they add up, they name what they are about, and they read like clauses."""

from __future__ import annotations

import math
import re
import tomllib
from importlib import resources

import numpy as np
import pytest

from agentcal import DecisionPoint, Outcome, Step, ToolCall, Trajectory, decision_points
from agentcal.calibration import COLUMNS, FAMILY_OF_COLUMN, Calibrator
from agentcal.calibration._calls import Calls
from agentcal.calibration._head import Head
from agentcal.calibration._phrases import phrase
from agentcal.calibration._workspace import Workspace
from agentcal.data import sample_runs

from .conftest import Fitted
from .worlds import PLAIN_COLUMNS, draw, rows_of, vectors

NAMES = {feature.name: feature for feature in COLUMNS}
EVERYTHING = 10**6


def a_head(interaction: float, linear: float) -> tuple[Head, np.ndarray]:
    rng = np.random.default_rng(0)
    v = rng.normal(size=(250, 3))
    y = draw(linear * v[:, 0] + interaction * np.sign(v[:, 1] * v[:, 2]), rng)
    v[rng.random(v.shape) < 0.1] = np.nan
    agent = rng.choice(["ann", "bob"], size=250)
    rows = rows_of(vectors(v), y, folds=2, categories={"agent": agent})
    return Head.fit(rows, seed=0, workers=1)[0], rows.X


def uncalibrated(head: Head, x: np.ndarray, categories: dict[str, str]) -> float:
    return Workspace(head.blend, head.support)(x, categories)[0]


def expected_from(head: Head) -> float:
    """The log odds that contributions start from: ridge at its average row, trees at theirs."""
    blend = head.blend
    z = blend.ridge_share * blend.intercept
    if blend.ridge_share:
        z += blend.ridge_share * float(np.dot(blend.coefficients, blend.design.average()))
    for forest in blend.forests:
        columns = len(blend.use) + sum(map(len, blend.design.levels.values()))
        shap = forest.booster.predict(np.zeros((1, columns)), pred_contrib=True)
        z += forest.share * shap[0, -1]
    return blend.base + blend.scale * (z - blend.base)


@pytest.mark.parametrize(
    ("interaction", "linear", "trees"), [(0.0, 2.0, False), (3.0, 0.0, True), (2.0, 2.0, True)]
)
def test_contributions_add_up_to_the_score_less_the_average_one(
    interaction: float, linear: float, trees: bool
) -> None:
    head, X = a_head(interaction, linear)
    assert head.blend.ridge_share if not trees else head.blend.forests
    start = expected_from(head)
    for x, agent in zip(X[:40], ["ann", "bob", "carol", ""] * 10, strict=True):
        parts = head.contributions(x, {"agent": agent})
        gap = uncalibrated(head, x, {"agent": agent}) - start
        assert sum(parts.values()) == pytest.approx(gap, abs=1e-6)


def test_reasons_add_up_too(observed: Fitted) -> None:
    calibrator, _, fresh = observed
    for point in decision_points(fresh[0]):
        head = calibrator.heads[f"observable/{point.kind}"]
        parts = head.contributions(calibrator.row(point), {"agent": "ann", "model": "small"})
        reasons = calibrator.reasons(point, top=EVERYTHING, agent="ann", model="small")
        total = sum(reason.effect for reason in reasons)
        assert total == pytest.approx(sum(parts.values()), abs=1e-3)


def test_the_largest_effect_comes_first_and_no_clause_comes_twice(observed: Fitted) -> None:
    calibrator, _, fresh = observed
    for run in fresh:
        for point in decision_points(run):
            reasons = calibrator.reasons(point, top=EVERYTHING, run=run)
            sizes = [abs(reason.effect) for reason in reasons]
            assert sizes == sorted(sizes, reverse=True)
            assert len({reason.text for reason in reasons}) == len(reasons)
            assert calibrator.reasons(point, top=2, run=run) == reasons[:2]
            for reason in reasons:
                if reason.feature in NAMES:
                    index = COLUMNS.index(NAMES[reason.feature])
                    np.testing.assert_equal(reason.value, calibrator.row(point)[index])


def test_a_feature_that_decides_is_the_first_reason_and_points_the_right_way() -> None:
    head, X = a_head(0.0, 2.0)
    name = COLUMNS[PLAIN_COLUMNS[0]].name
    for value, sign in ((2.0, 1), (-2.0, -1)):
        x = X[0].copy()
        x[PLAIN_COLUMNS[:3]] = value, 0.0, 0.0
        parts = head.contributions(x, {"agent": "ann"})
        assert max(parts, key=lambda key: abs(parts[key])) == name
        assert parts[name] * sign > 0.5


def test_a_declared_category_is_a_reason(observed: Fitted) -> None:
    point = next(decision_points(observed.fresh[0]))
    texts = {
        agent: {r.text for r in observed.calibrator.reasons(point, top=EVERYTHING, agent=agent)}
        for agent in ("ann", None)
    }
    assert "the agent is ann" in texts["ann"]
    assert not any("the agent is ann" in text for text in texts[None])


def a_call(tool: str, result: str | None = "x", status: str = "ok", **arguments: int) -> ToolCall:
    return ToolCall.model_validate(
        {"name": tool, "arguments": arguments, "result": result, "status": status}
    )


def turns(*calls: list[ToolCall]) -> Trajectory:
    return Trajectory(
        run_id="r", steps=[Step(tool_calls=made) for made in calls], outcome=Outcome(value=0)
    )


FAILED = {"result": "Error: 503", "status": "error"}


def told(run: Trajectory, name: str, turn: int | None = None) -> str:
    """What is said of a feature at a turn of a run, or of the finished one."""
    points = list(decision_points(run))
    point: DecisionPoint = points[-1] if turn is None else points[turn - 1]
    value = float(point.vector[COLUMNS.index(NAMES[name])])
    return phrase(name, value, Calls(run, point))


def test_errors_name_their_tool() -> None:
    fails = [a_call("search_flights", page=k, **FAILED) for k in range(3)]
    run = turns([fails[0]], [fails[1]], [fails[2]], [])
    assert told(run, "errors", 1) == "no call returned an error"
    assert told(run, "errors", 2) == "a call to search_flights returned an error"
    assert told(run, "errors") == "3 calls to search_flights returned errors"
    assert told(run, "error_streak") == "the last 3 results, all of search_flights, are errors"
    assert told(run, "tools_in_error") == "search_flights failed when last called"


def test_errors_of_several_tools_are_counted_together() -> None:
    run = turns([a_call("a", **FAILED), a_call("a", **FAILED), a_call("b", **FAILED)], [])
    assert told(run, "errors") == "3 calls returned errors, 2 of them to a"
    assert told(run, "tools_in_error") == "a and b failed when last called"
    assert told(run, "error_streak") == "the last 3 results are errors"


def test_an_error_that_only_its_text_shows_is_named_too() -> None:
    run = turns([a_call("look", result="Error: no such file")], [])
    assert told(run, "errors") == "a call to look returned an error"


def test_a_tool_that_works_again_is_not_named_as_failed() -> None:
    run = turns([a_call("look", **FAILED)], [a_call("look")], [])
    assert told(run, "tools_in_error") == "no tool failed when last called"


def test_repeats_name_their_tool() -> None:
    run = turns([a_call("look", page=1)], [a_call("look", page=1)], [a_call("look", page=1)])
    assert told(run, "repeats", 1) == "no call repeats an earlier one"
    assert told(run, "repeats", 2) == "look was called twice with the same arguments"
    assert told(run, "repeats") == "look was called 3 times with the same arguments"
    assert told(run, "tool_streak") == "the last 3 calls went to look"


def test_repeats_of_several_calls_say_how_many_in_all() -> None:
    run = turns([a_call("a"), a_call("a"), a_call("b"), a_call("b")])
    assert told(run, "repeats") == (
        "a was called twice with the same arguments; 2 calls repeat earlier ones in all"
    )


def test_a_look_up_without_a_result_names_its_tool() -> None:
    run = turns([a_call("search", result="[]")], [a_call("search", result="")], [])
    assert told(run, "empty_results") == "2 calls to search returned nothing"


def test_what_is_not_known_yet_is_not_told() -> None:
    run = turns([a_call("look", **FAILED)])
    assert told(run, "errors", 1) == "no call returned an error"
    assert told(run, "errors") == "a call to look returned an error"


def test_a_run_that_does_not_fit_the_vector_is_not_quoted() -> None:
    point = next(decision_points(turns([a_call("look")])))
    calls = Calls(turns([a_call("look", **FAILED)], []), point._replace(turn=2))
    assert phrase("errors", 5.0, calls) == "5 calls returned errors"


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("values_unsupported", 2.0, "2 argument values appear nowhere in the run"),
        ("text_hedges", 2.0, "the newest text hedges twice"),
        ("text_hedges", 0.0, "the newest text does not hedge"),
        ("stated_confidence", 0.85, "the model says that it is 85% sure"),
        ("stated_confidence_change", -0.2, "the model says that it is 20% less sure than before"),
        ("writes_open", 1.0, "1 change asked for is still open"),
        ("error_share", 1 / 3, "33% of the calls returned errors"),
        ("error_share", 1.0, "every call returned an error"),
        ("logprob_run", math.log(0.5), "the model gave its tokens 50% on average so far"),
        ("logprob_run_min", -6.0, "the model gave its least likely token so far 1 in 400"),
        (
            "decision_surprise_total",
            0.5,
            "the model gave all its values and tools so far 61% together",
        ),
        (
            "value_surprise",
            99.0,
            "the model gave the newest values less than 1 in a million together",
        ),
        ("result_novelty", 0.001, "less than 1% of the newest result is new"),
        ("turns_since_action", math.nan, "no action yet"),
    ],
)
def test_a_clause_says_the_value(name: str, value: float, text: str) -> None:
    assert phrase(name, value) == text


def test_a_size_is_given_next_to_the_usual_one() -> None:
    assert phrase("task_chars", 1234.0, usual=200.4) == (
        "the task is 1,234 characters long (usually 200)"
    )
    assert phrase("task_chars", 200.0, usual=200.4) == "the task is 200 characters long"
    assert phrase("error_share", 0.5, usual=0.0) == "50% of the calls returned errors"


def values_of(name: str) -> list[float]:
    feature = NAMES[name]
    tried = [feature.low, feature.high, -1.0, -0.3, 0.0, 0.001, 0.4, 1.0, 2.0, 7.5, 4321.0]
    within = [v for v in tried if math.isfinite(v) and feature.low <= v <= feature.high]
    return [*within, math.nan] if feature.missing else within


@pytest.mark.parametrize("name", NAMES)
def test_every_feature_can_be_said_at_every_value(name: str) -> None:
    for value in values_of(name):
        text = phrase(name, value, usual=0.7)
        assert text
        assert len(text) <= 110
        assert not re.search(r"nan|inf\b|[{}|]|  |1 if |\.$", text)
        assert text[0].islower() or text[0].isdigit()


@pytest.mark.parametrize(
    "name", [n for n in NAMES if FAMILY_OF_COLUMN[n] in ("tools", "grounding", "reference")]
)
def test_presence_and_absence_are_said_differently(name: str) -> None:
    values = [value for value in (0.0, 2.0, 1.0) if value <= NAMES[name].high][:2]
    assert len({phrase(name, value) for value in values}) == 2


def test_every_phrase_is_about_a_feature() -> None:
    text = resources.files("agentcal.calibration").joinpath("phrases.toml").read_text("utf-8")
    tables = tomllib.loads(text)
    assert not set(tables["said"]) - set(NAMES)
    assert not set(tables["missing"]) - {feature.missing for feature in COLUMNS}


def test_reasons_on_real_runs_are_clauses(mixed: Fitted) -> None:
    calibrator: Calibrator = mixed.calibrator
    for run in sample_runs()[::60]:
        for point in decision_points(run):
            for reason in calibrator.reasons(point, run=run):
                assert 5 < len(reason.text) < 120
                assert "nan" not in reason.text.split()
