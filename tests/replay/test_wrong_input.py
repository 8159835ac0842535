"""What cannot be replayed is refused with the reason."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest

from agentcal import ConfigError, NotEnoughData, replay
from agentcal.calibration import Calibrator
from agentcal.errors import ArtefactError
from agentcal.policy import CostTarget
from agentcal.report import trade_off
from tests.replay.scripted import ANSWER, CALIBRATOR, Scripted, a_run

RUN = a_run("r", [(ANSWER, 0.5)], success=True)


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"level": 1.0}, "level must lie between 0 and 1"),
        ({"success_at": 0.0}, "success_at"),
        ({"group": "agent"}, "names no agent"),
        ({"group": "day"}, "day"),
    ],
)
def test_settings_out_of_range(settings: dict[str, Any], why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        replay(CostTarget(), CALIBRATOR, [RUN], progress=False, **settings)


def test_something_that_is_no_policy() -> None:
    with pytest.raises(ConfigError, match="dict is not one"):
        replay(cast(Any, {"rules": []}), CALIBRATOR, [RUN])


def test_no_run_with_an_outcome() -> None:
    with pytest.raises(NotEnoughData, match="1 no outcome"):
        replay(CostTarget(), CALIBRATOR, [a_run("r", [(ANSWER, 0.5)], None)], progress=False)


def test_a_calibrator_that_was_fitted_with_a_function_needs_it_again() -> None:
    other = cast(Calibrator, Scripted(group="function"))
    with pytest.raises(ConfigError, match="group function"):
        replay(CostTarget(), other, [RUN], progress=False)
    found = replay(CostTarget(), other, [RUN], group=lambda run: "g", progress=False)
    assert found.groups == 1


def test_a_calibrator_that_refuses_is_heard() -> None:
    class Void(Scripted):
        def score(self, run: Any) -> Any:
            raise ArtefactError("calibrator is VOID")

    with pytest.raises(ArtefactError, match="VOID"):
        replay(CostTarget(), cast(Calibrator, Void()), [RUN], progress=False)


def test_a_row_that_is_not_there_says_why() -> None:
    found = replay(CostTarget(), CALIBRATOR, [RUN], progress=False)
    with pytest.raises(KeyError, match="0 of 1 runs state a confidence"):
        found.row("stated confidence")
    with pytest.raises(KeyError, match="methods: policy"):
        found.row("the best")


def test_runs_of_one_outcome_have_no_share_of_the_other() -> None:
    found = replay(CostTarget(), CALIBRATOR, [RUN, RUN], progress=False)
    row = found.row()
    assert row.failures_stopped is row.seen_at_stop is row.steps_saved is None
    assert found.dots == {}
    assert "policy" in str(found)


CURVES = {"a": ([0, 1], [0, 1])}


@pytest.mark.parametrize(
    ("curves", "points", "at"),
    [({}, {}, 0.2), ({str(k): ([0], [0]) for k in range(8)}, {}, 0.2), (CURVES, {}, 0.0)],
)
def test_a_picture_of_nothing_or_of_too_much(curves: Any, points: Any, at: float) -> None:
    with pytest.raises(ConfigError):
        trade_off(curves, points, at=at)


def test_the_picture_shows_the_curves_as_they_are() -> None:
    curves = {"agentcal": ([0, 0.1, 1], [0, 0.6, 1]), "step count": ([0, 0.5, 1], [0, 0.2, 1])}
    figure = trade_off(curves, {"policy": (0.3, 0.4)}, note="12 runs.")
    (axes,) = figure.axes
    drawn = {line.get_label(): line.get_xydata() for line in axes.get_lines()}
    assert np.array_equal(drawn["agentcal"], [[0, 0], [0.1, 0.6], [1, 1]])
    assert np.array_equal(drawn["policy"], [[0.3, 0.4]])
    figure.canvas.draw()
    words = " ".join(t.get_text() for t in figure.findobj(lambda a: hasattr(a, "get_text")))
    assert "stops 64% of the failures with agentcal, 8% with step count" in words.replace("\n", " ")
    assert "12 runs." in words
