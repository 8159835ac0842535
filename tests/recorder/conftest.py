"""A real calibrator, fitted once."""

from __future__ import annotations

import pytest

import agentcal as ac
from agentcal.calibration import Calibrator


@pytest.fixture(scope="session")
def calibrator() -> Calibrator:
    """Fitted on every fourth bundled run, with and without log-probabilities."""
    runs = ac.sample_runs()[::4]
    return ac.fit(runs, folds=2, nested=False, workers=1, progress=False)
