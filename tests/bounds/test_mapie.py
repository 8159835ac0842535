"""The same p-values as MAPIE's learn-then-test controller, where that applies: one run a group."""

from __future__ import annotations

import numpy as np
import pytest

from agentcal.bounds import GroupedRate, ThresholdCertificate, certify_threshold, p_value
from tests.bounds.worlds import world

risk_control = pytest.importorskip("mapie.risk_control", reason="MAPIE is not installed")
GRID = np.array([0.15, 0.35, 0.55, 0.75, 0.93])


def test_p_values_and_valid_thresholds_are_those_of_mapie() -> None:
    runs = world().draw(np.random.default_rng(2), 300, 1)
    controller = risk_control.BinaryClassificationController(
        predict_function=lambda score: np.column_stack([1 - score[:, 0], score[:, 0]]),
        risk="precision",
        target_level=0.8,
        confidence_level=0.95,
        list_predict_params=GRID,
        fwer_method="bonferroni",
    )
    controller.calibrate(runs.score[:, None], (~runs.failed).astype(int))
    kept = [runs.score >= t for t in GRID]
    own = [GroupedRate.of_runs(k, runs.failed, runs.group).p_value(0.2) for k in kept]
    # MAPIE multiplies a rate by a count and rounds up, which may add one.
    most = [p_value(int((k & runs.failed).sum()) + 1, int(k.sum()), 0.2) for k in kept]
    theirs = controller.p_values[:, 0]
    assert ((theirs >= np.array(own) * (1 - 1e-9)) & (theirs <= np.array(most) * (1 + 1e-9))).all()
    assert np.isclose(theirs, own, rtol=1e-9).sum() >= 3
    certified = [
        t
        for t in GRID
        if isinstance(
            certify_threshold(
                *runs, max_failure_rate=0.2, confidence=1 - 0.05 / GRID.size, grid=[t]
            ),
            ThresholdCertificate,
        )
    ]
    assert list(controller.valid_predict_params) == certified != []
