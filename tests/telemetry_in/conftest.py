from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.telemetry_in.matrix import COLUMNS, SCENARIOS, Told, pairs

ROOT = Path(__file__).parents[2]
Recorded = Callable[[str], Path]


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """All scenarios under one tracer, run in a process of its own; gives the folder."""

    @cache
    def record(tracer: str) -> Path:
        if tracer != "agentcal" and find_spec("openinference") is None:
            pytest.skip("no instrumentors here: none goes with the oldest versions (make oldest)")
        out = tmp_path_factory.mktemp(tracer)
        paths = [str(ROOT), str(ROOT / "integrations"), os.environ.get("PYTHONPATH", "")]
        done = subprocess.run(  # noqa: S603 - our own interpreter, our own code
            [sys.executable, "-m", "tests.telemetry_in.record", tracer, str(out)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return out

    return record


@pytest.fixture(scope="session")
def told(recorded: Recorded) -> Told:
    """For each tracer, each run as the handler has it and as the spans tell it."""
    return {name: list(pairs(recorded(name), SCENARIOS)) for name in COLUMNS}
