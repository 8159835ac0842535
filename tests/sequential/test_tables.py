"""Trees written out as tables."""

from __future__ import annotations

import numpy as np
import pytest

from agentcal.sequential import Normaliser
from agentcal.sequential._tables import SIGNS, boost, write_out


@pytest.fixture(scope="module")
def fitted() -> tuple[object, Normaliser, np.ndarray]:
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(size=(3000, SIGNS)), rng.integers(1, 40, 3000)])
    X[:, 3] = X[:, 3].round(1)
    logit = 1.5 * np.sin(2 * X[:, 3]) - X[:, 0] * (X[:, 4] > 10) - 0.5 * X[:, 1] + 0.5
    failed = (rng.random(3000) < 1 / (1 + np.exp(-logit))).astype(float)
    booster = boost(X, failed, np.ones(3000), np.zeros(3000))
    written = Normaliser(weights=(0, 0, 0, 0), **write_out(booster))
    return booster, written, X


def test_the_tables_are_the_trees(fitted) -> None:
    booster, written, X = fitted
    assert all(len(edges) > 3 for edges in written.edges[:2])
    assert len(written.turns) > 2
    # On the edges themselves too, where a bin must end on the same side.
    # LightGBM takes what is nearer to 0 than 1e-35 for 0, so its edges there are left out.
    edges = [edge for edge in written.edges[3] if abs(edge) > 1e-30]
    points = [X[:500], X[:200].copy(), X[:1].repeat(len(edges), axis=0)]
    points[1][:, 0] = np.resize(written.edges[0], 200)
    points[2][:, 3] = edges
    rows = np.concatenate(points)
    raw = booster.predict(rows, raw_score=True)
    ours = [written.score(int(turn), *signs) for *signs, turn in rows.tolist()]
    np.testing.assert_allclose(ours, raw, atol=4 * 0.5e-4 + 1e-9)


def test_a_better_score_never_looks_worse(fitted) -> None:
    _, written, _ = fitted
    for span in written.values:
        for row in span[:3]:
            assert (np.diff(row) <= 1e-4 + 1e-12).all()
    assert any((np.diff(row) > 0.05).any() for span in written.values for row in span[3:])


def test_nothing_to_split_on_is_nothing_said() -> None:
    booster = boost(np.zeros((50, SIGNS + 1)), np.resize([0.0, 1.0], 50), np.ones(50), np.zeros(50))
    written = Normaliser(weights=(0, 0, 0, 0), **write_out(booster))
    assert written.edges == ((), (), (), ())
    assert written.score(1, 0, 0, 0, 0) == pytest.approx(0, abs=1e-3)
