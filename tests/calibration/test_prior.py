"""The general prior: made for these features, used where it earns it, scored as fitted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from agentcal.calibration import _fit, _heads
from agentcal.calibration._blend import Blend
from agentcal.calibration._choice import Recipe, choose
from agentcal.calibration._design import Design
from agentcal.calibration._prior import shipped_prior
from agentcal.calibration._stages import Rows, cross_fit
from agentcal.calibration._support import Support
from agentcal.calibration._table import KINDS
from agentcal.calibration._workspace import Workspace

from .test_bad_input import RUNS, quick
from .worlds import draw, rows_of, vectors


def rows_that_follow_the_prior(sign: float) -> Rows:
    rng = np.random.default_rng(0)
    prior = shipped_prior()
    assert prior is not None
    X = vectors(rng.normal(size=(120, 30)))
    z = prior.heads["finished"].logits(X)
    z = sign * 3 * (z - z.mean()) / z.std()
    return replace(rows_of(X, draw(z, rng)), prior=prior.heads["finished"])


def test_it_was_made_for_the_features_of_this_agentcal() -> None:
    prior = shipped_prior()
    assert prior is not None, "run: python -m benchmarks.make_prior --data DIR"
    assert set(prior.heads) == set(KINDS)


@pytest.mark.parametrize(("sign", "admitted"), [(1.0, True), (-1.0, False)])
def test_it_is_admitted_where_it_is_right_and_not_where_it_is_wrong(
    sign: float, admitted: bool
) -> None:
    rows = rows_that_follow_the_prior(sign)
    candidates = cross_fit(rows, seed=0, workers=1)
    admissions = choose(candidates, rows.y, rows.weight, rows.group, rows.fold).admissions
    assert {a.stage: a.admitted for a in admissions}["general prior"] is admitted


def test_one_row_scores_as_many_do() -> None:
    rows = rows_that_follow_the_prior(1.0)
    design = Design.fit(rows.X, rows.use, {})
    matrix = design.matrix(rows.X, {})
    blend = Blend.fit(Recipe(scale=0.6, prior=True), rows, design, matrix, seed=0)
    assert blend.describe() == "general prior, 60% of the way"
    many = blend.logits(rows.X, matrix, {})
    support = Support.fit(matrix, rows.group, rows.fold)
    score = Workspace(blend, support)
    one = [score(x, {})[0] for x in rows.X]
    np.testing.assert_allclose(one, many, atol=1e-12)
    assert many.std() > 0


def test_a_prior_for_other_features_is_left_out_and_said(monkeypatch: pytest.MonkeyPatch) -> None:

    monkeypatch.setattr(_fit, "shipped_prior", lambda: None)
    monkeypatch.setattr(_heads, "shipped_prior", lambda: None)
    notes = quick(RUNS).notes
    assert any("general prior was made for other features" in note for note in notes)
