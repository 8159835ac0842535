"""What a calibrator remembers of its training runs."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from agentcal import Calibrator, Trajectory, fit
from agentcal._seen import mark_of
from agentcal.calibration import Seen, group_name

from .conftest import Fitted
from .worlds import a_run


def named(*names: str) -> list[Trajectory]:
    return [Trajectory(run_id=name, task="t", agent="a", model="m") for name in names]


def of(*runs: Trajectory) -> Seen:
    return Seen.of(map(mark_of, runs), [group_name(run, "task") for run in runs])


def test_a_fitted_calibrator_knows_its_runs_and_their_groups(
    observed: Fitted, tmp_path: Path
) -> None:
    observed.calibrator.save(tmp_path / "model.json")
    seen = Calibrator.load(tmp_path / "model.json").seen
    assert seen == observed.calibrator.seen
    for run in observed.runs:
        other = run.model_copy(update={"run_id": "another"})
        assert seen.has_run(run)
        assert not seen.has_run(other)
        assert seen.has_group(group_name(other, "task"))
    assert not seen.has_group("a task of tomorrow")


def test_runs_that_taught_nothing_are_not_known() -> None:
    rng = np.random.default_rng(0)
    runs = [a_run(i, rng) for i in range(24)]
    mute = runs[-1].model_copy(update={"outcome": None, "group": "never labelled"})
    seen = fit([*runs[:-1], mute], folds=2, nested=False, prior=False, progress=False).seen
    assert [seen.has_run(run) for run in (*runs[:-1], mute)] == [True] * 23 + [False]
    assert not seen.has_group("never labelled")


@pytest.mark.parametrize("field", ["run_id", "task", "agent", "model"])
def test_a_run_is_told_by_all_that_names_it(field: str) -> None:
    (run,) = named("7")
    assert of(run).has_run(run)
    assert not of(run).has_run(run.model_copy(update={field: "other"}))
    assert not of(run).has_run(run.model_copy(update={field: None if field != "run_id" else ""}))


def test_a_label_or_a_step_more_does_not_make_it_another_run(observed: Fitted) -> None:
    run = observed.runs[0]
    later = run.model_copy(update={"outcome": None, "steps": [], "metadata": {"seen": "again"}})
    assert observed.calibrator.seen.has_run(later)


def test_the_order_and_the_times_are_all_one() -> None:
    runs = named("a", "b", "c")
    assert of(*runs) == of(*reversed(runs), *runs)


def test_it_is_the_digest_that_it_says() -> None:
    (run,) = named("7")
    digest = hashlib.sha256(b'["7", "t", "a", "m"]').digest()
    assert mark_of(run) == digest[:6]


@pytest.mark.parametrize("name", ["", "ünï", "a\ud800", '"], ["'])
def test_a_group_may_have_any_name(name: str) -> None:
    seen = Seen.of([], [name])
    assert seen.has_group(name)
    assert not seen.has_group(name + " ")


def test_the_file_holds_no_names(observed: Fitted, tmp_path: Path) -> None:
    observed.calibrator.save(tmp_path / "model.json")
    text = (tmp_path / "model.json").read_text()
    assert not any(f'"{run.run_id}"' in text or f'"{run.group}"' in text for run in observed.runs)


def test_a_hundred_thousand_runs_take_less_than_a_megabyte() -> None:
    seen = Seen.of((mark_of(run) for run in named(*map(str, range(100_000)))), ["g"])
    assert len(json.dumps(seen.model_dump())) < 1_000_000
    assert all(seen.has_run(run) for run in named("0", "99999"))
    assert not any(seen.has_run(run) for run in named(*map(str, range(100_000, 110_000))))


@pytest.mark.parametrize("packed", ["AAAA", "AAAAAAA", "ÄAAAAAAA", "AAAA AAAA"])
def test_what_is_no_row_of_digests_is_refused(packed: str) -> None:
    with pytest.raises(ValidationError):
        Seen(runs=packed, groups="")
    with pytest.raises(ValidationError):
        Seen(runs="", groups=packed)
