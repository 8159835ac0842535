"""Scoring: one row live, many rows at once, many threads, and quickly."""

from __future__ import annotations

import copy
import dataclasses
import itertools
import json
import pickle
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import lightgbm
import lightgbm.basic
import numpy as np
import pytest

from agentcal import ArtefactError, Trajectory, decision_points
from agentcal.calibration import Calibrator, _trees
from agentcal.calibration._head import Head
from agentcal.calibration._heads import LOGPROB_FEATURES, predict_rows
from agentcal.calibration._numeric import sigmoid
from agentcal.calibration._table import build_table
from agentcal.calibration._trees import RowScorer, load_together
from agentcal.data import sample_runs
from agentcal.features import FEATURES

from .conftest import Fitted
from .worlds import draw, rows_of, vectors

THREADS = 8


def one_by_one(calibrator: Calibrator, runs: list[Trajectory]) -> list[float]:
    return [confidence.value for run in runs for confidence in calibrator.score(run)]


def all_at_once(calibrator: Calibrator, runs: list[Trajectory]) -> np.ndarray:
    named = calibrator.settings.categoricals
    table = build_table(runs, categoricals=named, thin=False)
    X = np.hstack([table.X, [calibrator.reference.values(tools) for tools in table.tools]])
    return predict_rows(calibrator.heads, table, X, np.ones(len(X), dtype=bool))


@pytest.fixture(scope="module")
def real_runs() -> list[Trajectory]:
    runs = sample_runs()[::12]
    names = itertools.cycle(("ann", "bob", "somebody else", None))
    return [run.model_copy(update={"agent": name}) for run, name in zip(runs, names, strict=False)]


def test_live_scores_are_those_of_the_batch_on_runs_like_the_training_ones(
    observed: Fitted, mixed: Fitted
) -> None:
    for calibrator, _, fresh in (observed, mixed):
        np.testing.assert_allclose(
            one_by_one(calibrator, fresh), all_at_once(calibrator, fresh), atol=1e-12
        )


def test_live_scores_are_those_of_the_batch_on_real_runs(
    observed: Fitted, mixed: Fitted, real_runs: list[Trajectory]
) -> None:
    for calibrator, _, _ in (observed, mixed):
        np.testing.assert_allclose(
            one_by_one(calibrator, real_runs), all_at_once(calibrator, real_runs), atol=1e-12
        )


@pytest.fixture(scope="module")
def wooded() -> tuple[Head, np.ndarray, np.ndarray]:
    """A head that needs its trees, with a category and missing values; rows and their names."""
    rng = np.random.default_rng(0)
    v = rng.normal(size=(300, 3))
    name = rng.choice(["ann", "bob"], size=300)
    y = draw(3 * np.sign(v[:, 0] * v[:, 1]) + np.where(name == "ann", 1.0, -1.0), rng)
    v[rng.random(v.shape) < 0.1] = np.nan
    X = vectors(v)
    head, _ = Head.fit(rows_of(X, y, folds=2, categories={"agent": name}), seed=0, workers=1)
    assert head.blend.forests
    return head, X, name


def test_a_head_with_trees_scores_a_row_like_a_batch(
    wooded: tuple[Head, np.ndarray, np.ndarray],
) -> None:
    head, X, name = wooded
    X = np.vstack([X, 10 * X[:20], np.full_like(X[:1], np.nan)])
    name = np.concatenate([name, ["carol"] * 21]).astype(object)
    z, support = head.logits(X, {"agent": name})
    scored = [head.score(x, {"agent": who}) for x, who in zip(X, name, strict=True)]
    np.testing.assert_allclose([s.value for s in scored], sigmoid(z), atol=1e-12)
    np.testing.assert_allclose([s.support for s in scored], support, atol=1e-12)
    for s in scored:
        assert 0 < s.low <= s.value <= s.high < 1
        assert 0 <= s.thinness <= 1


def test_an_undeclared_or_unseen_category_is_no_error(
    wooded: tuple[Head, np.ndarray, np.ndarray],
) -> None:
    head, X, _ = wooded
    assert head.score(X[0], {}) == head.score(X[0], {"agent": "carol"})
    assert head.score(X[0], {"agent": "ann"}).value > head.score(X[0], {"agent": "bob"}).value


def all_threads(work: Callable[[], Any]) -> list[Any]:
    """What ``work`` gives in each of many threads that start together."""
    start, found = threading.Barrier(THREADS), []

    def one() -> None:
        start.wait()
        found.append(work())

    threads = [threading.Thread(target=one) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_threads_share_a_calibrator(wooded: tuple[Head, np.ndarray, np.ndarray]) -> None:
    head, X, _ = wooded
    alone = [head.score(x, {"agent": "ann"}) for x in X]
    fresh = Head.model_validate_json(head.model_dump_json())
    found = all_threads(lambda: [fresh.score(x, {"agent": "ann"}) for x in X])
    assert len(found) == THREADS
    assert all(scores == alone for scores in found)


@pytest.fixture(scope="module")
def booster() -> tuple[Any, np.ndarray]:
    rng = np.random.default_rng(1)
    X = rng.normal(size=(300, 5))
    X[rng.random(X.shape) < 0.2] = np.nan
    y = (np.nan_to_num(X[:, 0]) * np.nan_to_num(X[:, 1]) > 0).astype(float)
    settings = {"objective": "binary", "verbosity": -1, "num_threads": 1}
    trained = lightgbm.train(settings, lightgbm.Dataset(X, y), num_boost_round=20)
    rows = np.vstack([X[:100], np.full((1, 5), np.nan), np.full((1, 5), 1e300), np.zeros((1, 5))])
    return lightgbm.Booster(model_str=trained.model_to_string()), rows


def test_the_row_scorer_is_the_booster(booster: tuple[Any, np.ndarray]) -> None:
    model, rows = booster
    scorer = RowScorer([model], [1.0], np.arange(5))
    assert scorer._fast, "this LightGBM lacks the single-row interface"
    assert [scorer(row) for row in rows] == model.predict(rows, raw_score=True).tolist()


@pytest.mark.parametrize(
    "library",
    [
        SimpleNamespace(),
        SimpleNamespace(LGBM_BoosterPredictForMatSingleRowFastInit=lambda *_: -1),
    ],
    ids=["absent", "refusing"],
)
def test_without_the_single_row_interface_the_numbers_are_the_same(
    booster: tuple[Any, np.ndarray], monkeypatch: pytest.MonkeyPatch, library: Any
) -> None:
    model, rows = booster
    expected = model.predict(rows, raw_score=True).tolist()
    monkeypatch.setattr(lightgbm.basic, "_LIB", library)
    scorer = RowScorer([model], [1.0], np.arange(5))
    monkeypatch.undo()
    assert not scorer._fast
    assert [scorer(row) for row in rows] == expected


def test_equal_shares_are_scored_as_one_booster(
    booster: tuple[Any, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    model, rows = booster
    text = model.model_to_string()
    whole = load_together([text, text])
    assert whole is not None, "this LightGBM cannot put boosters together"
    twice = 2 * model.predict(rows, raw_score=True)
    np.testing.assert_allclose(whole.predict(rows, raw_score=True), twice, rtol=1e-12)
    scorer = RowScorer([whole], [0.5], np.arange(5))
    np.testing.assert_allclose([scorer(row) for row in rows], twice / 2, rtol=1e-12)
    monkeypatch.setattr(lightgbm.basic, "_LIB", SimpleNamespace())
    monkeypatch.setattr(_trees, "load_trees", lambda _: model)
    assert load_together([text, text]) is None


def test_a_copy_of_a_calibrator_that_has_scored_scores_alike(
    wooded: tuple[Head, np.ndarray, np.ndarray],
) -> None:
    head, X, _ = wooded
    alone = [head.score(x, {"agent": "bob"}) for x in X]
    for again in (copy.deepcopy(head), pickle.loads(pickle.dumps(head))):  # noqa: S301 - our own
        assert [again.score(x, {"agent": "bob"}) for x in X] == alone


def test_without_logprobs_a_run_is_scored_by_the_observable_heads(mixed: Fitted) -> None:
    calibrator = mixed.calibrator
    assert {name.split("/")[0] for name in calibrator.heads} == {"observable", "logprobs"}
    blind = [run for run in mixed.fresh if run.steps[0].logprobs is None]
    assert blind
    for run in blind:
        for point in decision_points(run):
            head = calibrator.heads[f"observable/{point.kind}"]
            assert calibrator.predict(point).value == head.score(calibrator.row(point), {}).value


def test_with_logprobs_the_observable_heads_still_do_not_look_at_them(mixed: Fitted) -> None:
    seeing = next(run for run in mixed.fresh if run.steps[0].logprobs is not None)
    for point in decision_points(seeing):
        with_them = mixed.calibrator.heads[f"logprobs/{point.kind}"]
        without = mixed.calibrator.heads[f"observable/{point.kind}"]
        row = mixed.calibrator.row(point)
        assert mixed.calibrator.predict(point).value == with_them.score(row, {}).value
        blinded = row.copy()
        blinded[: len(FEATURES)][LOGPROB_FEATURES] = np.nan
        assert without.score(blinded, {}) == without.score(row, {})


def test_a_score_is_a_confidence_at_each_decision_point_and_one_at_the_end(
    observed: Fitted,
) -> None:
    run = observed.fresh[0]
    scored = observed.calibrator.score(run)
    assert [c.kind for c in scored] == [p.kind for p in decision_points(run)]
    assert [c.turn for c in scored] == [*range(1, len(run.steps) + 1), len(run.steps)]
    for confidence in scored:
        assert 0 < confidence.low <= confidence.value <= confidence.high < 1
        assert confidence.fingerprint == observed.calibrator.fingerprint
        assert json.loads(json.dumps(confidence.to_json())) == dataclasses.asdict(confidence)
        assert f"{confidence.value:.2f}" in str(confidence)


def test_live_scores_need_nothing_of_the_future(observed: Fitted) -> None:
    for run in observed.fresh:
        whole = observed.calibrator.score(run)
        for turn in range(1, len(run.steps) + 1):
            so_far = observed.calibrator.score(run.prefix(turn))[:-1]
            assert so_far == whole[:turn]


def test_a_point_of_other_features_is_refused(observed: Fitted) -> None:
    point = next(decision_points(observed.fresh[0]))
    with pytest.raises(ArtefactError, match="make it with the Fold of this agentcal"):
        observed.calibrator.predict(point._replace(vector=point.vector[:-1]))


def test_a_score_takes_less_than_a_hundred_microseconds(observed: Fitted) -> None:
    points = [point for run in observed.fresh for point in decision_points(run)]
    means = []
    for _ in range(40):
        # Time on the processor: what other processes do meanwhile is not the calibrator's doing.
        start = time.thread_time_ns()
        for point in points:
            observed.calibrator.predict(point, agent="ann", model="small")
        means.append((time.thread_time_ns() - start) / 1000 / len(points))
    assert min(means[5:]) < 100, sorted(means)
