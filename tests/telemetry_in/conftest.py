from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.telemetry_in.matrix import COLUMNS, SCENARIOS, Told, pairs
from tests.telemetry_in.recording import record

Recorded = Callable[[str], Path]


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """All scenarios under one tracer, run in a process of its own; gives the folder."""

    @cache
    def folder(tracer: str) -> Path:
        if tracer != "agentcal" and find_spec("openinference") is None:
            pytest.skip("no instrumentors here: none goes with the oldest versions (make oldest)")
        out = tmp_path_factory.mktemp(tracer)
        record(tracer, out)
        return out

    return folder


@pytest.fixture(scope="session")
def told(recorded: Recorded) -> Told:
    """For each tracer, each run as the handler has it and as the spans tell it."""
    return {name: list(pairs(recorded(name), SCENARIOS)) for name in COLUMNS}
